#pragma once

// The values of the float model, which are the targets of reconstruction.

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "finetune/network.h"

namespace quantsearch::reconstruction {

/// The values of a small model are computed at once and may be shared. Those of a large model are
/// computed piece by piece while the quantized network advances.
class FloatValues {
 public:
  /// All arguments must outlive the object. `wanted` has every tensor that value() will be called
  /// with.
  FloatValues(const Model& reference, const DataSource& data, std::int64_t samples,
              const std::set<std::string>& wanted, const FinetuneEnvironment& environment,
              const ByteBudget& kept, SpillFolder& folder);

  /// See Network::advance().
  void advance(const std::set<int>& held, const std::set<std::string>& wanted);
  /// Thread-safe.
  [[nodiscard]] Tensor value(const std::string& tensor, std::int64_t sample) const;

 private:
  const DataSource& data_;
  std::shared_ptr<const FloatActivations> activations_;
  std::optional<Network> network_;  // for a large model
};

}  // namespace quantsearch::reconstruction
