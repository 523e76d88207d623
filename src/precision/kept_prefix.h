#pragma once

// Keeps inner tensors of one model (the base) for all samples, so that of a model which differs
// from it in one layer only the part after the layer is run. The outputs are the same: a part
// begins at tensors that both models compute in the same way (equal_tensors).

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "precision/suffix.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/internal/data/batch_store.h"
#include "quantsearch/internal/data/spill_file.h"
#include "quantsearch/precision.h"

namespace quantsearch {

/// A part of a model and what it reads.
struct ModelPart {
  Model model;
  std::shared_ptr<const DataSource> inputs;  // for EvaluateOptions::inputs
};

class KeptPrefix {
 public:
  struct Options {
    std::vector<std::string> op_types;  // cuts are before nodes of these types
    bool exact_products = false;        // as in the evaluation of the parts
    std::int64_t limit_bytes = 0;       // of the kept tensors; 0: what is free of the budget
  };
  /// Runs the base once over the reference's samples. Keeps half of the limit in memory at most and
  /// the rest in a file. The reference must outlive the object, and the object its parts.
  KeptPrefix(Model base, const Reference& reference, const Options& options,
             const PrecisionContext& context);
  KeptPrefix(const KeptPrefix&) = delete;
  KeptPrefix& operator=(const KeptPrefix&) = delete;

  /// The part of `model` that remains to be run. Absent when it begins at the model's inputs.
  [[nodiscard]] std::optional<ModelPart> part_of(const Model& model) const;
  /// Tensors that are kept; none when a run of the base cannot hold the reference's samples.
  [[nodiscard]] std::size_t kept_tensors() const { return shapes_.size(); }
  [[nodiscard]] std::int64_t kept_bytes() const { return store_->kept_bytes(); }
  [[nodiscard]] std::int64_t spilled_bytes() const { return store_->spilled_bytes(); }

 private:
  class PartInputs;
  /// The shapes that a tensor has in the runs.
  struct Seen {
    std::int64_t runs = 0;
    DataType type = DataType::undefined;
    Shape shape;
    std::vector<bool> is_fixed;  // by axis
    bool has_one_rank = true;
  };
  void keep(const TensorNames& tensors, const Options& options, const PrecisionContext& context);
  void note(const std::string& name, const Tensor& tensor);
  void describe_kept(std::int64_t runs);

  Model base_;
  const Reference& reference_;
  std::mutex mutex_;  // guards seen_ while the base runs
  std::map<std::string, Seen> seen_;
  std::map<std::string, ValueInfo, std::less<>> shapes_;  // of the tensors that every run has
  SpillFolder folder_;                                    // outlives the store
  std::unique_ptr<BatchStore> store_;
};

}  // namespace quantsearch
