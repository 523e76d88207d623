#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>

#include "evaluate/classification.h"
#include "evaluate/comparable_outputs.h"
#include "evaluate/sample.h"
#include "evaluate/sample_pair.h"
#include "evaluate/slices.h"
#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/data/batch_store.h"
#include "quantsearch/internal/data/spill_file.h"
#include "quantsearch/internal/model/compared_outputs.h"

namespace quantsearch {

namespace {

// A stack of small inputs fits in the cache of one core; measured times are flat from 4 to 32
// samples.
constexpr std::int64_t kLargestAutomaticBatch = 8;
constexpr std::int64_t kAutomaticBatchBytes = std::int64_t{64} << 10;
// The rest of the budget is for the stage cache and for the work itself; reading a float output
// from disk again costs little.
constexpr std::int64_t kShareOfBudget = 2;

void require_labels_fit(const std::optional<Labels>& labels, std::int64_t samples) {
  if (!labels || static_cast<std::int64_t>(labels->size()) == samples) return;
  throw InvalidInput(
      fmt::format("reference: there are {} labels, expected one for each of the {} samples",
                  labels->size(), samples));
}

std::int64_t bytes_of(const Batch& batch) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : batch)
    bytes += static_cast<std::int64_t>(tensor.bytes().size());
  return bytes;
}

// Chooses the batch from model and data alone, never from the number of threads. Small samples are
// stacked, because the runtime's cost per node dominates the run of a small model; a stack must
// still fit in the cache.
std::int64_t automatic_batch(const Session& session, const DataSource& data) {
  const std::int64_t largest =
      std::min({kLargestAutomaticBatch, data.largest_batch(), data.size()});
  if (!session.stacks_samples() || largest < 2) return 1;
  const std::int64_t fitting =
      kAutomaticBatchBytes / std::max<std::int64_t>(1, bytes_of(data.read(0, 1)));
  if (fitting < 2) return 1;
  const Batch two = session.run(data.read(0, 2));
  const bool stacked =
      std::ranges::all_of(two, [](const auto& output) { return are_rows(output.second, 2); });
  return stacked ? std::min(largest, fitting) : 1;
}

std::int64_t batch_of(const Session& session, const DataSource& data, std::int64_t asked) {
  if (asked < 0)
    throw InvalidInput(
        fmt::format("reference: batch is {}, expected at least 1, or 0 to choose it", asked));
  if (asked == 0) return automatic_batch(session, data);
  return session.stacks_samples() ? std::max<std::int64_t>(1, std::min(asked, data.largest_batch()))
                                  : 1;
}

/// Counts NaN and infinity in an output of the float model, over all samples. Thread-safe.
class FiniteCount {
 public:
  void add(const Tensor& output) {
    const NonFinite bad = count_non_finite(to_float32(output));
    values_ += output.size();
    nan_ += bad.nan;
    infinite_ += bad.infinite;
  }

  /// Returns true when all values are finite, and logs a note when some are not. Throws
  /// InvalidInput when none is.
  [[nodiscard]] bool report(const std::string& name, const LogSink& log) const {
    const std::int64_t bad = nan_ + infinite_;
    if (bad == 0) return true;
    if (bad == values_) {
      throw InvalidInput(fmt::format(
          "reference: output '{}' of the float model holds {} NaN and {} infinite values and no "
          "finite one in any sample, expected numbers to compare; check the data and the model",
          name, nan_.load(), infinite_.load()));
    }
    say(log, LogLevel::info,
        fmt::format("reference: output '{}' of the float model holds {} NaN and {} infinite values "
                    "of {}; candidates are "
                    "compared where it is finite",
                    name, nan_.load(), infinite_.load(), values_.load()));
    return false;
  }

 private:
  std::atomic<std::int64_t> values_ = 0;
  std::atomic<std::int64_t> nan_ = 0;
  std::atomic<std::int64_t> infinite_ = 0;
};

}  // namespace

struct Reference::State {
  std::shared_ptr<const DataSource> data;
  std::optional<Labels> labels;
  std::int64_t batch = 1;
  Device device;
  std::vector<std::string> names;
  std::vector<std::string> skipped;
  bool sized_by_data = false;
  std::vector<bool> is_finite;  // by output
  std::string logits_output;
  std::int64_t model_bytes = 0;
  std::vector<OutputSlices> slices;
  std::shared_ptr<const Task> task;
  std::unique_ptr<Predictions> predictions;
  std::vector<std::string> unused;      // skipped outputs that the task does not read
  std::unique_ptr<SpillFolder> folder;  // outlives the store
  std::unique_ptr<BatchStore> store;

