#pragma once

// The coarsest grid of a tensor; a tensor that would get a coarser one stays float.

namespace quantsearch {

/// Steps of its own range that a tensor must keep when it shares parameters with others. Uniform
/// values rounded to 16 steps have a relative noise of 1/1000; with a few steps they are destroyed.
inline constexpr double kLeastSteps = 16;

}  // namespace quantsearch
