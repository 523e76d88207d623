// The bits are those of the kernel's interface to programs, uapi/asm/hwcap.h of arm64, whose older
// headers lack the last.

#include "base/arm_features.h"

namespace quantsearch {

std::vector<std::string> arm_features(const ArmCapabilities& capabilities) {
  constexpr std::uint64_t kDotProduct = 1U << 20;
  constexpr std::uint64_t kScalableVectors = 1U << 22;
  constexpr std::uint64_t kMatrixMultiply = 1U << 13;  // of the second word
  std::vector<std::string> features;
  if ((capabilities.hwcap & kDotProduct) != 0) features.emplace_back("dotprod");
  if ((capabilities.hwcap & kScalableVectors) != 0) features.emplace_back("sve");
  if ((capabilities.hwcap2 & kMatrixMultiply) != 0) features.emplace_back("i8mm");
  return features;
}

}  // namespace quantsearch
