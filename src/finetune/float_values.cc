#include "finetune/float_values.h"

#include <numeric>

#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

/// Most bytes that are held between reconstructions. It is not a share of the budget, because the
/// budget must not change results and the runtime may round differently when it runs a model in
/// pieces.
constexpr std::int64_t kMostBytes = std::int64_t{128} << 20;

}  // namespace

std::int64_t bytes_of(const FloatActivations& activations) {
  std::int64_t bytes = 0;
  for (const Batch& sample : activations.samples) {
    for (const auto& [name, tensor] : sample)
      bytes += static_cast<std::int64_t>(tensor.bytes().size());
  }
  return bytes;
}

FloatActivations float_activations(const Model& reference, const DataSource& data,
                                   const std::vector<std::string>& tensors, std::int64_t samples,
                                   const FinetuneEnvironment& environment) {
  const std::vector<std::int64_t> sizes = tensor_sizes(reference, data.read(0, 1), tensors);
  const std::int64_t sample_bytes = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  if (tensors.empty() || sample_bytes > kMostBytes / samples) return {};
  const auto session = open_session(reference, {.taps = tensors});
  std::vector<Batch> made(static_cast<std::size_t>(samples));
  const auto run = [&](std::int64_t sample, int) {
    const Batch outputs = session->run(data.read(sample, 1), environment.token);
    for (const std::string& name : tensors) {
      const Tensor& tensor = outputs.at(name);  // copied below, because the runtime may own it
      made[static_cast<std::size_t>(sample)].emplace(
          name, Tensor::from_bytes(tensor.type(), tensor.shape(), tensor.bytes()));
    }
  };
  environment.pool.parallel_for(samples, run, environment.token);
  return {.samples = std::move(made)};
}

namespace reconstruction {

FloatValues::FloatValues(const Model& reference, const DataSource& data, std::int64_t samples,
                         const std::set<std::string>& wanted,
                         const FinetuneEnvironment& environment, const ByteBudget& kept,
                         SpillFolder& folder)
    : data_(data) {
  std::vector<std::string> tensors(wanted.begin(), wanted.end());
  for (const ValueInfo& input : reference.graph.inputs) std::erase(tensors, input.name);
  activations_ = environment.activations
                     ? environment.activations(tensors, samples)
                     : std::make_shared<const FloatActivations>(
                           float_activations(reference, data, tensors, samples, environment));
  if (activations_->samples.empty())
    network_.emplace(reference, data, samples, environment, kept, folder);
}

void FloatValues::advance(const std::set<int>& held, const std::set<std::string>& wanted) {
  if (network_) network_->advance(held, wanted);
}

Tensor FloatValues::value(const std::string& tensor, std::int64_t sample) const {
  if (network_) return network_->value(tensor, sample);
  const Batch& kept = activations_->samples[static_cast<std::size_t>(sample)];
  const auto found = kept.find(tensor);
  return found == kept.end() ? data_.read(sample, 1).at(tensor) : found->second;
}

}  // namespace reconstruction

}  // namespace quantsearch
