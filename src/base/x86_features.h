#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace quantsearch {

/// Registers of the cpuid instruction (leaf, subleaf) that report vector features, and XCR0, which
/// tells which registers the operating system saves. All zero where a leaf does not exist.
struct CpuidWords {
  std::uint32_t leaf1_ecx = 0;
  std::uint32_t leaf7_ebx = 0;
  std::uint32_t leaf7_ecx = 0;
  std::uint32_t leaf7_edx = 0;
  std::uint32_t leaf7_1_eax = 0;  // subleaf 1
  std::uint64_t xcr0 = 0;
};

/// "avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", in this order: those that the
/// processor has and the operating system allows.
[[nodiscard]] std::vector<std::string> x86_features(const CpuidWords& words);

}  // namespace quantsearch
