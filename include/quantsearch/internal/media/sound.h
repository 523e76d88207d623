#pragma once

// Sounds from WAV files.

#include <cstddef>
#include <span>
#include <vector>

namespace quantsearch {

struct Sound {
  int sample_rate = 0;         // Hz
  std::vector<float> samples;  // in [-1, 1], the mean of all channels
};

/// Reads a WAV file with integer samples of 8, 16, 24 or 32 bits or floating-point ones of 32 or
/// 64. Throws InvalidInput whose message is only the reason.
[[nodiscard]] Sound decode_wav(std::span<const std::byte> file);

/// The samples at another rate, low-passed to the lower of both rates.
[[nodiscard]] std::vector<float> resampled(std::span<const float> samples, int from_rate,
                                           int to_rate);

}  // namespace quantsearch