  void name_outputs(const Model& model, const Options& options) {
    ComparedOutputs compared = compared_outputs(model);
    for (const SkippedOutput& output : compared.skipped) {
      skipped.push_back(output.name);
      say(options.log, LogLevel::info,
          fmt::format("reference: output '{}' {} and is not compared", output.name,
                      why_not_compared(output.role)));
    }
    names = std::move(compared.names);
    sized_by_data = compared.sized_by_data;
    if (names.empty()) {
      throw InvalidInput(fmt::format(
          "reference: no output of the float model is a tensor of numbers (it has '{}'), "
          "expected at least one by which to compare models; add such an output",
          fmt::join(skipped, "', '")));
    }
    logits_output = options.logits_output.empty() ? output_of_classes(model.graph, names)
                                                  : options.logits_output;
    if (std::ranges::find(names, logits_output) == names.end()) {
      throw InvalidInput("reference: " + unknown_name_message("output", logits_output, names));
    }
  }

  /// Outputs that are not compared are kept when the task reads them.
  void begin_task(const Options& options) {
    task = options.task;
    unused = skipped;
    if (task == nullptr) return;
    predictions = task->predictions();
    std::erase_if(unused, [&](const std::string& name) {
      return std::ranges::find(task->outputs(), name) != task->outputs().end();
    });
  }

  void run(const Session& session, ThreadPool& pool, const ByteBudget& budget,
           const Options& options) {
    const std::int64_t runs = (data->size() + batch - 1) / batch;
    const std::int64_t share = std::max<std::int64_t>(0, budget.free() / kShareOfBudget);
    store = std::make_unique<BatchStore>(runs, budget, share, *folder);
    std::map<std::string, FiniteCount> finite;
    for (const std::string& name : names) finite.try_emplace(name);
    run_samples(session, *data, pool, {.batch = batch, .token = options.token},
                [&](std::int64_t first, std::int64_t count, const Batch& outputs, int) {
                  require_rows(outputs, count, "reference");
                  if (task != nullptr) predictions->add(first, count, outputs);
                  Batch compared = outputs;
                  for (const std::string& name : skipped) compared.erase(name);
                  for (const auto& [name, tensor] : compared) finite.at(name).add(tensor);
                  store->put(first / batch, compared);
                  return true;
                });
    store->finish();
    for (const std::string& name : names)
      is_finite.push_back(finite.at(name).report(name, options.log));
    if (store->spilled_bytes() > 0) {
      say(options.log, LogLevel::info,
          fmt::format("reference: float outputs take {} bytes of memory and, beyond the budget, {} "
                      "bytes in '{}'",
                      store->kept_bytes(), store->spilled_bytes(), folder->path().string()));
    }
  }

  /// Groups of runs are surveyed in parallel and merged in the order of the runs, so that the sums
  /// do not depend on the number of threads.
  void find_slices(const Graph& graph, ThreadPool& pool, const CancellationToken& token) {
    const std::vector<SliceSurvey> none = surveys_of(graph);
    std::vector<SliceSurvey> total = none;
    const std::int64_t runs = (data->size() + batch - 1) / batch;
    const std::int64_t at_once = std::int64_t{2} * pool.threads();
    for (std::int64_t first = 0; first < runs; first += at_once) {
      std::vector<std::vector<SliceSurvey>> of_runs(
          static_cast<std::size_t>(std::min(at_once, runs - first)), none);
      pool.parallel_for(
          static_cast<std::int64_t>(of_runs.size()),
          [&](std::int64_t run, int) {
            survey(first + run, of_runs[static_cast<std::size_t>(run)]);
          },
          token);
      for (const std::vector<SliceSurvey>& of_run : of_runs) {
        for (std::size_t output = 0; output < total.size(); ++output)
          total[output].merge(of_run[output]);
      }
    }
    for (const SliceSurvey& survey : total) slices.push_back(survey.slices());
  }

  [[nodiscard]] std::vector<SliceSurvey> surveys_of(const Graph& graph) const {
    std::vector<SliceSurvey> surveys;
    for (const std::string& name : names)
      surveys.emplace_back(*std::ranges::find(graph.outputs, name, &ValueInfo::name));
    return surveys;
  }

