#include <gtest/gtest.h>

#include "quantsearch/report.h"
#include "report/assets.h"
#include "report/example.h"

namespace quantsearch {
namespace {

using testing::example_results;

std::size_t occurrences(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

/// The data that a page holds.
std::string island_of(const std::string& page) {
  const std::string begin = R"(<script type="application/json" id="data">)";
  const std::size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("</script>", from) - from);
}

TEST(HtmlReport, HoldsTheDataAsTheyAre) {
  const ResultsDocument document = example_results();
  const Value read = parse_json(island_of(html_report(document)), "page");
  EXPECT_EQ(to_json(read), to_json(report_data(std::span(&document, 1))));
}

TEST(HtmlReport, TextOfUsersCannotEndTheScriptThatHoldsIt) {
  const std::string page = html_report(example_results());
  const std::string island = island_of(page);
  EXPECT_EQ(island.find('<'), std::string::npos);
  EXPECT_NE(island.find(R"(\u003c/script>\u003cimg src=x>)"), std::string::npos);
  EXPECT_EQ(occurrences(page, "</script>"), occurrences(std::string(assets::kPage), "</script>"));
}

TEST(HtmlReport, FillsEveryPlaceOfThePageOnce) {
  const std::string page = html_report(example_results());
  for (const char* const place : {"{{style}}", "{{charts}}", "{{script}}", "{{data}}"})
    EXPECT_EQ(page.find(place), std::string::npos) << place;
  EXPECT_EQ(occurrences(page, assets::kStyle), 1U);
  EXPECT_EQ(occurrences(page, assets::kScript), 1U);
}

TEST(HtmlReport, ADataThatLooksLikeAPlaceStaysText) {
  ResultsDocument document = example_results();
  document.model = "{{script}}.onnx";
  EXPECT_NE(island_of(html_report(document)).find("{{script}}.onnx"), std::string::npos);
}

TEST(HtmlReport, NeedsNoNetworkAndForbidsIt) {
  const std::string page = html_report(example_results());
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  for (const char* const outside :
       {"<link rel=\"stylesheet\"", "<script src", "@import", "src=\"http"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST(HtmlReport, OfAThousandTrialsStaysBelowOneAndAHalfMegabytes) {
  ResultsDocument document = example_results();
  for (int number = 3; number < 1000; ++number) {
    TrialResult trial = document.trials[1];
    trial.number = number;
    for (const char* const score : {"cos", "rel_l2", "sqnr", "top5", "worst_slice"})
      trial.model.scores[score] = 1.0 / number;
    document.trials.push_back(std::move(trial));
  }
  EXPECT_LT(html_report(document).size(), 1'500'000U);
}

}  // namespace
}  // namespace quantsearch
