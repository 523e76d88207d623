#include "finetune/output_distance.h"

#include <cmath>

#include "quantsearch/internal/model/compared_outputs.h"
#include "quantsearch/runtime.h"

namespace quantsearch::reconstruction {

namespace {

struct Energies {
  double difference = 0;
  double signal = 0;
};

Energies energies(const Tensor& exact, const Tensor& other) {
  const Tensor a = to_float32(exact);
  const std::span<const float> wanted = a.values<float>();
  // An output whose size depends on the data may have another number of values; it then counts as
  // zeros.
  const Tensor b =
      other.shape() == exact.shape() ? to_float32(other) : Tensor(DataType::float32, exact.shape());
  const std::span<const float> got = b.values<float>();
  Energies sums;
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    // As in scores, values are compared only where the float model is finite.
    if (!std::isfinite(wanted[at])) continue;
    const double difference = static_cast<double>(got[at]) - static_cast<double>(wanted[at]);
    sums.difference += difference * difference;
    sums.signal += static_cast<double>(wanted[at]) * static_cast<double>(wanted[at]);
  }
  return sums;
}

}  // namespace

OutputDistance::OutputDistance(const Model& reference, const DataSource& data, std::int64_t samples,
                               const FinetuneEnvironment& environment, const ByteBudget& kept,
                               SpillFolder& folder)
    : samples_(samples),
      names_(compared_outputs(reference).names),
      outputs_(samples, kept, kept.limit(), folder) {
  const auto session = open_session(reference);
  environment.pool.parallel_for(
      samples,
      [&](std::int64_t sample, int) {
        outputs_.put(sample, session->run(data.read(sample, 1), environment.token));
      },
      environment.token);
  outputs_.finish();
}

double OutputDistance::of(const Network& quantized) const {
  std::vector<std::map<std::string, Energies>> samples(static_cast<std::size_t>(samples_));
  quantized.run_to_outputs(names_, [&](std::int64_t sample, const Batch& outputs) {
    const Batch exact = outputs_.outputs(sample);
    for (const std::string& name : names_) {
      const auto output = outputs.find(name);
      if (output != outputs.end() && is_floating(exact.at(name).type()))
        samples[static_cast<std::size_t>(sample)][name] = energies(exact.at(name), output->second);
    }
  });
  std::map<std::string, Energies> totals;
  for (const auto& sample : samples) {
    for (const auto& [name, sums] : sample) {
      totals[name].difference += sums.difference;
      totals[name].signal += sums.signal;
    }
  }
  double distance = 0;
  for (const auto& [name, sums] : totals)
    distance += sums.signal > 0 ? sums.difference / sums.signal : sums.difference;
  return totals.empty() ? 0 : distance / static_cast<double>(totals.size());
}

}  // namespace quantsearch::reconstruction
