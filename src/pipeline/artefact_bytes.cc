#include "pipeline/artefact_bytes.h"

namespace quantsearch {

namespace {

std::int64_t bytes_of(const TensorStatistics& statistics) {
  const std::size_t numbers =
      statistics.histogram.negative.size() + statistics.histogram.positive.size();
  const std::size_t channels = statistics.channel_min.size() + statistics.channel_max.size() +
                               2 * statistics.channel_mean.size() +
                               2 * statistics.channel_mean_square.size();
  const std::size_t samples = statistics.sample_min.size() + statistics.sample_max.size();
  return static_cast<std::int64_t>(8 * numbers + 4 * (channels + samples));
}

}  // namespace

std::int64_t bytes_of(const Statistics& statistics) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : statistics.tensors)
    bytes += bytes_of(tensor) + static_cast<std::int64_t>(name.size());
  return bytes;
}

std::int64_t bytes_of(const ExtremesByTensor& extremes) {
  std::int64_t bytes = 0;
  for (const auto& [name, seen] : extremes)
    bytes += static_cast<std::int64_t>(100 + name.size() + 20 * seen.channel_max.size());
  return bytes;
}

// The weights of a quantized model are its own; the graph takes a few hundred bytes for each node.
std::int64_t bytes_of(const Model& model) {
  return weight_bytes(model.graph) + static_cast<std::int64_t>(model.graph.nodes.size()) * 400;
}

}  // namespace quantsearch
