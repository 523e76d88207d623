#include "precision/trials.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr const char* kChanged = "changed_classes";
constexpr const char* kChangedRare = "changed_rare_classes";
constexpr const char* kNoise = "rel_l2";
constexpr const char* kBytes = "size_bytes";
// The choice must not depend on the processor that makes it.
constexpr bool kExactProducts = true;

}  // namespace

std::shared_ptr<const DataSource> first_samples(const std::shared_ptr<const DataSource>& data,
                                                std::int64_t count) {
  return count >= data->size() ? data : subset(data, 0, count);
}

void require_quantized(const QuantizedModel& model, std::size_t layers) {
  if (std::ranges::any_of(model.layers, &LayerRecord::quantized)) return;
  throw InvalidInput(fmt::format(
      "precision: the limits leave each of the {} layers float, expected at least one in integers; "
      "give looser limits",
      layers));
}

void Trials::judge_on(std::shared_ptr<const DataSource> data) {
  known_.clear();
  reference_ = std::make_unique<Reference>(model_, std::move(data), std::nullopt, context_.pool,
                                           context_.budget,
                                           Reference::Options{.batch = 0,
                                                              .spill_folder = context_.spill_folder,
                                                              .logits_output = {},
                                                              .token = context_.token,
                                                              .log = {}});
  classes_.reset();
  if (options_.changed_classes || options_.changed_rare_classes)
    classes_.emplace(*reference_, output_name());
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
  return quantize(model_, calibration_, options, context_.pool);
}

QuantizedModel Trials::judged_model(const Assignment& assignment) const {
  if (!options_.weights_reconstructed) return model_of(assignment);
  QuantizeOptions options = quantization_;
  options.node_formats = formats_of(assignment);
  for (const Layer& layer : layers_) {
    for (const Member& member : layer.members) {
      if (!member.has_weight) continue;
      NodeFormat& format = options.node_formats[member.label];
      if (!format.keep_float) format.weight = DataType::int16;
    }
  }
  return quantize(model_, calibration_, options, context_.pool);
}

/// Replaces each format by the first one that gives the same evaluated model, because formats that
/// differ only in the type of reconstructed weights need no second run.
Assignment Trials::judged(Assignment assignment) const {
  if (!options_.weights_reconstructed || options_.max_bytes) return assignment;
  const auto format_of = [&](int index) {
    NodeFormat format =
        index == 0 ? options_.low : options_.high[static_cast<std::size_t>(index) - 1];
    format.activation = format.activation.value_or(quantization_.activation_type);
    format.weight.reset();
    return format;
  };
  for (int& format : assignment) {
    for (int other = 0; other < format; ++other) {
      if (format_of(other) == format_of(format)) format = other;
    }
  }
  return assignment;
}

FormatOutcome Trials::outcome_of(const Model& finished) const {
  FormatOutcome outcome = score(finished, Effort::all_samples);
  judge(outcome);
  return outcome;
}

FormatOutcome Trials::outcome_of(const Assignment& assignment, Effort effort,
                                 const KeptPrefix* prefix) const {
  context_.token.throw_if_cancelled();
  FormatOutcome outcome = score(judged_model(assignment).model, effort, prefix);
  if (options_.weights_reconstructed && options_.max_bytes)
    outcome.scores[kBytes] = static_cast<double>(serialized_bytes(model_of(assignment).model));
  if (outcome.meets) judge(outcome);
  return outcome;
}

const FormatOutcome* Trials::known(const Assignment& assignment) const {
  const auto found = known_.find(judged(assignment));
  return found == known_.end() ? nullptr : &found->second;
}

const FormatOutcome& Trials::run(const Assignment& assignment) {
  const Assignment key = judged(assignment);
  const auto found = known_.find(key);
  if (found != known_.end() && found->second.scores.contains(kNoise)) return found->second;
  ++evaluations_;
  return known_[key] = outcome_of(assignment, Effort::all_samples);
}

bool Trials::meets(const Assignment& assignment) {
  const Assignment key = judged(assignment);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second.meets;
  ++evaluations_;
  return (known_[key] = outcome_of(assignment, Effort::until_missed)).meets;
}

void Trials::run_all(const Assignment& base, const std::vector<Assignment>& assignments) {
  std::map<Assignment, Assignment> unknown;  // by judged() assignment
  for (const Assignment& assignment : assignments) {
    if (known(assignment) == nullptr) unknown.emplace(judged(assignment), assignment);
  }
  if (unknown.empty()) return;
  const std::vector<std::pair<Assignment, Assignment>> runs(unknown.begin(), unknown.end());
  std::vector<FormatOutcome> outcomes(runs.size());
  const KeptPrefix prefix(
      judged_model(base).model, *reference_,
      {.op_types = options_.op_types, .exact_products = kExactProducts, .limit_bytes = 0},
      context_);
  // Opening a model uses one thread, so opening several in parallel takes less time.
  context_.pool.parallel_for(
      static_cast<std::int64_t>(runs.size()),
      [&](std::int64_t at, int) {
        const auto index = static_cast<std::size_t>(at);
        outcomes[index] = outcome_of(runs[index].second, Effort::all_samples, &prefix);
      },
      context_.token);
  for (std::size_t at = 0; at < runs.size(); ++at) known_[runs[at].first] = outcomes[at];
  evaluations_ += static_cast<int>(runs.size());
}

