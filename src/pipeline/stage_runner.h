#pragma once

// Runs the stages of one build. Each stage is a file of src/pipeline/stages.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "pipeline/chain.h"
#include "pipeline/stage_cache.h"
#include "quantsearch/finetune.h"
#include "quantsearch/precision.h"

namespace quantsearch {

/// The state that all builds of a pipeline share.
struct PipelineState {
  Model model;
  Key model_key;
  std::shared_ptr<const DataSource> calibration;
  Key data_key;
  ThreadPool& pool;
  ByteBudget budget;
  StageCache cache;
  LogSink log;
  std::filesystem::path cache_folder;
  std::mutex said_mutex = {};
  // Notes about names that have been logged, so that builds do not repeat them.
  std::set<std::string> said = {};
  std::mutex data_keys_mutex = {};
  std::map<std::int64_t, Key> data_keys = {};  // of the first samples, by their number
};

class StageRunner {
 public:
  /// All arguments must outlive the runner. A record of each stage is appended to `records`.
  StageRunner(PipelineState& state, ThreadPool& pool, const CancellationToken& token,
              std::vector<StageRecord>& records)
      : state_(state), pool_(pool), token_(token), records_(records) {}

  /// Runs the chain, to the stage in front of `end` or, without one, to its end.
  void run(Progress& progress, std::string_view end = {});

  // One function for each stage that makes an artefact; chain() defines the order.
  void simplify(Progress& progress, const Key& key);
  void equalize(Progress& progress, const Key& key);
  void absorb(Progress& progress, const Key& key);
  void smooth(Progress& progress, const Key& key);
  void ranges(Progress& progress, const std::vector<Key>& keys);
  void quantize(Progress& progress, const Key& key);
  void precision(Progress& progress, const Key& key);
  void finish_precision(Progress& progress, const Key& key);
  void finetune(Progress& progress, const Key& key);

  [[nodiscard]] std::shared_ptr<const Simplified> simplified(const SimplifyOptions& options,
                                                             const Key& key);
  /// Returns the configuration with the names of the simplified model. Throws InvalidInput for a
  /// model that has already been quantized, unless `requantize` is set.
  [[nodiscard]] QuantizationConfig accepted(const QuantizationConfig& config,
                                            const Simplified& simplified);

 private:
  /// The part of the statistics that the stages after the ranges read.
  struct Digest {
    ExtremesByTensor extremes;
    Facts facts;
  };

  /// Continues with the model of `made` if it has changed; otherwise the keys stay the same, and so
  /// does the work that follows.
  template <typename Made>
  void take_over(Progress& progress, const std::shared_ptr<const Made>& made, const Key& key) {
    if (!made->changed) return;
    progress.float_model = {made, &made->model};
    progress.model = key;
  }

  [[nodiscard]] std::shared_ptr<const Statistics> observed(const std::string& stage,
                                                           const Progress& progress,
                                                           std::vector<std::string> tensors);
  /// Returns a few numbers of each tensor. They are cached apart from the statistics, which may be
  /// too large to be kept, and have no stage of their own in the records. `held`: the statistics,
  /// if available.
  [[nodiscard]] std::shared_ptr<const Digest> digest(
      const Progress& progress, std::shared_ptr<const Statistics> held = nullptr);
  [[nodiscard]] std::shared_ptr<const Statistics> statistics(const Progress& progress);
  [[nodiscard]] Ranges ranges_of_type(const Progress& progress, DataType type,
                                      const RangeOptions& options, const Key& key);
  void say_facts(const Facts& facts) const;
  /// Returns the float activations that every reconstruction of the same float model is compared
  /// with.
  [[nodiscard]] std::shared_ptr<const FloatActivations> activations(
      const Progress& progress, const std::vector<std::string>& tensors, std::int64_t samples,
      const FinetuneEnvironment& environment);
  [[nodiscard]] std::shared_ptr<const FinetunedModel> finetuned(const Progress& progress,
                                                                const QuantizedModel& quantized,
                                                                const Key& key);
  /// Sets the formats of the candidate to those of `chosen`.
  static void take_formats(Progress& progress, std::shared_ptr<const PrecisionResult> chosen);

  PipelineState& state_;
  ThreadPool& pool_;
  const CancellationToken& token_;
  std::vector<StageRecord>& records_;
};

}  // namespace quantsearch
