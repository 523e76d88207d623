#pragma once

// The chain load -> simplify -> equalize -> smooth -> observe -> ranges -> quantize -> evaluate.
// Each stage is a pure function with a key, so that stages that two configurations have in common
// are computed once.

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
#include "quantsearch/placement.h"
#include "quantsearch/precision/sensitivity.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// The record of one stage of one trial.
struct StageRecord {
  std::string name;
  double seconds = 0;  // spent in this build; 0 when cached
  bool cached = false;
};

struct Candidate {
  std::shared_ptr<const QuantizedModel> quantized;
  Key key;                                     // of the content of the model
  Target target = Target::cpu;                 // the target whose arithmetic is used for scoring
  std::vector<LayerPrecision> precision = {};  // empty without mixed precision
  std::map<std::string, NodeFormat> node_formats = {};  // chosen by mixed precision
  std::vector<LayerReconstruction> reconstruction;      // empty without fine-tuning
  std::vector<StageRecord> stages;
};

/// How the model of a configuration came about, before weights were reconstructed.
struct Explanation {
  std::shared_ptr<const Model> float_model;  // simplified and equalized: what was quantized
  std::shared_ptr<const QuantizedModel> quantized;
  std::shared_ptr<const Statistics> statistics;  // null when the cache does not hold them any more
};

/// True for a target whose models are scored exactly as their graphs define, because they are for
/// other processors than this one. Models for other targets are scored as this processor computes
/// them.
[[nodiscard]] bool is_scored_as_graph(Target target);

/// True when the times of the kernels of this machine's processor say something about the model of
/// a configuration: it is meant for such a processor, and `device` is no other one.
[[nodiscard]] bool is_timed_here(const QuantizationConfig& config, const Device& device = {});

/// Totals over the lifetime of a pipeline.
struct CacheReport {
  std::int64_t hits = 0;
  std::int64_t misses = 0;
  double seconds_saved = 0;  // computation time of the artefacts that were hit
  std::int64_t bytes = 0;
};

/// What the bytes of a model follow from besides its configuration. build() writes it into the
/// metadata of its models, under keys that begin with "quantsearch.".
struct ModelOrigin {
  std::string float_model;   // fingerprint of the content
  std::string calibration;   // fingerprint of the samples that are used
  std::int64_t samples = 0;  // the number of these
  bool operator==(const ModelOrigin&) const = default;
};
/// The metadata that build() writes into a model; absent in a model of another program.
[[nodiscard]] std::map<std::string, std::string> origin_metadata(const Model& model);

/// Returns the keys of the stages simplify, equalize and smooth (when they are on; smooth follows
/// the observation it reads), observe, ranges (one for each activation type), quantize, precision
/// and finetune (when they are on) of a configuration. No stage is run.
[[nodiscard]] std::vector<Key> stage_keys(const Key& model, const Key& data,
                                          const QuantizationConfig& config);

/// Builds and scores quantized models of one float model with one calibration set. Thread-safe:
/// when several trials need the same stage at the same time, one computes it and the others wait.
class Pipeline {
 public:
  struct Options {
    LogSink log = {};
    // For activations that exceed the budget; when empty, the system's temporary folder.
    std::filesystem::path cache_folder = {};
  };
  /// The pool and the objects whose memory the budget accounts for must outlive the pipeline.
  /// Throws InvalidInput without calibration data, and for weights that are not finite, which it
  /// names.
  Pipeline(Model float_model, std::shared_ptr<const DataSource> calibration, ThreadPool& pool,
           const ByteBudget& budget, const Options& options);
  ~Pipeline();

  /// Builds the quantized model of a configuration. Throws what the stages throw, and InvalidInput
  /// when histogram_bins is not a power of two in [16, 32768]. The stages use `pool`, or the
  /// pipeline's pool when it is null; trials that run at the same time have one each.
  [[nodiscard]] Candidate build(const QuantizationConfig& config, const CancellationToken& token,
                                ThreadPool* pool = nullptr);
  /// Runs the stages of build() up to the ranges on `pool`, so that a build() finds them in the
  /// cache. Throws what these stages throw.
  void calibrate(const QuantizationConfig& config, const CancellationToken& token,
                 ThreadPool& pool);
  /// Scores a candidate and appends the stage to candidate.stages. A model with the same content is
  /// not run twice.
  [[nodiscard]] Scores score(Candidate& candidate, const Reference& reference,
                             const EvaluateOptions& options, ThreadPool* pool = nullptr);
  /// Measures what the quantization of each layer adds to the outputs, on the calibration samples.
  /// Mixed precision and fine-tuning of the configuration are left out, because they would repair
  /// what is measured. Throws what the stages and measure_sensitivity() throw.
  [[nodiscard]] SensitivityReport sensitivity(QuantizationConfig config,
                                              const SensitivityOptions& options,
                                              const CancellationToken& token);
  /// Returns what build() decides for a configuration without mixed precision. What the cache does
  /// not hold is made again, except for the statistics. Throws what the stages throw.
  [[nodiscard]] Explanation explain(QuantizationConfig config, const CancellationToken& token);
  /// Throws InvalidInput when build() would find nothing to quantize, when the model is already
  /// quantized, or when a name exists neither in the model nor in its simplified form.
  void require_quantizable(const QuantizationConfig& config);
  /// The simplified float model under these options.
  [[nodiscard]] std::shared_ptr<const Model> simplified(const SimplifyOptions& options);
  [[nodiscard]] CacheReport cache_report() const;
  [[nodiscard]] ModelOrigin origin(const QuantizationConfig& config) const;
  /// Content key of the float model.
  [[nodiscard]] const Key& model_key() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
