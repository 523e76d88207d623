#include "quantsearch/evaluate/own_noise.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "evaluate/comparable_outputs.h"
#include "evaluate/pair_sums.h"
#include "quantsearch/internal/model/checks.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

/// Enough samples for a figure of two digits, and few enough to cost little compared to the
/// evaluation.
constexpr std::int64_t kSamples = 64;

struct Sums {
  double noise = 0;
  double signal = 0;
};

double ratio(const Sums& sums) {
  if (sums.noise == 0) return 0;
  return sums.signal == 0 ? 1 : sums.noise / sums.signal;
}

}  // namespace

std::optional<OwnNoise> own_noise(const Model& model, const DataSource& data, const Device& device,
                                  const CancellationToken& token) {
  OwnNoise result{.nodes = random_nodes(model.graph)};
  if (result.nodes.empty()) return std::nullopt;
  // One session makes all runs, because its generators continue from run to run; a new session
  // would start with the same numbers.
  const auto session =
      open_session(without_outputs(model, skipped_outputs(model)), {.device = device});
  std::map<std::string, Sums> sums;
  for (std::int64_t sample = 0; sample < std::min(kSamples, data.size()); ++sample) {
    const Batch inputs = data.read(sample, 1);
    const Batch first = session->run(inputs, token);
    const Batch second = session->run(inputs, token);
    for (const auto& [name, tensor] : first) {
      const Tensor other = to_float32(second.at(name));
      if (other.shape() != tensor.shape()) continue;  // such outputs do not count for scores
      const Tensor floats = to_float32(tensor);
      const PairSums pair = sum_pair(floats.values<float>(), other.values<float>());
      sums[name].noise += pair.squared_difference;
      sums[name].signal += pair.squared_reference;
    }
  }
  for (const auto& [name, of_output] : sums)
    result.rel_l2 += ratio(of_output) / static_cast<double>(sums.size());
  return result;
}

}  // namespace quantsearch
