#pragma once

// Measures the peak rate of multiply-adds of a core with a loop that uses only registers.

#include <cstdint>

namespace quantsearch::reconstruction {

/// Returns the number of floating-point operations of one call of multiply_registers().
[[nodiscard]] double flops_of_round();
void multiply_registers();
/// Returns the instruction set that the loop uses.
[[nodiscard]] std::int64_t chosen_target();

}  // namespace quantsearch::reconstruction
