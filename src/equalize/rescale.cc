#include "equalize/rescale.h"

#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::equalizing {

namespace {

double one_of(std::span<const double> scales, std::int64_t channel) {
  return scales.empty() ? 1.0 : scales[to_size(channel)];
}

}  // namespace

Tensor scaled_weight(const LinearLayer& layer, std::span<const double> of_outputs,
                     std::span<const double> of_inputs) {
  Tensor scaled = *layer.weight;
  const std::span<float> values = scaled.mutable_values<float>();
  const std::int64_t kernel = layer.layout.kernel;
  layer.layout.for_each_run([&](std::int64_t input, std::int64_t output, std::int64_t offset) {
    const double factor = one_of(of_outputs, output) / one_of(of_inputs, input);
    for (float& value : values.subspan(to_size(offset), to_size(kernel)))
      value = static_cast<float>(value * factor);
  });
  return scaled;
}

Tensor scaled_bias(const LinearLayer& layer, std::span<const double> scale) {
  std::vector<double> scaled = layer.bias.values;
  for (std::size_t channel = 0; channel < scaled.size(); ++channel)
    scaled[channel] *= scale[channel];
  return along_axis(scaled, 0, 1);
}

Tensor along_axis(std::span<const double> values, int axis, int rank) {
  Shape shape(to_size(rank - axis), 1);
  shape[0] = std::ssize(values);
  Tensor result(DataType::float32, std::move(shape));
  const std::span<float> written = result.mutable_values<float>();
  for (std::size_t channel = 0; channel < values.size(); ++channel)
    written[channel] = static_cast<float>(values[channel]);
  return result;
}

}  // namespace quantsearch::equalizing
