#include <gtest/gtest.h>

#include "quantsearch/report.h"
#include "report/example.h"

namespace quantsearch {
namespace {

using testing::example_results;

TEST(Csv, HasALineForEachTrialAndQuotesWhatNeedsIt) {
  EXPECT_EQ(trials_csv(example_results()),
            "trial,state,candidate,L2,top1,size_bytes,latency_ms,latency_ratio,latency_ratio_low,"
            "latency_ratio_high,seconds,calibrate_method,per_channel,reason\r\n"
            "0,complete,false,0.5,0.9,2000000,,,,,0.5,MinMax,true,\r\n"
            "1,complete,true,0.25,0.9,2000000,1.0,0.5,0.45,0.55,0.5,Entropy,true,\r\n"
            "2,failed,false,,,,,,,,0.0,MinMSE,true,"
            "\"no range, said \"\"it\"\": </script><img src=x>\"\r\n");
}

TEST(Csv, OfASearchWithoutTrialsIsItsHead) {
  EXPECT_EQ(trials_csv({}),
            "trial,state,candidate,size_bytes,latency_ms,latency_ratio,latency_ratio_low,"
            "latency_ratio_high,seconds,reason\r\n");
}

TEST(Markdown, HasTheResultTheReasonsAndWhatToDo) {
  ResultsDocument document = example_results();
  document.trials[2].reason = "a | b";
  document.trials[0].config["calibrate_method"] = "Min|Max";
  EXPECT_EQ(markdown_report(document),
            "# Search of models/a<b>.onnx\n\n"
            "3 trials in 2 s, 1 candidates (L2 at most 0.3).\n\n"
            "| model | L2 | top1 | MB | ms | settings |\n"
            "| --- | --- | --- | --- | --- | --- |\n"
            "| float | 0 | 0.91 | 8.00 | 2 |  |\n"
            "| **best**, trial 1 | 0.25 | 0.9 | 2.00 | 1 | calibrate_method=Entropy "
            "per_channel=true |\n"
            "| trial 0 | 0.5 | 0.9 | 2.00 |  | calibrate_method=Min\\|Max per_channel=true |\n"
            "\nTrial 2 failed: a | b\n"
            "\nNext:\n\n"
            "- Run best.onnx on data of your own that the search has not seen, on the machine that "
            "will use it (quantsearch evaluate).\n"
            "- 3 of 6 configurations were tried: the same search with --resume and a higher limit "
            "goes on.\n"
            "\nTo build the best model again:\n\n"
            "    quantsearch quantize 'models/a<b>.onnx'\n");
}

TEST(Comparison, SetsBothSideBySideWithin80Columns) {
  ResultsDocument second = example_results();
  second.model = "models/other.onnx";
  second.trials[1].model.scores["L2"] = 0.125;
  second.trials[1].config["calibrate_method"] = "LayerWiseMethod.LayerWisePercentile";
  second.trials[1].model.latency_ratio.reset();
  EXPECT_EQ(comparison_text(example_results(), second),
            "                                first  second\n"
            "model                       a<b>.onnx  other.onnx\n"
            "best trial                          1  1\n"
            "L2                               0.25  0.125\n"
            "top1                              0.9  0.9\n"
            "MB                               2.00  2.00\n"
            "ms                              1.000  1.000\n"
            "time / float      0.50 (0.45 to 0.55)\n"
            "trials                              3  3\n"
            "candidates                          1  1\n"
            "seconds                           1.5  1.5\n"
            "calibrate_method              Entropy  ...d.LayerWisePercentile\n");
}

TEST(Comparison, OfSearchesWithoutATrialSaysNone) {
  const std::string text = comparison_text({}, {});
  EXPECT_NE(text.find("best trial"), std::string::npos);
  EXPECT_NE(text.find("none  none\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace quantsearch
