// The bits are those of Intel's "Software Developer's Manual", volume 2A, CPUID, and volume 1, 13.3
// (XCR0).

#include "base/x86_features.h"

namespace quantsearch {

namespace {

constexpr std::uint64_t kVectorState = 0x6;     // XMM and YMM registers
constexpr std::uint64_t kAvx512State = 0xe6;    // also the mask registers and ZMM
constexpr std::uint64_t kTileState = 0x6'0000;  // AMX tiles

constexpr bool has_bit(std::uint32_t word, int bit) { return ((word >> bit) & 1U) != 0; }

}  // namespace

std::vector<std::string> x86_features(const CpuidWords& words) {
  constexpr int kXcr0IsReadable = 27;
  const auto saves = [&](std::uint64_t state) {
    return has_bit(words.leaf1_ecx, kXcr0IsReadable) && (words.xcr0 & state) == state;
  };
  const bool avx2 = has_bit(words.leaf7_ebx, 5) && saves(kVectorState);
  const bool avx512f = has_bit(words.leaf7_ebx, 16) && saves(kAvx512State);
  const bool tiles = has_bit(words.leaf7_edx, 24) && saves(kTileState);
  std::vector<std::string> features;
  if (avx2) features.emplace_back("avx2");
  if (avx512f) features.emplace_back("avx512f");
  if (avx512f && has_bit(words.leaf7_ecx, 11)) features.emplace_back("avx512_vnni");
  if (avx2 && has_bit(words.leaf7_1_eax, 4)) features.emplace_back("avx_vnni");
  if (tiles && has_bit(words.leaf7_edx, 25)) features.emplace_back("amx_int8");
  return features;
}

}  // namespace quantsearch
