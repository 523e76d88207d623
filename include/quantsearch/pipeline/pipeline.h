#pragma once

// The chain load -> simplify -> equalize -> smooth -> observe -> ranges -> quantize -> evaluate,
// each stage a pure function with a key; what two configurations have in common is computed once.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/data.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/finetune.h"
#include "quantsearch/model.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// How one stage of one trial went.
struct StageRecord {
  std::string name;
  double seconds = 0;  // spent now; 0 when cached
  bool cached = false;
};

struct Candidate {
  std::shared_ptr<const QuantizedModel> quantized;
  Key key;                                              // content of the model
  Target target = Target::cpu;                          // whose arithmetic it is scored in
  std::vector<LayerPrecision> precision = {};           // empty without mixed precision
  std::map<std::string, NodeFormat> node_formats = {};  // that mixed precision has chosen
  std::vector<LayerReconstruction> reconstruction;      // empty without fine-tuning
  std::vector<StageRecord> stages;
};

/// True for a target whose models are scored as their graphs say, because they are for other
/// processors than this one. The models of the others are scored as this processor computes them.
[[nodiscard]] bool is_scored_as_graph(Target target);

/// Totals over a pipeline's life.
struct CacheReport {
  std::int64_t hits = 0;
  std::int64_t misses = 0;
  double seconds_saved = 0;  // what the hits had cost when they were computed
  std::int64_t bytes = 0;
};

/// Keys of the stages simplify, equalize and smooth (when asked for, the latter behind the
/// observation it reads), observe, ranges (one for each activation type), quantize, precision and
/// finetune (when they are on) of a configuration; costs no stage.
[[nodiscard]] std::vector<Key> stage_keys(const Key& model, const Key& data,
                                          const QuantizationConfig& config);

/// One float model and one calibration set. Thread-safe: of trials at the same time that need the
/// same stage one computes it and the others wait.
class Pipeline {
 public:
  struct Options {
    LogSink log = {};
    // For activations that exceed the budget; "": the system's folder.
    std::filesystem::path cache_folder = {};
  };
  /// The pool, and what the budget accounts for, must outlive the pipeline. Throws InvalidInput
  /// naming weights that are not finite.
  Pipeline(Model float_model, std::shared_ptr<const DataSource> calibration, ThreadPool& pool,
           const ByteBudget& budget, const Options& options);
  ~Pipeline();

  /// Quantizes. Throws what the stages throw, and InvalidInput for histogram_bins that are no power
  /// of two in [16, 32768]. The stages use `pool`, the pipeline's own when it is null: trials at
  /// the same time have one each.
  [[nodiscard]] Candidate build(const QuantizationConfig& config, const CancellationToken& token,
                                ThreadPool* pool = nullptr);
  /// Scores; the same model (by content) is not run twice. Appends the stage to candidate.stages.
  [[nodiscard]] Scores score(Candidate& candidate, const Reference& reference,
                             const EvaluateOptions& options, ThreadPool* pool = nullptr);
  /// Throws InvalidInput when build() would find nothing to quantize, a model that is quantized
  /// already, or a name that neither the model nor its simplified form has.
  void require_quantizable(const QuantizationConfig& config);
  /// The simplified float model under these options.
  [[nodiscard]] std::shared_ptr<const Model> simplified(const SimplifyOptions& options);
  [[nodiscard]] CacheReport cache_report() const;
  /// Content key of the float model.
  [[nodiscard]] const Key& model_key() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
