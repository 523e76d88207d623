#pragma once

// Values that stand for "undefined", so that a score is always a finite number. docs/metrics.md
// gives the reasons.

namespace quantsearch {

/// Decibels are kept in [-60, 120]: beyond 120 dB (an amplitude of 1e-6) a float32 model differs
/// from itself on another machine, and one exact sample must not lift the mean of many noisy ones
/// without bound.
constexpr double kHighestDecibel = 120;
constexpr double kLowestDecibel = -60;
/// The same lower end for rel_l2: noise of a million times the signal's energy.
constexpr double kWorstRelative = 1e6;

}  // namespace quantsearch
