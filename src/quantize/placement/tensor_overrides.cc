#include "quantize/placement/tensor_overrides.h"

#include <utility>

#include "quantize/placement/range_rules.h"

namespace quantsearch {

const TensorOverride* find_override(const QuantizeOptions& options, std::string_view tensor) {
  const auto found = options.overrides.find(std::string(tensor));
  return found == options.overrides.end() ? nullptr : &found->second;
}

std::optional<ActivationOverride> activation_override(const GraphView& view,
                                                      const QuantizeOptions& options,
                                                      std::string tensor) {
  if (options.overrides.empty()) return std::nullopt;
  while (true) {
    if (const TensorOverride* found = find_override(options, tensor)) {
      return ActivationOverride{.tensor = std::move(tensor), .wanted = *found};
    }
    auto source = moved_from(view, tensor);
    if (!source) return std::nullopt;
    tensor = std::move(*source);
  }
}

}  // namespace quantsearch
