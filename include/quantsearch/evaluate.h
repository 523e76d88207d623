#pragma once

// Scores a quantized model (the candidate) against the float model on ONNX Runtime. How the models
// were made does not matter here.

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
#include "quantsearch/evaluate/task.h"
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
/// Parses a metric's name, ignoring case. Throws InvalidInput naming the nearest known metrics.
[[nodiscard]] Metric parse_metric(const std::string& name);

/// One metric of one pair of outputs of equal shape, converted to float32: the definition that the
/// fast path is tested against. `kl` is over the last axis. Throws InvalidInput for top-k, for
/// unequal shapes and for values that are not finite.
[[nodiscard]] double compare(Metric metric, const Tensor& reference, const Tensor& candidate);
/// Share of rows of `logits` ([rows, classes]) whose label is among the k largest logits; of equal
/// logits the one with the lower index counts as larger. Throws InvalidInput when labels or k do
/// not fit.
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
  // By MetricInfo::name; the scores of tasks and evaluators by their names, the one number of an
  // evaluator under "custom".
  std::map<std::string, double> metrics;
  std::int64_t size_bytes = 0;  // of the serialized model
  std::optional<Latency> latency;
  // Values of EvaluateOptions::losses_of, in the order in which candidates race.
  std::vector<double> losses = {};
  // True when go_on, a limit or the watcher ended the evaluation: there are no metrics and no
  // latency, and losses of some samples only.
  bool gave_up = false;
};

/// The slices of one output that worst_slice compares. They lie along the axis on which the float
/// output's scales differ most; indices of similar scale form one slice.
struct OutputSlices {
  std::optional<int> axis;         // absent: all scales are similar, the whole output is one slice
  std::vector<int> slice_of = {};  // by index along the axis; -1: too little energy to count
  std::vector<double> energies;    // of the float output, by slice, the largest scale first
};

/// The float model's outputs over a data set, which are computed once. They are kept in memory
/// within the budget, and the rest is spilled to a folder.
class Reference {
 public:
  struct Options {
    // Samples per run, also for candidates; 0: chosen from model and data.
    std::int64_t batch = 1;
    // Used only when outputs are spilled; empty: the system's folder for temporary files.
    std::filesystem::path spill_folder = {};
    std::string logits_output = {};  // [n, classes], for top-k; empty: the first that can be
    CancellationToken token = {};
    LogSink log = {};
    Device device = {};  // where the float model and the candidates run
    // Scored besides the metrics, for the float model and for each candidate.
    std::shared_ptr<const Task> task = nullptr;
  };
  /// Runs the float model. Outputs that no quantizer can change, that are not numeric or whose size
  /// depends on computed values are left out (compared_outputs), with a note in the log. Keeps at
  /// most half of the free budget in memory. Throws InvalidInput when the labels do not fit, the
  /// spill folder is neither empty nor written by quantsearch, or an output of the float model has
  /// no finite value.
  Reference(const Model& float_model, std::shared_ptr<const DataSource> data,
            std::optional<Labels> labels, ThreadPool& pool, const ByteBudget& budget,
            const Options& options);
  ~Reference();
  Reference(Reference&&) noexcept;
  Reference& operator=(Reference&&) noexcept;

