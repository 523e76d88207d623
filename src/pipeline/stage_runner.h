#pragma once

// Runs the stages of one build: what is asked for and with what, beside what all builds share. Each
// stage is a file of src/pipeline/stages.

#include <filesystem>
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

/// What all builds of a pipeline share.
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
  std::set<std::string> said = {};  // notes about names, which every build would repeat
};

class StageRunner {
 public:
  /// All outlive it. How the stages went is appended to `records`.
  StageRunner(PipelineState& state, ThreadPool& pool, const CancellationToken& token,
              std::vector<StageRecord>& records)
      : state_(state), pool_(pool), token_(token), records_(records) {}

  /// Runs the whole chain.
  void run(Progress& progress);

  // One for each stage that makes something; chain() says in which order.
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
  /// As the stages after simplify read it. Throws InvalidInput for a model that another quantizer
  /// has been at.
  [[nodiscard]] QuantizationConfig accepted(const QuantizationConfig& config,
                                            const Simplified& simplified);

 private:
  /// What of the statistics the stages after the ranges read.
  struct Digest {
    ExtremesByTensor extremes;
    Facts facts;
  };

  /// Takes over what `made` has changed; otherwise what follows is the same work as without it.
  template <typename Made>
  void take_over(Progress& progress, const std::shared_ptr<const Made>& made, const Key& key) {
    if (!made->changed) return;
    progress.float_model = {made, &made->model};
    progress.model = key;
  }

  [[nodiscard]] std::shared_ptr<const Statistics> observed(const std::string& stage,
                                                           const Progress& progress,
                                                           std::vector<std::string> tensors);
  /// A few numbers of each tensor, kept apart from the statistics, which may be too large to be
  /// kept. No stage of its own in the records. `held`: the statistics, where they are at hand.
  [[nodiscard]] std::shared_ptr<const Digest> digest(
      const Progress& progress, std::shared_ptr<const Statistics> held = nullptr);
  [[nodiscard]] std::shared_ptr<const Statistics> statistics(const Progress& progress);
  [[nodiscard]] Ranges ranges_of_type(const Progress& progress, DataType type,
                                      const RangeOptions& options, const Key& key);
  void say_facts(const Facts& facts) const;
  /// What every reconstruction of the same float model compares with.
  [[nodiscard]] std::shared_ptr<const FloatActivations> activations(
      const Progress& progress, const std::vector<std::string>& tensors, std::int64_t samples,
      const FinetuneEnvironment& environment);
  [[nodiscard]] std::shared_ptr<const FinetunedModel> finetuned(const Progress& progress,
                                                                const QuantizedModel& quantized,
                                                                const Key& key);
  /// The formats of `chosen` are those of the candidate.
  static void take_formats(Progress& progress, std::shared_ptr<const PrecisionResult> chosen);

  PipelineState& state_;
  ThreadPool& pool_;
  const CancellationToken& token_;
  std::vector<StageRecord>& records_;
};

}  // namespace quantsearch
