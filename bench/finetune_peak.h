#pragma once

// The most a core can multiply and add: a loop on registers only.

#include <cstdint>

namespace quantsearch::reconstruction {

/// Floating point operations of one call of multiply_registers.
[[nodiscard]] double flops_of_round();
void multiply_registers();
/// The instruction set that loops run on.
[[nodiscard]] std::int64_t chosen_target();

}  // namespace quantsearch::reconstruction
