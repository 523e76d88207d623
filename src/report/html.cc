// report.html: the page of src/report/assets with its data. Everything that is drawn comes from the
// data; no markup is made here.

#include <array>
#include <utility>

#include "quantsearch/report.h"
#include "report/assets.h"

namespace quantsearch {

namespace {

/// JSON that may stand in a script element: text in it cannot end the element or open a comment.
std::string script_safe(const std::string& json) {
  std::string safe;
  safe.reserve(json.size());
  for (const char letter : json) {
    // Outside of strings JSON has no such letter.
    if (letter == '<') {
      safe += "\\u003c";
    } else {
      safe += letter;
    }
  }
  return safe;
}

}  // namespace

std::string html_page(const Value& data) {
  const std::string json = script_safe(to_json(data));
  const std::array<std::pair<std::string_view, std::string_view>, 4> parts = {
      {{"{{style}}", assets::kStyle},
       {"{{charts}}", assets::kCharts},
       {"{{script}}", assets::kScript},
       {"{{data}}", json}}};
  std::string page;
  page.reserve(assets::kCharts.size() + assets::kScript.size() + json.size() + 100'000);
  std::string_view rest = assets::kPage;
  while (!rest.empty()) {
    std::size_t at = rest.size();
    const std::pair<std::string_view, std::string_view>* next = nullptr;
    for (const auto& part : parts) {
      const std::size_t found = rest.find(part.first);
      if (found < at) {
        at = found;
        next = &part;
      }
    }
    page += rest.substr(0, at);
    rest.remove_prefix(at);
    if (next == nullptr) break;
    page += next->second;
    rest.remove_prefix(next->first.size());
  }
  return page;
}

std::string html_report(const ResultsDocument& document) {
  return html_page(report_data(std::span(&document, 1)));
}

}  // namespace quantsearch
