#include "precision/changed_classes.h"

#include <algorithm>

#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

struct Count {
  std::int64_t positions = 0;
  std::int64_t changed = 0;
};
using Counts = std::map<std::int64_t, Count>;  // by the float model's class

std::int64_t best_of(std::span<const float> row) {
  return std::ranges::max_element(row) - row.begin();
}

void count_rows(const Tensor& reference, const Tensor& candidate, Counts& counts) {
  if (reference.shape().empty() || reference.type() != DataType::float32) return;
  const auto width = static_cast<std::size_t>(reference.shape().back());
  const auto wanted = reference.values<float>();
  const auto got = candidate.values<float>();
  for (std::size_t at = 0; width > 0 && at + width <= wanted.size(); at += width) {
    const std::int64_t expected = best_of(wanted.subspan(at, width));
    Count& count = counts[expected];
    ++count.positions;
    if (best_of(got.subspan(at, width)) != expected) ++count.changed;
  }
}

double share(const Count& count) {
  if (count.positions == 0) return 0;
  return static_cast<double>(count.changed) / static_cast<double>(count.positions);
}

}  // namespace

ChangedClasses changed_classes(const Model& candidate, const Reference& reference,
                               const std::optional<std::string>& output, ThreadPool& pool,
                               const CancellationToken& token) {
  const auto session = open_session(candidate);
  std::vector<Counts> by_worker(static_cast<std::size_t>(pool.threads()));
  run_samples(*session, reference.data(), pool, {.batch = reference.batch(), .token = token},
              [&](std::int64_t first, std::int64_t, const Batch& outputs, int worker) {
                const Batch wanted = reference.outputs(first);
                for (const std::string& name : reference.output_names()) {
                  if (output && name != *output) continue;
                  count_rows(wanted.at(name), outputs.at(name),
                             by_worker[static_cast<std::size_t>(worker)]);
                }
              });
  Counts total;  // whole numbers: the order of adding does not matter
  for (const Counts& counts : by_worker) {
    for (const auto& [type, count] : counts) {
      total[type].positions += count.positions;
      total[type].changed += count.changed;
    }
  }
  Count all;
  Count most_frequent;
  for (const auto& [type, count] : total) {
    all.positions += count.positions;
    all.changed += count.changed;
    if (count.positions > most_frequent.positions) most_frequent = count;
  }
  const Count rare{.positions = all.positions - most_frequent.positions,
                   .changed = all.changed - most_frequent.changed};
  return {.share = share(all), .rare_share = share(rare)};
}

}  // namespace quantsearch
