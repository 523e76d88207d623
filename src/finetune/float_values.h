#pragma once

// The float model's side of reconstruction: what layers should give.

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "finetune/network.h"

namespace quantsearch::reconstruction {

/// Values of a small model are made at once and may be shared; those of a large one piece by piece,
/// as the quantized network advances.
class FloatValues {
 public:
  /// All arguments outlive this. `wanted`: every tensor that will ever be asked for.
  FloatValues(const Model& reference, const DataSource& data, std::int64_t samples,
              const std::set<std::string>& wanted, const FinetuneEnvironment& environment,
              const ByteBudget& kept, SpillFolder& folder);

  /// As Network::advance.
  void advance(const std::set<int>& held, const std::set<std::string>& wanted);
  /// Thread-safe.
  [[nodiscard]] Tensor value(const std::string& tensor, std::int64_t sample) const;

 private:
  const DataSource& data_;
  std::shared_ptr<const FloatActivations> activations_;
  std::optional<Network> network_;  // of a large model
};

}  // namespace quantsearch::reconstruction
