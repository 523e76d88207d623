#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace quantsearch {

/// What the kernel says of the processor: the entries AT_HWCAP and AT_HWCAP2 of the auxiliary
/// vector.
struct ArmCapabilities {
  std::uint64_t hwcap = 0;
  std::uint64_t hwcap2 = 0;
};

/// "dotprod", "sve", "i8mm", in this order: those that the processor has.
[[nodiscard]] std::vector<std::string> arm_features(const ArmCapabilities& capabilities);

}  // namespace quantsearch
