#pragma once

// The files of src/report/assets, which the build puts into the program.

#include <string_view>

namespace quantsearch::assets {

extern const std::string_view kPage;    // page.html, with places for the others
extern const std::string_view kStyle;   // report.css
extern const std::string_view kCharts;  // echarts.min.js
extern const std::string_view kScript;  // the scripts of the page, in their order

}  // namespace quantsearch::assets
