#include "precision/trials.h"

#include <fmt/core.h>

#include <set>

#include "precision/changed_classes.h"

namespace quantsearch {

namespace {

constexpr const char* kChanged = "changed_classes";
constexpr const char* kChangedRare = "changed_rare_classes";
constexpr const char* kBytes = "size_bytes";

}  // namespace

void Trials::judge_on(std::shared_ptr<const DataSource> data) {
  known_.clear();
  reference_ = std::make_unique<Reference>(model_, std::move(data), std::nullopt, context_.pool,
                                           context_.budget,
                                           Reference::Options{.batch = 0,
                                                              .spill_folder = context_.spill_folder,
                                                              .logits_output = {},
                                                              .token = context_.token,
                                                              .log = {}});
}

std::map<std::string, NodeFormat> Trials::formats_of(const Assignment& assignment) const {
  std::map<std::string, NodeFormat> formats = quantization_.node_formats;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    if (!layers_[layer].is_free) continue;
    const int format = assignment[layer];
    set_format(formats, layers_[layer],
               format == 0 ? options_.low : options_.high[static_cast<std::size_t>(format) - 1]);
  }
  return formats;
}

QuantizedModel Trials::model_of(const Assignment& assignment) const {
  QuantizeOptions options = quantization_;
  options.node_formats = formats_of(assignment);
  return quantize(model_, ranges_, options, context_.pool);
}

const FormatOutcome& Trials::run(const Assignment& assignment) {
  const auto found = known_.find(assignment);
  if (found != known_.end()) return found->second;
  context_.token.throw_if_cancelled();
  ++evaluations_;
  FormatOutcome outcome = score(model_of(assignment).model);
  judge(outcome);
  return known_.emplace(assignment, std::move(outcome)).first->second;
}

std::optional<std::string> Trials::output_name() const {
  if (!options_.output) return std::nullopt;
  return model_.graph.outputs[static_cast<std::size_t>(*options_.output)].name;
}

FormatOutcome Trials::score(const Model& candidate) const {
  std::set<Metric> metrics = {Metric::rel_l2};
  for (const auto& [metric, threshold] : options_.thresholds) metrics.insert(metric);
  EvaluateOptions options{
      .metrics = {metrics.begin(), metrics.end()}, .output_weights = {}, .token = context_.token};
  const std::optional<std::string> output = output_name();
  if (output) {
    for (const std::string& name : reference_->output_names()) {
      options.output_weights[name] = name == *output ? 1 : 0;
    }
  }
  const Scores scores = evaluate(candidate, *reference_, context_.pool, options);
  FormatOutcome outcome{.scores = scores.metrics, .meets = true, .shortfall = ""};
  outcome.scores[kBytes] = static_cast<double>(scores.size_bytes);
  if (options_.changed_classes || options_.changed_rare_classes) {
    const ChangedClasses changed =
        changed_classes(candidate, *reference_, output, context_.pool, context_.token);
    outcome.scores[kChanged] = changed.share;
    outcome.scores[kChangedRare] = changed.rare_share;
  }
  return outcome;
}

void Trials::judge(FormatOutcome& outcome) const {
  const auto require = [&](const std::string& name, double limit, Direction direction) {
    const double value = outcome.scores.at(name);
    if (!is_better(limit, value, direction)) return;
    outcome.meets = false;
    if (!outcome.shortfall.empty()) outcome.shortfall += "; ";
    outcome.shortfall += fmt::format("{} is {:.6g}, expected at {} {:.6g}", name, value,
                                     direction == Direction::minimize ? "most" : "least", limit);
  };
  for (const auto& [metric, threshold] : options_.thresholds) {
    require(metric_info(metric).name, threshold, metric_info(metric).direction);
  }
  if (options_.changed_classes) require(kChanged, *options_.changed_classes, Direction::minimize);
  if (options_.changed_rare_classes)
    require(kChangedRare, *options_.changed_rare_classes, Direction::minimize);
}

}  // namespace quantsearch
