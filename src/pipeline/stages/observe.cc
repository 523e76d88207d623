#include <fmt/core.h>

#include <algorithm>

#include "pipeline/artefact_bytes.h"
#include "pipeline/stage_keys.h"
#include "pipeline/stage_runner.h"

namespace quantsearch {

namespace {

// With less memory, observing would need one pass for every few tensors.
constexpr std::int64_t kLeastTappedBytes = std::int64_t{64} << 20;

}  // namespace

std::shared_ptr<const Statistics> StageRunner::observed(const std::string& stage,
                                                        const Progress& progress,
                                                        std::vector<std::string> tensors) {
  const auto compute = [&] {
    return observe(*progress.float_model, *state_.calibration, pool_,
                   {.tensors = std::move(tensors),
                    .bins = progress.config.histogram_bins,
                    .samples = progress.config.calibration_samples,
                    .memory_bytes = std::max(kLeastTappedBytes, state_.budget.free() / 2),
                    .token = token_,
                    .log = state_.log});
  };
  return state_.cache.get<Statistics>(
      stage, progress.statistics, compute, [](const Statistics& made) { return bytes_of(made); },
      records_, token_);
}

std::shared_ptr<const Statistics> StageRunner::statistics(const Progress& progress) {
  return observed("observe", progress, tensors_to_observe(*progress.float_model));
}

std::shared_ptr<const StageRunner::Digest> StageRunner::digest(
    const Progress& progress, std::shared_ptr<const Statistics> held) {
  std::vector<StageRecord> unrecorded;
  const auto compute = [&] {
    if (held == nullptr) held = statistics(progress);
    Digest digest{.extremes = extremes_of(*held),
                  .facts = facts_of(*held, progress.float_model->graph)};
    say_facts(digest.facts);
    return digest;
  };
  const auto bytes = [](const Digest& made) {
    return bytes_of(made.extremes) + static_cast<std::int64_t>(made.facts.size()) * 100;
  };
  return state_.cache.get<Digest>("digest", digest_key(progress.statistics), compute, bytes,
                                  unrecorded, token_);
}

void StageRunner::say_facts(const Facts& facts) const {
  if (std::ranges::none_of(facts, [](const auto& entry) { return entry.second.has_no_range(); }))
    return;
  const auto count = [&](const auto& has) {
    return std::ranges::count_if(facts, [&](const auto& entry) { return has(entry.second); });
  };
  const auto is_not_finite = [](const TensorFacts& fact) {
    return fact.nan_count + fact.infinite_count > 0;
  };
  say(state_.log, LogLevel::info,
      fmt::format("observe: {} tensors held NaN or infinity, {} hold a mask, {} had no values",
                  count(is_not_finite),
                  count([&](const TensorFacts& fact) { return fact.mask && !is_not_finite(fact); }),
                  count([](const TensorFacts& fact) { return fact.is_empty; })));
}

Ranges StageRunner::ranges_of_type(const Progress& progress, DataType type,
                                   const RangeOptions& options, const Key& key) {
  // Cached ranges need no statistics.
  const auto compute = [&] {
    const auto seen = statistics(progress);
    (void)digest(progress, seen);
    RangeOptions effective = effective_range_options(options);
    for (auto& [tensor, own] : effective.tensors) {
      own.statistics_of = observed_source(*progress.float_model, tensor).value_or(tensor);
    }
    return choose_ranges(*seen, effective, pool_);
  };
  const bool is_main = type == progress.config.quantize.activation_type;
  return *state_.cache.get<Ranges>(
      is_main ? "ranges" : fmt::format("ranges ({})", to_string(type)), key, compute,
      [](const Ranges& made) { return static_cast<std::int64_t>(made.size()) * 100; }, records_,
      token_);
}

void StageRunner::ranges(Progress& progress, const std::vector<Key>& keys) {
  std::size_t next = 0;
  for (const auto& [type, options] : ranges_by_type(progress.config)) {
    progress.calibrated.ranges[type] = ranges_of_type(progress, type, options, keys[next++]);
  }
  progress.ranges = keys;
  token_.throw_if_cancelled();
  const auto made = digest(progress);
  if (progress.config.quantize.target == Target::cpu) {
    progress.calibrated.extremes = made->extremes;
  }
  progress.config.quantize.facts = made->facts;
}

}  // namespace quantsearch