  void survey(std::int64_t run, std::vector<SliceSurvey>& surveys) const {
    const std::int64_t count = std::min(batch, data->size() - run * batch);
    const Batch outputs = store->outputs(run);
    for (std::size_t output = 0; output < names.size(); ++output) {
      const Tensor values = to_float32(outputs.at(names[output]));
      for (std::int64_t i = 0; i < count; ++i) {
        Sample sample = sample_of(values, i, count);
        const std::vector<float> finite =
            is_finite[output] ? std::vector<float>{} : finite_values(sample.values);
        if (!is_finite[output]) sample.values = finite;
        surveys[output].add(sample);
      }
    }
  }

  [[nodiscard]] std::vector<std::int64_t> ranks() const {
    std::vector<std::int64_t> result;
    for (std::int64_t first = 0; first < data->size(); first += batch) {
      const std::int64_t count = std::min(batch, data->size() - first);
      const Batch outputs = store->outputs(first / batch);
      const Tensor logits = to_float32(outputs.at(logits_output));
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t label = (*labels)[static_cast<std::size_t>(first + i)];
        result.push_back(
            rank_in_sample(sample_of(logits, i, count), logits_output, label, first + i));
      }
    }
    return result;
  }
};

Reference::Reference(const Model& float_model, std::shared_ptr<const DataSource> data,
                     std::optional<Labels> labels, ThreadPool& pool, const ByteBudget& budget,
                     const Options& options)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  if (data == nullptr) throw InvalidInput("evaluate: got no data, expected at least one sample");
  require_labels_fit(labels, data->size());
  state.data = std::move(data);
  state.labels = std::move(labels);
  state.name_outputs(float_model, options);
  state.begin_task(options);
  state.folder = std::make_unique<SpillFolder>(options.spill_folder);
  state.model_bytes = serialized_bytes(float_model);
  state.device = options.device;
  const auto session =
      open_session(without_outputs(float_model, state.unused), {.device = options.device});
  // When samples have different numbers of rows, they cannot be separated again in one output.
  const bool is_single = state.sized_by_data || state.unused.size() < state.skipped.size();
  state.batch = is_single ? 1 : batch_of(*session, *state.data, options.batch);
  state.run(*session, pool, budget, options);
  state.find_slices(float_model.graph, pool, options.token);
}

Reference::~Reference() = default;
Reference::Reference(Reference&&) noexcept = default;
Reference& Reference::operator=(Reference&&) noexcept = default;

const DataSource& Reference::data() const { return *state_->data; }
const std::optional<Labels>& Reference::labels() const { return state_->labels; }
std::int64_t Reference::batch() const { return state_->batch; }
const Device& Reference::device() const { return state_->device; }
const std::vector<std::string>& Reference::output_names() const { return state_->names; }
const std::vector<std::string>& Reference::skipped_outputs() const { return state_->skipped; }
bool Reference::sized_by_data() const { return state_->sized_by_data; }
bool Reference::is_finite(std::size_t output) const { return state_->is_finite[output]; }
const std::string& Reference::logits_output() const { return state_->logits_output; }
const std::vector<OutputSlices>& Reference::slices() const { return state_->slices; }
const Task* Reference::task() const { return state_->task.get(); }
const Predictions* Reference::predictions() const { return state_->predictions.get(); }
const std::vector<std::string>& Reference::unused_outputs() const { return state_->unused; }
std::int64_t Reference::kept_bytes() const { return state_->store->kept_bytes(); }
std::int64_t Reference::spilled_bytes() const { return state_->store->spilled_bytes(); }

Batch Reference::outputs(std::int64_t first_sample) const {
  if (first_sample < 0 || first_sample >= data().size() || first_sample % batch() != 0) {
    throw InternalError(fmt::format("reference: outputs from sample {} were asked of runs of {}",
                                    first_sample, batch()));
  }
  return state_->store->outputs(first_sample / batch());
}

Scores Reference::float_scores(std::span<const Metric> metrics) const {
  require_labels(metrics, labels());
  const std::vector<std::int64_t> ranks =
      any_needs_labels(metrics) ? state_->ranks() : std::vector<std::int64_t>{};
  Scores scores;
  scores.size_bytes = state_->model_bytes;
  for (const Metric metric : metrics) {
    const MetricInfo& info = metric_info(metric);
    scores.metrics[info.name] = info.needs_labels ? share_of_hits(metric, ranks) : info.best;
  }
  if (task() != nullptr) scores.metrics.merge(task()->score(*predictions(), *predictions()));
  return scores;
}

}  // namespace quantsearch