  [[nodiscard]] const DataSource& data() const;
  [[nodiscard]] const std::optional<Labels>& labels() const;
  [[nodiscard]] std::int64_t batch() const;
  [[nodiscard]] const Device& device() const;
  /// The outputs that are compared and those that are not, in the model's order.
  [[nodiscard]] const std::vector<std::string>& output_names() const;
  [[nodiscard]] const std::vector<std::string>& skipped_outputs() const;
  /// True when a candidate's outputs may have other shapes than these. This is the case only when
  /// the sizes of all outputs depend on the data.
  [[nodiscard]] bool sized_by_data() const;
  /// True when the output at this position of output_names() has only finite values.
  [[nodiscard]] bool is_finite(std::size_t output) const;
  [[nodiscard]] const std::string& logits_output() const;
  /// Outputs of the run that begins at `first_sample` (a multiple of batch()).
  [[nodiscard]] Batch outputs(std::int64_t first_sample) const;
  /// The task and the float model's predictions; null without a task.
  [[nodiscard]] const Task* task() const;
  [[nodiscard]] const Predictions* predictions() const;
  /// The outputs that neither metrics nor the task read.
  [[nodiscard]] const std::vector<std::string>& unused_outputs() const;
  /// The slices of each output, in the order of output_names(). They depend on the float model's
  /// outputs alone.
  [[nodiscard]] const std::vector<OutputSlices>& slices() const;
  /// Bytes kept in memory and bytes on disk.
  [[nodiscard]] std::int64_t kept_bytes() const;
  [[nodiscard]] std::int64_t spilled_bytes() const;
  /// The float model's own scores: top-k from the labels, the best value of each distance metric,
  /// and the scores of the task.
  [[nodiscard]] Scores float_scores(std::span<const Metric> metrics) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Called with the outputs of each run after they were measured, concurrently and in any order.
/// When it returns false, the evaluation ends.
using OutputWatcher =
    std::function<bool(std::int64_t first_sample, std::int64_t count, const Batch& outputs)>;

struct EvaluateOptions {
  std::vector<Metric> metrics = {Metric::l2};
  /// Worst allowed values of distances among `metrics`. The evaluation ends as soon as a limit
  /// would be missed even if all remaining samples were perfect. Whether it ends does not depend on
  /// the number of threads; the moment does.
  std::map<Metric, double> limits = {};
  OutputWatcher watch = {};
  /// What the candidate reads in place of the reference's samples, when it is a part of a model
  /// that begins at inner tensors. It is read in whole runs of the reference: `Reference::batch()`
  /// samples from a multiple of it. Absent: the samples. The values must outlive the evaluation.
  std::shared_ptr<const DataSource> inputs = nullptr;
  std::map<std::string, double> output_weights = {};  // outputs that are absent have the weight 1
  bool latency = false;                               // measured alone, after the scores
  /// Scores::losses is filled with the value of this metric for each sample, negated when more is
  /// better; for top-k it is 0 for a hit and 1 for a miss. The metric must be among `metrics` and a
  /// mean over samples, so not rel_l2 or worst_slice.
  std::optional<Metric> losses_of = {};
  /// Called from time to time with the losses of the next samples; when it returns false, the
  /// evaluation of the candidate ends. The order of samples is the same for all candidates of a
  /// reference.
  std::function<bool(std::span<const double> losses)> go_on = {};
  /// True: scores are those of the graph's own arithmetic even on a processor whose integer kernels
  /// saturate. False: they are those of what this machine computes.
  bool exact_products = false;
  CancellationToken token = {};
};

/// True for metrics that are means of a value of each sample.
[[nodiscard]] bool has_losses(Metric metric);

/// Runs the candidate over the reference's data, on its device. The result is the same for any
/// thread count, because the values of samples are added in sample order. Distances are averaged
/// over outputs (weighted) and samples, at the positions where the reference is finite. Throws
/// InvalidInput when the models' outputs differ in name or, unless their sizes depend on the data,
/// in shape, and when the candidate's outputs are not finite where the reference is.
[[nodiscard]] Scores evaluate(const Model& candidate, const Reference& reference, ThreadPool& pool,
                              const EvaluateOptions& options);

struct LatencyOptions {
  int threads = 1;
  int warmup_runs = 3;
  int minimum_runs = 20;
  // Minimum duration; there are at least minimum_runs runs. When those would take more than 10
  // times as long, 3 runs are enough.
  double seconds = 0.3;
  Device device = {};
  CancellationToken token = {};
};
/// Times of one run on the given input after a warm-up. Throws InvalidInput for options out of
/// bounds.
[[nodiscard]] Latency measure_latency(const Model& model, const Batch& input,
                                      const LatencyOptions& options = {});

}  // namespace quantsearch
