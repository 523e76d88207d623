#include "quantsearch/evaluate.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "evaluate/classification.h"
#include "evaluate/comparable_outputs.h"
#include "evaluate/limit_watch.h"
#include "evaluate/run_order.h"
#include "evaluate/sample.h"
#include "evaluate/sample_metrics.h"
#include "evaluate/sample_pair.h"
#include "evaluate/slices.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

std::vector<std::string> names_of_outputs(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueInfo& output : graph.outputs) names.push_back(output.name);
  std::ranges::sort(names);
  return names;
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

void require_equal_outputs(const Model& candidate, const Reference& reference) {
  const std::vector<std::string> got = names_of_outputs(candidate.graph);
  std::vector<std::string> expected = reference.output_names();
  std::ranges::sort(expected);
  if (got == expected) return;
  throw InvalidInput(fmt::format(
      "evaluate: the candidate has the outputs {}, expected those of the float model, {}",
      join(got), join(expected)));
}

/// One weight per output of the reference, in its order; they sum to 1.
std::vector<double> weights_of(const Reference& reference,
                               const std::map<std::string, double>& given) {
  const std::vector<std::string>& names = reference.output_names();
  for (const auto& [name, weight] : given) {
    if (std::ranges::find(names, name) == names.end()) {
      throw InvalidInput("evaluate: output weights: " +
                         unknown_name_message("output", name, names));
    }
    if (!std::isfinite(weight) || weight < 0) {
      throw InvalidInput(fmt::format(
          "evaluate: the weight of output '{}' is {}, expected 0 or more", name, weight));
    }
  }
  std::vector<double> weights;
  double sum = 0;
  for (const std::string& name : names) {
    const auto found = given.find(name);
    weights.push_back(found == given.end() ? 1 : found->second);
    sum += weights.back();
  }
  if (sum == 0)
    throw InvalidInput("evaluate: the weights of all outputs are 0, expected one above 0");
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Holds values per sample. They are written by sample index from any thread and added in sample
/// order.
class Scorer {
 public:
  Scorer(const Reference& reference, const EvaluateOptions& options)
      : reference_(reference),
        metrics_(options.metrics),
        weights_(weights_of(reference, options.output_weights)),
        needs_labels_(any_needs_labels(metrics_)),
        slice_signal_(slice_signal_of(reference, weights_)),
        limits_(reference, options.limits, weights_, slice_signal_) {
    compares_ = std::ranges::any_of(metrics_, is_distance);
    std::ranges::copy_if(metrics_, std::back_inserter(distances_), is_sample_distance);
    const auto samples = static_cast<std::size_t>(reference.data().size());
    if (std::ranges::find(metrics_, Metric::worst_slice) != metrics_.end())
      slice_noise_.resize(samples * slice_signal_.size());
    values_.resize(samples * distances_.size());
    energies_.resize(samples * weights_.size());
    if (needs_labels_) ranks_.resize(samples);
  }

  void add_run(std::int64_t first, std::int64_t count, const Batch& outputs) {
    require_rows(outputs, count, "evaluate");
    if (compares_) add_distances(first, count, outputs);
    if (needs_labels_) add_ranks(first, count, outputs);
  }

  /// The loss of a sample that was added.
  [[nodiscard]] double loss_of(Metric metric, std::int64_t sample) const {
    const MetricInfo& info = metric_info(metric);
    const auto index = static_cast<std::size_t>(sample);
    if (info.needs_labels) return 1 - share_of_hits(metric, std::span(ranks_).subspan(index, 1));
    const auto column =
        static_cast<std::size_t>(std::ranges::find(distances_, metric) - distances_.begin());
    const double value = values_[index * distances_.size() + column];
    return info.direction == Goal::minimize ? value : -value;
  }

  /// False when the samples so far have already missed a limit.
  [[nodiscard]] bool limits_can_hold(std::int64_t first, std::int64_t count) {
    if (limits_.empty()) return true;
    const auto part = [&](const auto& values, std::size_t width) {
      return std::span(values).subspan(static_cast<std::size_t>(first) * width,
                                       static_cast<std::size_t>(count) * width);
    };
    const bool has_slices = !slice_noise_.empty();
    return limits_.can_hold(
        {.distances = distances_,
         .values = part(values_, distances_.size()),
         .energies = part(energies_, weights_.size()),
         .slice_noise = part(slice_noise_, has_slices ? slice_signal_.size() : 0)});
  }

  [[nodiscard]] std::map<std::string, double> scores() const {
    std::map<std::string, double> result;
    for (const Metric metric : metrics_) {
      const MetricInfo& info = metric_info(metric);
      result[info.name] = info.needs_labels               ? share_of_hits(metric, ranks_)
                          : metric == Metric::rel_l2      ? relative_over_samples()
                          : metric == Metric::worst_slice ? worst_slice_over_samples()
                                                          : mean_over_samples(metric);
    }
    return result;
  }

 private:
  void add_distances(std::int64_t first, std::int64_t count, const Batch& outputs) {
    const std::int64_t batch = reference_.batch();
    std::vector<double> one_output(distances_.size());
    for (std::int64_t done = 0; done < count;) {
      // A candidate's run lies inside one run of the reference, but it may be shorter, when the
      // candidate cannot stack samples.
      const std::int64_t run = (first + done) / batch * batch;
      const std::int64_t run_count = std::min(batch, reference_.data().size() - run);
      const std::int64_t end = std::min(first + count, run + run_count);
      const Batch expected = reference_.outputs(run);
      for (std::size_t output = 0; output < weights_.size(); ++output) {
        const std::string& name = reference_.output_names()[output];
        const Tensor reference_values = to_float32(expected.at(name));
        const Tensor candidate_values = to_float32(outputs.at(name));
        for (std::int64_t sample = first + done; sample < end; ++sample) {
          const Sample reference_sample = sample_of(reference_values, sample - run, run_count);
          const Sample candidate_sample = sample_of(candidate_values, sample - first, count);
          const SamplePair pair = pair_of(output, sample, reference_sample, candidate_sample);
          energies_[static_cast<std::size_t>(sample) * weights_.size() + output] =
              measure(name, sample, pair, one_output);
          add(sample, weights_[output], one_output);
          // A sample in which the float model found nothing has no slices.
          if (!reference_sample.values.empty()) add_slices(sample, output, pair);
        }
      }
      done = end - first;
    }
  }

  [[nodiscard]] SamplePair pair_of(std::size_t output, std::int64_t sample, const Sample& reference,
                                   const Sample& candidate) const {
    const bool is_finite = reference_.is_finite(output);
    if (reference.shape == candidate.shape) return {reference, candidate, is_finite};
    if (reference_.sized_by_data())
      return SamplePair::of_other_size(reference, candidate, is_finite);
    throw InvalidInput(fmt::format(
        "evaluate: output '{}' of the candidate has shape {} for sample {}, expected that of "
        "the float model, {}",
        reference_.output_names()[output], to_string(candidate.shape), sample,
        to_string(reference.shape)));
  }

  Energies measure(const std::string& name, std::int64_t sample, const SamplePair& pair,
                   std::vector<double>& values) const {
    const std::optional<Energies> energies =
        measure_sample(pair.reference(), pair.candidate(), distances_, values, pair.count());
    if (!energies) {
      throw InvalidInput(fmt::format(
          "evaluate: output '{}' of the candidate holds NaN or infinity for sample {}, expected "
          "finite values",
          name, sample));
    }
    return *energies;
  }

  void add(std::int64_t sample, double weight, const std::vector<double>& of_output) {
    double* const sums = values_.data() + static_cast<std::size_t>(sample) * distances_.size();
    for (std::size_t i = 0; i < of_output.size(); ++i) sums[i] += weight * of_output[i];
  }

  /// Outputs of weight 0 get no signal here, so they do not count for the worst slice.
  static std::vector<double> slice_signal_of(const Reference& reference,
                                             const std::vector<double>& weights) {
    std::vector<double> signal;
    for (std::size_t output = 0; output < weights.size(); ++output) {
      for (const double energy : reference.slices()[output].energies)
        signal.push_back(weights[output] > 0 ? energy : 0);
    }
    return signal;
  }

  void add_slices(std::int64_t sample, std::size_t output, const SamplePair& pair) {
    if (slice_noise_.empty()) return;
    std::size_t first = static_cast<std::size_t>(sample) * slice_signal_.size();
    for (std::size_t before = 0; before < output; ++before)
      first += reference_.slices()[before].energies.size();
    const OutputSlices& slices = reference_.slices()[output];
    add_slice_noise(slices, pair.reference(), pair.candidate(),
                    std::span(slice_noise_).subspan(first, slices.energies.size()));
  }

  [[nodiscard]] double worst_slice_over_samples() const {
    std::vector<double> noise(slice_signal_.size());
    for (std::size_t i = 0; i < slice_noise_.size(); ++i)
      noise[i % noise.size()] += slice_noise_[i];
    return worst_relative_noise(slice_signal_, noise);
  }

  void add_ranks(std::int64_t first, std::int64_t count, const Batch& outputs) {
    const std::string& name = reference_.logits_output();
    const Tensor logits = to_float32(outputs.at(name));
    for (std::int64_t i = 0; i < count; ++i) {
      const auto sample = static_cast<std::size_t>(first + i);
      ranks_[sample] = rank_in_sample(sample_of(logits, i, count), name,
                                      (*reference_.labels())[sample], first + i);
    }
  }

  [[nodiscard]] double mean_over_samples(Metric metric) const {
    const auto column =
        static_cast<std::size_t>(std::ranges::find(distances_, metric) - distances_.begin());
    double sum = 0;
    for (std::size_t i = column; i < values_.size(); i += distances_.size()) sum += values_[i];
    return sum / static_cast<double>(reference_.data().size());
  }

  /// Adds the energies of an output over the samples before it divides them. A mean of the samples'
  /// ratios would be dominated by the samples with the least signal and unbounded for one without
  /// signal.
  [[nodiscard]] double relative_over_samples() const {
    double result = 0;
    for (std::size_t output = 0; output < weights_.size(); ++output) {
      Energies total;
      for (std::size_t i = output; i < energies_.size(); i += weights_.size()) {
        total.signal += energies_[i].signal;
        total.noise += energies_[i].noise;
      }
      result += weights_[output] * relative_noise(total);
    }
    return result;
  }

  const Reference& reference_;
  std::vector<Metric> metrics_;
  std::vector<Metric> distances_;
  std::vector<double> weights_;
  bool needs_labels_;
  std::vector<double> values_;        // [samples, distances], weighted over outputs
  std::vector<Energies> energies_;    // [samples, outputs]
  bool compares_ = false;             // outputs are compared, not labels alone
  std::vector<double> slice_signal_;  // of all outputs
  // [samples, slices] of all outputs; empty when worst_slice is not requested
  std::vector<double> slice_noise_;
  std::vector<std::int64_t> ranks_;
  LimitWatch limits_;
};

// go_on is called first after this many samples, then each time after half as many more again.
constexpr std::int64_t kFirstLook = 8;

std::int64_t next_look(std::int64_t seen, std::int64_t batch, std::int64_t size, int threads) {
  const std::int64_t more = std::max(kFirstLook, std::max(seen / 2, batch * threads));
  const std::int64_t runs = (more + batch - 1) / batch;
  return std::min(size, seen + runs * batch);
}

/// The runs of a candidate, which a limit or the watcher may end early.
class CandidateRuns {
 public:
  CandidateRuns(const Model& compared, const Reference& reference, ThreadPool& pool,
                const EvaluateOptions& options, Scorer& scorer)
      : predictions_(reference.task() != nullptr ? reference.task()->predictions() : nullptr),
        session_(open_session(
            compared, {.exact_products = options.exact_products, .device = reference.device()})),
        reference_(reference),
        pool_(pool),
        options_(options),
        scorer_(scorer) {}

  /// Returns false when the evaluation ended before the last sample.
  bool all() { return run({.batch = reference_.batch(), .token = options_.token}); }

  /// Runs groups of samples in the shared order. Returns false when the evaluation ended early.
  bool race(std::vector<double>& losses) {
    const RunOrder order(reference_.data().size(), reference_.batch());
    const auto sample_at = [&order](std::int64_t position) { return order.sample_at(position); };
    while (static_cast<std::int64_t>(losses.size()) < order.size()) {
      const auto seen = static_cast<std::int64_t>(losses.size());
      const std::int64_t end = next_look(seen, reference_.batch(), order.size(), pool_.threads());
      if (!run({.batch = reference_.batch(),
                .begin = seen,
                .end = end,
                .sample_at = sample_at,
                .token = options_.token})) {
        return false;
      }
      for (std::int64_t position = seen; position < end; ++position) {
        losses.push_back(scorer_.loss_of(*options_.losses_of, order.sample_at(position)));
      }
      const std::span<const double> news =
          std::span(losses).subspan(static_cast<std::size_t>(seen));
      if (options_.go_on && !options_.go_on(news)) return false;
    }
    return true;
  }

  /// The scores of the task, when all samples have run.
  [[nodiscard]] std::map<std::string, double> task_scores() const {
    if (predictions_ == nullptr) return {};
    return reference_.task()->score(*predictions_, *reference_.predictions());
  }

 private:
  bool run(RunSamplesOptions options) {
    options.fixed_runs = options_.inputs != nullptr;
    const DataSource& data = options_.inputs ? *options_.inputs : reference_.data();
    return run_samples(
        *session_, data, pool_, options,
        [&](std::int64_t sample, std::int64_t count, const Batch& outputs, int /*worker*/) {
          scorer_.add_run(sample, count, outputs);
          if (predictions_ != nullptr) predictions_->add(sample, count, outputs);
          const bool goes_on = !options_.watch || options_.watch(sample, count, outputs);
          return scorer_.limits_can_hold(sample, count) && goes_on;
        });
  }

  std::unique_ptr<Predictions> predictions_;  // null without a task
  std::unique_ptr<const Session> session_;
  const Reference& reference_;
  ThreadPool& pool_;
  const EvaluateOptions& options_;
  Scorer& scorer_;
};

void require_losses(const EvaluateOptions& options) {
  if (!options.losses_of) {
    if (options.go_on) throw InternalError("evaluate: a race needs the losses of a metric");
    return;
  }
  const bool measured =
      std::ranges::find(options.metrics, *options.losses_of) != options.metrics.end();
  if (measured && has_losses(*options.losses_of)) return;
  throw InternalError(
      fmt::format("evaluate: '{}' has no losses by sample", metric_info(*options.losses_of).name));
}

}  // namespace

bool has_losses(Metric metric) { return metric != Metric::rel_l2 && metric != Metric::worst_slice; }

Scores evaluate(const Model& candidate, const Reference& reference, ThreadPool& pool,
                const EvaluateOptions& options) {
  require_labels(options.metrics, reference.labels());
  require_losses(options);
  require_limits(options.metrics, options.limits);
  require_equal_outputs(without_outputs(candidate, reference.skipped_outputs()), reference);
  const Model compared = without_outputs(candidate, reference.unused_outputs());
  Scorer scorer(reference, options);
  Scores scores;
  scores.size_bytes = serialized_bytes(candidate);
  if (!options.metrics.empty() || reference.task() != nullptr) {
    CandidateRuns runs(compared, reference, pool, options, scorer);
    scores.gave_up = !(options.losses_of ? runs.race(scores.losses) : runs.all());
    if (scores.gave_up) return scores;
    scores.metrics = scorer.scores();
    scores.metrics.merge(runs.task_scores());
  }
  if (options.latency) {
    scores.latency = measure_latency(compared, reference.data().read(0, 1),
                                     {.device = reference.device(), .token = options.token});
  }
  return scores;
}

}  // namespace quantsearch