std::optional<std::string> Trials::output_name() const {
  if (!options_.output) return std::nullopt;
  return model_.graph.outputs[static_cast<std::size_t>(*options_.output)].name;
}

EvaluateOptions Trials::evaluation(Effort effort) const {
  std::set<Metric> metrics = {Metric::rel_l2};
  for (const auto& [metric, threshold] : options_.thresholds) metrics.insert(metric);
  EvaluateOptions options{.metrics = {metrics.begin(), metrics.end()},
                          .exact_products = kExactProducts,
                          .token = context_.token};
  if (effort == Effort::until_missed) options.limits = options_.thresholds;
  const std::optional<std::string> output = output_name();
  if (output) {
    for (const std::string& name : reference_->output_names()) {
      options.output_weights[name] = name == *output ? 1 : 0;
    }
  }
  return options;
}

bool Trials::classes_can_hold(const ClassCounter& counter) const {
  const ChangedClasses so_far = counter.result();
  return !(options_.changed_classes && so_far.share > *options_.changed_classes) &&
         !(options_.changed_rare_classes && so_far.rare_share > *options_.changed_rare_classes);
}

FormatOutcome Trials::score(const Model& candidate, Effort effort, const KeptPrefix* prefix) const {
  EvaluateOptions options = evaluation(effort);
  const std::optional<ModelPart> part =
      prefix == nullptr ? std::nullopt : prefix->part_of(candidate);
  if (part) options.inputs = part->inputs;
  std::optional<ClassCounter> counter;
  if (classes_) {
    counter.emplace(*classes_);
    options.watch = [&](std::int64_t first, std::int64_t count, const Batch& outputs) {
      counter->add(first, count, outputs);
      return effort == Effort::all_samples || classes_can_hold(*counter);
    };
  }
  const Scores scores =
      evaluate(part ? part->model : candidate, *reference_, context_.pool, options);
  FormatOutcome outcome{.scores = scores.metrics, .meets = !scores.gave_up, .shortfall = ""};
  outcome.scores[kBytes] =
      static_cast<double>(part ? serialized_bytes(candidate) : scores.size_bytes);
  if (scores.gave_up || !counter) return outcome;
  outcome.scores[kChanged] = counter->result().share;
  outcome.scores[kChangedRare] = counter->result().rare_share;
  return outcome;
}

void Trials::judge(FormatOutcome& outcome) const {
  const auto require = [&](const std::string& name, double limit, Goal direction) {
    const double value = outcome.scores.at(name);
    if (!is_better(limit, value, direction)) return;
    outcome.meets = false;
    if (!outcome.shortfall.empty()) outcome.shortfall += "; ";
    outcome.shortfall += fmt::format("{} is {:.6g}, expected at {} {:.6g}", name, value,
                                     direction == Goal::minimize ? "most" : "least", limit);
  };
  for (const auto& [metric, threshold] : options_.thresholds) {
    require(metric_info(metric).name, threshold, metric_info(metric).direction);
  }
  if (options_.changed_classes) require(kChanged, *options_.changed_classes, Goal::minimize);
  if (options_.changed_rare_classes)
    require(kChangedRare, *options_.changed_rare_classes, Goal::minimize);
}

std::vector<bool> free_layers(const std::vector<Layer>& layers) {
  std::vector<bool> is_free;
  for (const Layer& layer : layers) is_free.push_back(layer.is_free);
  return is_free;
}

std::vector<double> added_noise(Trials& trials, const std::vector<bool>& of_layers,
                                const PrecisionOptions& options, int format) {
  const Assignment precise(of_layers.size(), static_cast<int>(options.high.size()));
  const auto one_less = [&](std::size_t layer) {
    Assignment assignment = precise;
    assignment[layer] = format;
    return assignment;
  };
  std::vector<Assignment> assignments = {precise};
  for (std::size_t layer = 0; layer < of_layers.size(); ++layer) {
    if (of_layers[layer]) assignments.push_back(one_less(layer));
  }
  trials.run_all(precise, assignments);
  const double floor = trials.run(precise).noise();
  std::vector<double> added(of_layers.size(), 0.0);
  for (std::size_t layer = 0; layer < of_layers.size(); ++layer) {
    if (of_layers[layer]) added[layer] = std::max(0.0, trials.run(one_less(layer)).noise() - floor);
  }
  return added;
}

}  // namespace quantsearch
