#pragma once

// The files of src/report/assets, which the build puts into the program.

#include <string_view>

namespace quantsearch::assets {

extern const std::string_view page;    // page.html, with places for the others
extern const std::string_view style;   // report.css
extern const std::string_view charts;  // echarts.min.js
extern const std::string_view script;  // the scripts of the page, in their order

}  // namespace quantsearch::assets
