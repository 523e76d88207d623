#include "report/next_steps.h"

#include <gtest/gtest.h>

#include "report/example.h"

namespace quantsearch {
namespace {

using testing::example_results;

const std::string kTryIt =
    "Run best.onnx on data of your own that the search has not seen, on the machine that will use "
    "it (quantsearch evaluate).";

TEST(NextSteps, ACandidateIsToBeTriedAndAStoppedSearchToGoOn) {
  EXPECT_EQ(next_steps(example_results()),
            (std::vector<std::string>{kTryIt,
                                      "3 of 6 configurations were tried: the same search with "
                                      "--resume and a higher limit goes on."}));
}

TEST(NextSteps, WithoutACandidateSomethingUntriedIsNamed) {
  ResultsDocument document = example_results();
  document.stop_reason = "space_exhausted";
  document.candidates.clear();
  document.trials[1].is_candidate = false;
  document.trials[0].config["include_cle"] = true;
  EXPECT_EQ(next_steps(document),
            (std::vector<std::string>{
                "No trial is within the tolerance (L2 at most 0.3). Trial 1 is the closest; let "
                "the search reconstruct the layers (include_fast_ft), or accept more loss with "
                "--tolerance."}));
}

TEST(NextSteps, OfASearchWhoseTrialsAllFailedIsTheReason) {
  ResultsDocument document = example_results();
  document.trials.erase(document.trials.begin(), document.trials.begin() + 2);
  document.best.reset();
  document.stop_reason = "space_exhausted";
  document.trials[0].reason = "too hot";
  EXPECT_EQ(next_steps(document),
            std::vector<std::string>{"No trial is complete: the first says 'too hot'."});
}

TEST(NextSteps, AModelThatIsNotFasterIsSaidToBe) {
  ResultsDocument document = example_results();
  document.stop_reason = "space_exhausted";
  document.trials[1].model.latency_ratio->high = 1.1;
  document.trials[1].model.conversions = 7;
  EXPECT_EQ(next_steps(document),
            (std::vector<std::string>{
                kTryIt,
                "The model is not faster than float on this machine: its integer kernels and its 7 "
                "conversions between float and integers take longer than the float kernels. If "
                "size does not matter, keep the float model here."}));
  document.for_npu = true;
  EXPECT_EQ(next_steps(document).back(),
            "The model is for an NPU: measure its speed there, this machine cannot tell it.");
}

TEST(NextSteps, ANoisySliceIsNamedWithBothNumbers) {
  ResultsDocument document = example_results();
  document.stop_reason = "space_exhausted";
  document.trials[1].model.scores["rel_l2"] = 0.01;
  document.trials[1].model.scores["worst_slice"] = 0.05;
  EXPECT_EQ(next_steps(document).back(),
            "One slice of an output has 5 times the noise of the whole (0.05 against 0.01): check "
            "what it means for you, or leave the last layers float (nodes_to_exclude).");
  document.trials[1].model.scores["worst_slice"] = 0.02;
  EXPECT_EQ(next_steps(document), std::vector<std::string>{kTryIt});
}

TEST(NextSteps, ASearchThatRunsIsSaidToRun) {
  ResultsDocument document = example_results();
  document.stop_reason = kRunning;
  EXPECT_EQ(next_steps(document),
            std::vector<std::string>{
                "The search is running, and this is what it has found so far; quantsearch report "
                "--serve follows it."});
}

TEST(NextSteps, ArithmeticThatDiffersIsAWarning) {
  ResultsDocument document = example_results();
  document.stop_reason = "space_exhausted";
  document.trials[1].arithmetic = ArithmeticScores{.graph = {}, .processor = {}, .differ = true};
  EXPECT_EQ(next_steps(document).back(),
            "The integer kernels of this processor saturate, so the model gives other results "
            "elsewhere: search with --target cpu, or set reduce_range.");
}

}  // namespace
}  // namespace quantsearch
