#pragma once

// Scores of a candidate against the float model on ONNX Runtime. Knows two models, not how they
// were made.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/goal.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

enum class Metric { l1, l2, rel_l2, worst_slice, cos, psnr, ssim, sqnr, kl, top1, top5 };
struct MetricInfo {
  Metric metric;
  std::string name;  // as in configuration files and results: "L1", "L2", "rel_l2", "cos", …
  Goal direction;
  bool needs_labels;
  double best;          // value of a candidate equal to the float model (where that is fixed)
  std::string meaning;  // definition, unit, rule for undefined values
};
[[nodiscard]] std::span<const MetricInfo> all_metrics();
[[nodiscard]] const MetricInfo& metric_info(Metric metric);
/// Ignores case. Throws InvalidInput naming the nearest known metrics.
[[nodiscard]] Metric parse_metric(const std::string& name);

/// One metric of one output pair of equal shape (float32). The definitions the fast path is tested
/// against. `kl` is over the last axis. Not for top-k. Throws InvalidInput on unequal shapes and
/// values that are not finite.
[[nodiscard]] double compare(Metric metric, const Tensor& reference, const Tensor& candidate);
/// Share of rows whose label is among the k largest logits (ties: the lower index wins).
[[nodiscard]] double top_k(const Tensor& logits, std::span<const std::int64_t> labels, int k);

struct Latency {
  double median_ms = 0;
  double p10_ms = 0;
  double p90_ms = 0;
  int threads = 1;
  int runs = 0;
  std::int64_t batch = 1;
};

struct Scores {
  std::map<std::string, double> metrics;  // by MetricInfo::name; custom evaluators under "custom"
  std::int64_t size_bytes = 0;            // of the serialized model
  std::optional<Latency> latency;
  // Of EvaluateOptions::losses_of, in the order in which candidates race.
  std::vector<double> losses = {};
  // go_on, a limit or the watcher ended it: no metrics, no latency, losses of some samples only.
  bool gave_up = false;
};

/// What worst_slice compares of one output: indices of alike scale along the axis where the float
/// output's scales differ most, together one slice each.
struct OutputSlices {
  std::optional<int> axis;         // absent: all values are alike, the whole output is one slice
  std::vector<int> slice_of = {};  // by index along the axis; -1: too little energy to count
  std::vector<double> energies;    // of the float output, by slice, the largest scale first
};

/// The float model's outputs over a data set: computed once, kept inside the budget, spilled to a
/// folder beyond it.
class Reference {
 public:
  struct Options {
    // Samples per run, the same for candidates; 0: chosen by model and data.
    std::int64_t batch = 1;
    // Empty: the system's temporary one; used only when needed.
    std::filesystem::path spill_folder = {};
    std::string logits_output = {};  // output [n, classes] for top-k; empty: the first
    CancellationToken token = {};
    LogSink log = {};
  };
  /// Throws InvalidInput when labels do not fit, the spill folder is neither empty nor ours, an
  /// output of the float model has no finite value. Outputs that no quantizer can change, that hold
  /// no numbers or whose size depends on computed values are left out (compared_outputs), with a
  /// note in the log. Keeps at most half of what is free of the budget.
  Reference(const Model& float_model, std::shared_ptr<const DataSource> data,
            std::optional<Labels> labels, ThreadPool& pool, const ByteBudget& budget,
            const Options& options);
  ~Reference();
  Reference(Reference&&) noexcept;
  Reference& operator=(Reference&&) noexcept;

