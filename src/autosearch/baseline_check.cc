#include "autosearch/baseline_check.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "quantsearch/evaluate/own_noise.h"

namespace quantsearch {

namespace {

/// Labels of other samples, or of classes in another order, are right about as often as a constant
/// answer; the best one for these samples is seldom reached by chance.
std::optional<std::string> about_labels(const Setup& setup, const Baseline& baseline) {
  const std::optional<double> limit = baseline.acceptance.accuracy_limit();
  if (!limit) return std::nullopt;
  constexpr std::size_t kOfTop5 = 5;
  const bool is_top5 = setup.config.goals.metric == Metric::top5;
  const Labels& labels = setup.data.labels.value();
  const ConstantAnswer constant = best_constant_answer(labels, is_top5 ? kOfTop5 : 1);
  const std::string& name = metric_info(setup.config.goals.metric).name;
  const double accuracy = baseline.scores.metrics.at(name);
  if (accuracy > constant.share) return std::nullopt;
  return fmt::format(
      "the float model has {} {:.4g} on the {} samples, no more than the answer {} to all of them "
      "({:.4g}), and a candidate needs {:.4g}; the labels seem to belong to other samples or to "
      "count the classes otherwise",
      name, accuracy, labels.size(), fmt::join(constant.labels, ", "), constant.share, *limit);
}

/// A truth of other samples, or a decoder that does not fit, leaves nearly nothing of a score whose
/// best value is 1.
std::optional<std::string> about_truth(const Setup& setup, const Baseline& baseline) {
  constexpr double kNearlyNothing = 0.05;
  if (setup.task == nullptr || !setup.task->has_truth()) return std::nullopt;
  const auto score = baseline.scores.metrics.find(setup.objective.name);
  if (score == baseline.scores.metrics.end() || score->second >= kNearlyNothing)
    return std::nullopt;
  return fmt::format(
      "the float model has {} {:.3g} against {}, which leaves nothing to lose; the truth seems to "
      "belong to other samples, or the keys of the evaluator not to fit the model",
      score->first, score->second, setup.task->truth());
}

std::optional<std::string> about_own_noise(const Setup& setup, const Baseline& baseline) {
  const std::map<Metric, double> limits = baseline.acceptance.distance_limits();
  const auto limit = limits.find(Metric::rel_l2);
  if (limit == limits.end()) return std::nullopt;
  const std::optional<OwnNoise> noise =
      own_noise(setup.input.model, *setup.data.evaluation, baseline.reference.device(),
                setup.environment.token);
  if (!noise || noise->rel_l2 <= limit->second) return std::nullopt;
  return fmt::format(
      "the float model draws random numbers ('{}'), and a second run of it has rel_l2 {:.3g} "
      "against the first, where a candidate may have {:.3g}; export it without them",
      noise->nodes.front(), noise->rel_l2, limit->second);
}

std::optional<std::string> about_time(const Setup& setup, const Baseline& baseline) {
  if (!has_used_up_time(setup, baseline)) return std::nullopt;
  return fmt::format(
      "measuring the float model took {:.2f} s, and the time limit is {:.6g} s: one trial runs, so "
      "that there is a model; give a longer limit",
      baseline.seconds, *setup.config.strategy.stop.time_limit_seconds);
}

}  // namespace

ConstantAnswer best_constant_answer(const Labels& labels, std::size_t count) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t label : labels) ++counts[label];
  std::vector<std::pair<std::int64_t, std::int64_t>> frequent(counts.begin(), counts.end());
  std::ranges::stable_sort(frequent, std::ranges::greater(),
                           &std::pair<std::int64_t, std::int64_t>::second);
  frequent.resize(std::min(frequent.size(), count));
  ConstantAnswer answer;
  std::int64_t right = 0;
  for (const auto& [label, times] : frequent) {
    answer.labels.push_back(label);
    right += times;
  }
  answer.share = static_cast<double>(right) / static_cast<double>(labels.size());
  return answer;
}

std::vector<std::string> baseline_warnings(const Setup& setup, const Baseline& baseline) {
  std::vector<std::string> warnings;
  for (const auto about : {about_labels, about_truth, about_own_noise, about_time}) {
    if (std::optional<std::string> warning = about(setup, baseline))
      warnings.push_back(*std::move(warning));
  }
  return warnings;
}

}  // namespace quantsearch
