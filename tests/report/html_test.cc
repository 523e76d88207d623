#include <gtest/gtest.h>

#include <limits>

#include "quantsearch/report.h"
#include "report/chart.h"

namespace quantsearch {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

TrialResult trial(std::int64_t number, double value) {
  TrialResult result;
  result.number = number;
  result.config = {{"bits", 8}};
  result.model.scores["L2"] = value;
  result.model.size_bytes = 2000;
  return result;
}

ResultsDocument document() {
  ResultsDocument document;
  document.model = "a<b>.onnx";
  document.objective = "L2";
  document.float_model.scores["L2"] = 0;
  document.float_model.size_bytes = 8000;
  document.float_model.latency_ms = 2.0;
  document.trials = {trial(0, 0.5), trial(1, 0.25)};
  document.trials[1].layer_tables["precision"] =
      Value::List{Value::Map{{"node", "conv & 1"}, {"sensitivity", 0.125}}};
  document.trials[1].stages["observe"] = {.seconds = 0.5, .cached = false};
  TrialResult& failed = document.trials.emplace_back();
  failed.number = 2;
  failed.state = TrialState::failed;
  failed.config = {{"bits", 4}};
  failed.reason = "no 4 bits";
  document.best = 1;
  document.space = {.raw = 3, .distinct = 3, .filtered = {{"too few bits", 2}}, .complete = true};
  return document;
}

TEST(HtmlReport, HoldsChartsTrialsLayersAndReasons) {
  const std::string page = html_report(document());
  EXPECT_EQ(count(page, "<svg"), 2U);  // history and size; latency was not measured
  EXPECT_EQ(count(page, "<circle class='best'"), 2U);
  EXPECT_EQ(count(page, "no 4 bits"), 1U);
  EXPECT_NE(page.find("conv &amp; 1"), std::string::npos);
  EXPECT_NE(page.find("2 left out: too few bits"), std::string::npos);
}

TEST(HtmlReport, EscapesNamesGivenByUsers) {
  const std::string page = html_report(document());
  EXPECT_EQ(page.find("a<b>"), std::string::npos);
  EXPECT_NE(page.find("a&lt;b&gt;.onnx"), std::string::npos);
}

TEST(HtmlReport, NamesTheProcessorWhenItIsKnown) {
  ResultsDocument known = document();
  EXPECT_EQ(count(html_report(known), "Processor"), 0U);
  known.processor =
      Processor{.architecture = "x86_64", .model = "Some <CPU>", .features = {"avx2"}};
  EXPECT_EQ(count(html_report(known), "<p>Processor: Some &lt;CPU&gt; (x86_64) with avx2: "), 1U);
}

TEST(HtmlReport, ShowsTheImportanceOfParameters) {
  ResultsDocument document;
  document.objective = "L2";
  for (int number = 0; number < 12; ++number) {
    TrialResult& made = document.trials.emplace_back(trial(number, number % 2 == 0 ? 1 : 2));
    made.config = {{"bits", number % 2 == 0 ? 16 : 8}, {"seed", number / 2}};
  }
  const std::vector<ParameterImportance> importances = importances_of(document);
  ASSERT_EQ(importances.size(), 2U);
  EXPECT_EQ(importances.front().name, "bits");
  EXPECT_NE(html_report(document).find("Importance of the parameters for L2"), std::string::npos);
  EXPECT_EQ(to_value(document).find("importances")->find("bits")->as_double(),
            importances.front().share);
  document.trials.resize(9);
  EXPECT_TRUE(importances_of(document).empty());
  EXPECT_EQ(to_value(document).find("importances"), nullptr);
}

TEST(HtmlReport, NeedsNoNetwork) {
  const std::string page = html_report(document());
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
}

TEST(HtmlReport, OfASearchWithoutTrialsIsAPage) {
  ResultsDocument empty;
  empty.objective = "L2";
  const std::string page = html_report(empty);
  EXPECT_EQ(count(page, "<svg"), 0U);
  EXPECT_TRUE(page.ends_with("</body></html>\n"));
}

TEST(Chart, PutsTheSmallestBelowAndTheLargestAbove) {
  const std::string svg = svg_of({.title = "t",
                                  .x_label = "x",
                                  .y_label = "y",
                                  .points = {{.x = 0, .y = 1}, {.x = 10, .y = 3}}});
  EXPECT_NE(svg.find("cx='70.0' cy='275.0'"), std::string::npos) << svg;
  EXPECT_NE(svg.find("cx='625.0' cy='30.0'"), std::string::npos) << svg;
}

TEST(Chart, SpansDecadesAndLeavesOutNonFiniteValues) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = svg_of(
      {.title = "t",
       .x_label = "x",
       .y_label = "y",
       .points = {
           {.x = 0, .y = 1}, {.x = 1, .y = 100}, {.x = 2, .y = 10000}, {.x = 3, .y = none}}});
  EXPECT_EQ(count(svg, "<circle"), 3U);
  EXPECT_NE(svg.find("cy='152.5'"), std::string::npos) << svg;  // 100 is in the middle
}

TEST(Chart, CentersASinglePointAndIsEmptyWithoutPoints) {
  EXPECT_NE(svg_of({.title = "t", .x_label = "x", .y_label = "y", .points = {{.x = 5, .y = 5}}})
                .find("cx='347.5' cy='152.5'"),
            std::string::npos);
  EXPECT_EQ(svg_of({.title = "t", .x_label = "x", .y_label = "y", .points = {}}), "");
}

}  // namespace
}  // namespace quantsearch
