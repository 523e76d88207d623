#include "quantize/numbers/recurrent_weights.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

namespace {

/// The integers are uint8 around 128, not int8, because the activations are uint8 and kernels of
/// x86 without VNNI saturate on uint8 times int8.
constexpr int kZeroPoint = 128;
constexpr float kLevels = 127;

}  // namespace

QuantizedTensor quantize_recurrent(const Tensor& weight) {
  const std::int64_t directions = weight.shape()[0];
  const std::int64_t gates = weight.shape()[1];
  const std::int64_t inputs = weight.shape()[2];
  const auto values = weight.values<float>();
  QuantizedTensor made{.integers = Tensor(DataType::uint8, {directions, inputs, gates}),
                       .params = {.type = DataType::uint8, .scales = {}, .zero_points = {}}};
  const auto integers = made.integers.mutable_values<std::uint8_t>();
  for (std::int64_t row = 0; row < directions * gates; ++row) {
    const auto one =
        values.subspan(static_cast<std::size_t>(row * inputs), static_cast<std::size_t>(inputs));
    float largest = 0;
    for (const float value : one) largest = std::max(largest, std::abs(value));
    const float scale = largest > 0 ? largest / kLevels : 1;
    made.params.scales.push_back(scale);
    made.params.zero_points.push_back(kZeroPoint);
    const std::int64_t first = row / gates * inputs * gates + row % gates;
    for (std::int64_t input = 0; input < inputs; ++input) {
      const float level = std::nearbyint(one[static_cast<std::size_t>(input)] / scale);
      integers[static_cast<std::size_t>(first + input * gates)] = static_cast<std::uint8_t>(
          static_cast<int>(std::clamp(level, -kLevels, kLevels)) + kZeroPoint);
    }
  }
  return made;
}

}  // namespace quantsearch
