#pragma once

// Values that replace undefined ones, so that a score is always a finite number. docs/metrics.md
// gives the reasons.

namespace quantsearch {

/// Decibels are clamped to [-60, 120]. Beyond 120 dB (an amplitude of 1e-6) a float32 model differs
/// from itself on another machine, and one exact sample must not raise the mean of many noisy ones
/// without bound.
constexpr double kHighestDecibel = 120;
constexpr double kLowestDecibel = -60;
/// The corresponding limit for rel_l2: noise with a million times the energy of the signal.
constexpr double kWorstRelative = 1e6;

}  // namespace quantsearch
