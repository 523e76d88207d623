// Whole searches by the escalation, on the shipped models with their real images.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "autosearch/search_setting.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::best_of;
using testing::kSource;
using Setting = testing::SearchSetting;

const std::filesystem::path kHardModel = kSource / "tests/data/mobilenet_hard.onnx";
const std::string kEscalation = "search_algo: escalation\nsearch_metric: auto\n";

std::set<std::string> float_nodes(const Trial& trial) {
  std::set<std::string> nodes;
  const auto found = trial.point.find("nodes_to_exclude");
  if (found == trial.point.end()) return nodes;
  for (const Value& node : found->second.as_list()) nodes.insert(node.as_string());
  return nodes;
}

TEST(EscalationSearch, FindsACandidateWhereCalibrationsDoNotSuffice) {
  const TemporaryFolder folder;
  Setting setting(kEscalation +
                      "search_goal: smallest\nsearch_latency: false\n"
                      "search_stop_condition: {iteration_limit: 24}\n",
                  kHardModel, 200);
  const SearchResult result = setting.run(folder.path());
  EXPECT_TRUE(result.met_tolerance);
  EXPECT_EQ(result.document.objective, "top1");
  EXPECT_FALSE(result.study.trials[0].is_candidate);
}

/// A trial that cannot come within the tolerance is given up, which changes neither the winner nor
/// what is tried.
TEST(EscalationSearch, GivesUpOnlyWhatCannotBecomeACandidate) {
  const std::string goal =
      "search_goal: smallest\nsearch_latency: false\n"
      "search_stop_condition: {iteration_limit: 30}\n";
  const TemporaryFolder raced;
  const SearchResult fast = Setting(kEscalation + goal, kHardModel, 200).run(raced.path());
  const TemporaryFolder whole;
  const SearchResult slow =
      Setting(kEscalation + goal + "search_racing: false\n", kHardModel, 200).run(whole.path());
  EXPECT_EQ(fast.best, slow.best);
  ASSERT_EQ(fast.study.trials.size(), slow.study.trials.size());
  int given_up = 0;
  for (std::size_t number = 0; number < fast.study.trials.size(); ++number) {
    const Trial& one = fast.study.trials[number];
    const Trial& other = slow.study.trials[number];
    EXPECT_EQ(one.point, other.point) << number;
    EXPECT_EQ(one.is_candidate, other.is_candidate) << number;
    if (one.state != TrialState::pruned) continue;
    ++given_up;
    EXPECT_TRUE(
        one.reason.starts_with("given up: whatever the samples that were left out give, "
                               "it can no longer have top1 at least "))
        << one.reason;
    EXPECT_FALSE(other.is_candidate) << number;
  }
  EXPECT_GT(given_up, 0);
}

TEST(EscalationSearch, SearchesThePlacementsOfItsStudyInEveryRun) {
  const TemporaryFolder folder;
  const std::string config = kEscalation + "search_goal: fastest\n";
  Setting first(config + "search_stop_condition: {iteration_limit: 3, time_limit: 8}\n");
  const SearchResult begun = first.run(folder.path());
  ASSERT_FALSE(begun.document.placement.is_null());
  Setting second(config + "search_stop_condition: {iteration_limit: 9}\nn_jobs: 2\n");
  second.adjust = [](SearchEnvironment& environment) { environment.resume = true; };
  const SearchResult resumed = second.run(folder.path());
  EXPECT_EQ(resumed.document.placement, begun.document.placement);
  EXPECT_EQ(resumed.study.trials.size(), 9U);
  std::set<std::set<std::string>> placements;
  for (const Value& choice : begun.document.placement.find("choices")->as_list()) {
    std::set<std::string> nodes;
    for (const Value& node : choice.as_list()) nodes.insert(node.as_string());
    placements.insert(nodes);
  }
  for (const Trial& trial : resumed.study.trials)
    EXPECT_TRUE(placements.contains(float_nodes(trial))) << trial.number;
  // The first calibrations are at the fastest placement.
  EXPECT_EQ(float_nodes(resumed.study.trials[0]), float_nodes(resumed.study.trials[2]));
  // A trial that differs from the base in its placement alone stands for it.
  EXPECT_TRUE(resumed.document.base_trial.has_value());
}

TEST(EscalationSearch, ReadsAndExtendsTheTimesOfThisMachine) {
  const TemporaryFolder folder;
  const auto cache = folder.path() / "times.json";
  const std::string config = kEscalation +
                             "search_goal: fastest\nsearch_placement_cache: " + cache.string() +
                             "\nsearch_stop_condition: {iteration_limit: 1, time_limit: 8}\n";
  (void)Setting(config).run(folder.path() / "first");
  const Value times = load_config_file(cache);
  ASSERT_EQ(times.as_map().size(), 1);
  const std::size_t patterns = times.as_map()[0].second.as_map().size();
  EXPECT_GT(patterns, 3U);
  (void)Setting(config, kHardModel).run(folder.path() / "second");
  EXPECT_GT(load_config_file(cache).as_map()[0].second.as_map().size(), patterns);
  EXPECT_EQ(load_config_file(cache).as_map().size(), 1);
}

}  // namespace
}  // namespace quantsearch
