#pragma once

// The incumbent of a search and best.onnx, which contains its model at all times.

#include <optional>
#include <vector>

#include "autosearch/kept_products.h"
#include "autosearch/output_folder.h"
#include "autosearch/setup.h"

namespace quantsearch {

class BestModel {
 public:
  /// All arguments must outlive the object.
  BestModel(const Setup& setup, TrialExecutor& executor, const OutputFolder& output);

  /// Takes a trial that has just finished and its product.
  void add(const Trial& trial, const TrialProduct& product);
  /// Takes the best of these trials if it is better than the incumbent.
  void take_best(const std::vector<Trial>& trials);
  /// Makes this trial the best, regardless of the incumbent.
  void choose(const Trial& trial);
  /// Writes best.onnx again.
  void write() const;

  /// nullopt until a trial is complete.
  [[nodiscard]] const std::optional<Trial>& trial() const { return best_; }
  /// Returns the model of a complete trial.
  [[nodiscard]] BuiltModel built(const Trial& trial) const;

 private:
  [[nodiscard]] bool is_better(const Trial& trial) const;

  const Setup& setup_;
  TrialExecutor& executor_;
  const OutputFolder& output_;
  Ranking ranking_;
  KeptProducts products_;
  std::optional<Trial> best_;
};

}  // namespace quantsearch