  [[nodiscard]] const DataSource& data() const;
  [[nodiscard]] const std::optional<Labels>& labels() const;
  [[nodiscard]] std::int64_t batch() const;
  /// The outputs that are compared, in the model's order, and those that are not.
  [[nodiscard]] const std::vector<std::string>& output_names() const;
  [[nodiscard]] const std::vector<std::string>& skipped_outputs() const;
  /// True when a candidate's outputs may have other shapes than these: there is no output to
  /// compare but such.
  [[nodiscard]] bool sized_by_data() const;
  /// Whether the output, by its place in output_names(), has only finite values.
  [[nodiscard]] bool is_finite(std::size_t output) const;
  [[nodiscard]] const std::string& logits_output() const;
  /// Outputs of the run that begins at `first_sample` (a multiple of batch()).
  [[nodiscard]] Batch outputs(std::int64_t first_sample) const;
  /// Of each output, in the order of output_names(); found from the float model's outputs alone.
  [[nodiscard]] const std::vector<OutputSlices>& slices() const;
  /// Bytes kept in memory and on disk.
  [[nodiscard]] std::int64_t kept_bytes() const;
  [[nodiscard]] std::int64_t spilled_bytes() const;
  /// The float model's own scores: top-k from the labels, the best value of each distance metric.
  [[nodiscard]] Scores float_scores(std::span<const Metric> metrics) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Sees the outputs of each run after they were measured, concurrently and in any order; false ends
/// the evaluation.
using OutputWatcher =
    std::function<bool(std::int64_t first_sample, std::int64_t count, const Batch& outputs)>;

struct EvaluateOptions {
  std::vector<Metric> metrics = {Metric::l2};
  /// Worst values of distances among `metrics`. The evaluation ends when one is sure to be missed,
  /// even if the rest of the samples were perfect: whether it ends does not depend on threads, only
  /// when.
  std::map<Metric, double> limits = {};
  OutputWatcher watch = {};
  std::map<std::string, double> output_weights = {};  // absent outputs weigh 1
  bool latency = false;                               // measured alone, after the scores
  /// Of each sample the value of this metric, negated when more is better: a metric that is a mean
  /// over samples, so not rel_l2 or worst_slice; for top-k 0 is a hit and 1 a miss. It must be
  /// among `metrics`.
  std::optional<Metric> losses_of = {};
  /// Called with the losses of the next samples, now and then; false gives the candidate up. The
  /// order of samples is the same for all candidates of a reference.
  std::function<bool(std::span<const double> losses)> go_on = {};
  /// Scores of the arithmetic that the graph stands for, also on a processor whose integer kernels
  /// saturate. False: of what this machine computes.
  bool exact_products = false;
  CancellationToken token = {};
};

/// True for metrics that are means over samples of a value that each sample has.
[[nodiscard]] bool has_losses(Metric metric);

/// Runs the candidate over the reference's data. The same value for any thread count: per-sample
/// values are added in sample order. Distances are averaged over outputs (weighted) and samples.
/// Values count where the reference is finite. Throws InvalidInput when the models' outputs differ
/// in name or, unless they are sized by the data, in shape, or when the candidate's are not finite
/// there.
[[nodiscard]] Scores evaluate(const Model& candidate, const Reference& reference, ThreadPool& pool,
                              const EvaluateOptions& options);

struct LatencyOptions {
  int threads = 1;
  int warmup_runs = 3;
  int minimum_runs = 20;
  // Measured at least this long and minimum_runs often; after 10 times as long 3 runs will do.
  double seconds = 0.3;
  CancellationToken token = {};
};
/// Median time of one run on the given input, warm.
[[nodiscard]] Latency measure_latency(const Model& model, const Batch& input,
                                      const LatencyOptions& options = {});

/// A user's own score of a written model.
struct CommandEvaluator {
  std::vector<std::string> command = {};  // "{model}" is replaced by the file
  Goal direction = Goal::maximize;
  double timeout_seconds = 600;
};
/// Last line of stdout as a number. Throws IoError naming the command with its exit code, its last
/// stderr line, what it printed instead of a number, or the timeout (the process group is killed).
/// Cancelled when `token` is.
[[nodiscard]] double run_command_evaluator(const CommandEvaluator& evaluator,
                                           const std::filesystem::path& model,
                                           const CancellationToken& token);

}  // namespace quantsearch
