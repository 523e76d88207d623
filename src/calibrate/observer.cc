#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "calibrate/bin_counts.h"
#include "calibrate/channel_statistics.h"
#include "calibrate/exact_sum.h"
#include "calibrate/value_kernels.h"
#include "quantsearch/base/error.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

namespace {

struct SampleExtremes {
  std::int64_t sample = 0;
  float min = 0;
  float max = 0;
};

void join(SampleExtremes& into, const SampleExtremes& other) {
  into.min = std::min(into.min, other.min);
  into.max = std::max(into.max, other.max);
}

/// Merges the entries of each sample; the result is in sample order.
std::vector<SampleExtremes> in_sample_order(std::vector<SampleExtremes> extremes) {
  std::ranges::stable_sort(extremes, {}, &SampleExtremes::sample);
  std::vector<SampleExtremes> joined;
  for (const SampleExtremes& entry : extremes) {
    if (!joined.empty() && joined.back().sample == entry.sample) {
      join(joined.back(), entry);
    } else {
      joined.push_back(entry);
    }
  }
  return joined;
}

std::optional<std::int64_t> earlier(std::optional<std::int64_t> left,
                                    std::optional<std::int64_t> right) {
  if (!left || !right) return left ? left : right;
  return std::min(*left, *right);
}

/// Runs of one channel below this length are summarized together, because reducing a vector costs
/// as much as loading ten.
constexpr std::int64_t kShortestRun = 16;

}  // namespace

struct TensorObserver::State {
  State(int bins, bool channels_last) : counts(bins), channels(channels_last) {}

  std::uint64_t finite = 0;
  std::uint64_t nan = 0;
  std::uint64_t infinite = 0;
  std::optional<std::int64_t> first_non_finite_sample;
  std::vector<SampleExtremes> extremes;  // a sample may have several entries
  ExactSums sums{1};
  ExactSums squares{1};
  BinCounts counts;
  ChannelStatistics channels;
};

namespace {

/// Collects what one call of add() reads. Its sums are added to the exact sums at the end of the
/// call.
class Pass {
 public:
  Pass(BinCounts& counts, ChannelStatistics& channels) : channels_(channels), counting_(counts) {}

  void add(std::span<const float> values, const ChannelShape& shape) {
    if (shape.channels == 0) {
      add_plain(values);
    } else if (shape.inner < kShortestRun) {
      add_plain(values);
      channels_.add_short_runs(values, shape);
    } else {
      add_runs(values, static_cast<std::size_t>(shape.inner),
               static_cast<std::size_t>(shape.channels));
    }
  }

  RunSummary total{.min = INFINITY, .max = -INFINITY};
  std::uint64_t nan = 0;
  std::uint64_t infinite = 0;
  std::uint64_t finite = 0;

 private:
  void add_plain(std::span<const float> values) {
    for (std::size_t at = 0; at < values.size(); at += kBlockValues) {
      const auto block = values.subspan(at, std::min(kBlockValues, values.size() - at));
      summarize_finite(block, [](const RunSummary&, std::size_t) {});
      count_pending();
    }
  }

  void add_runs(std::span<const float> values, std::size_t inner, std::size_t channels) {
    std::size_t channel = 0;
    for (std::size_t run = 0; run < values.size(); run += inner) {
      for (std::size_t at = run; at < run + inner; at += kBlockValues) {
        const auto slice = values.subspan(at, std::min(kBlockValues, run + inner - at));
        if (pending_.size() + slice.size() > kBlockValues) count_pending();
        summarize_finite(slice, [&](const RunSummary& summary, std::size_t count) {
          channels_.add_run(channel, summary, count);
        });
      }
      channel = channel + 1 == channels ? 0 : channel + 1;
    }
    count_pending();
  }

  /// Summarizes a slice and leaves it pending, that is, not yet counted. Pending slices are
  /// adjacent in memory and fit into one block together.
  template <typename Take>
  void summarize_finite(std::span<const float> slice, const Take& take) {
    const RunSummary summary = summarize(slice);
    if (!std::isfinite(summary.sum_of_squares)) return summarize_the_finite_of(slice, take);
    take(summary, slice.size());
    join_total(summary, slice.size());
    if (pending_.empty()) {
      pending_ = slice;
      pending_summary_ = summary;
    } else {
      pending_ = {pending_.data(), pending_.size() + slice.size()};
      pending_summary_.min = std::min(pending_summary_.min, summary.min);
      pending_summary_.max = std::max(pending_summary_.max, summary.max);
      pending_summary_.zeros += summary.zeros;
    }
  }

  template <typename Take>
  void summarize_the_finite_of(std::span<const float> slice, const Take& take) {
    count_pending();
    std::vector<float> kept;
    for (const float value : slice) {
      if (std::isnan(value)) {
        ++nan;
      } else if (std::isinf(value)) {
        ++infinite;
      } else {
        kept.push_back(value);
      }
    }
    if (kept.empty()) return;
    const RunSummary summary = summarize(kept);
    take(summary, kept.size());
    join_total(summary, kept.size());
    counting_.add(kept, summary);
  }

  void join_total(const RunSummary& summary, std::size_t count) {
    finite += count;
    total.min = std::min(total.min, summary.min);
    total.max = std::max(total.max, summary.max);
    total.sum += summary.sum;
    total.sum_of_squares += summary.sum_of_squares;
  }

  void count_pending() {
    if (!pending_.empty()) counting_.add(pending_, pending_summary_);
    pending_ = {};
  }

  ChannelStatistics& channels_;
  BinCounts::Counting counting_;
  std::span<const float> pending_;  // summarized, not yet counted
  RunSummary pending_summary_;
};

}  // namespace

TensorObserver::TensorObserver(int bins, bool channels_last) {
  if (bins < 16 || bins > 32768 || !std::has_single_bit(static_cast<unsigned>(bins))) {
    throw InvalidInput(
        fmt::format("observe: {} histogram bins, expected a power of two from 16 to 32768", bins));
  }
  state_ = std::make_unique<State>(bins, channels_last);
}

TensorObserver::~TensorObserver() = default;
TensorObserver::TensorObserver(TensorObserver&&) noexcept = default;
TensorObserver& TensorObserver::operator=(TensorObserver&&) noexcept = default;

void TensorObserver::add(std::int64_t sample, const Tensor& values) {
  const Tensor floats = to_float32(values);
  if (floats.size() == 0) return;
  State& state = *state_;
  const ChannelShape shape = state.channels.shape_of(floats.shape());
  Pass pass(state.counts, state.channels);
  pass.add(floats.values<float>(), shape);
  state.finite += pass.finite;
  state.nan += pass.nan;
  state.infinite += pass.infinite;
  if (pass.nan + pass.infinite > 0) {
    state.first_non_finite_sample = earlier(state.first_non_finite_sample, sample);
  }
  if (pass.finite == 0) return;
  state.sums.add(0, pass.total.sum);
  state.squares.add(0, pass.total.sum_of_squares);
  const SampleExtremes extremes{.sample = sample, .min = pass.total.min, .max = pass.total.max};
  if (!state.extremes.empty() && state.extremes.back().sample == sample) {
    join(state.extremes.back(), extremes);
  } else {
    state.extremes.push_back(extremes);
  }
}

void TensorObserver::merge(const TensorObserver& other) {
  State& state = *state_;
  const State& more = *other.state_;
  state.finite += more.finite;
  state.nan += more.nan;
  state.infinite += more.infinite;
  state.first_non_finite_sample =
      earlier(state.first_non_finite_sample, more.first_non_finite_sample);
  state.extremes.insert(state.extremes.end(), more.extremes.begin(), more.extremes.end());
  state.sums.merge(more.sums);
  state.squares.merge(more.squares);
  state.counts.merge(more.counts);
  state.channels.merge(more.channels);
}

std::optional<std::int64_t> TensorObserver::first_non_finite_sample() const {
  return state_->first_non_finite_sample;
}

TensorStatistics TensorObserver::statistics() const {
  const State& state = *state_;
  TensorStatistics statistics;
  statistics.count = state.finite;
  statistics.nan_count = state.nan;
  statistics.infinite_count = state.infinite;
  statistics.sum = state.sums.value(0);
  statistics.sum_of_squares = state.squares.value(0);
  for (const SampleExtremes& entry : in_sample_order(state.extremes)) {
    statistics.min =
        statistics.sample_min.empty() ? entry.min : std::min(statistics.min, entry.min);
    statistics.max =
        statistics.sample_max.empty() ? entry.max : std::max(statistics.max, entry.max);
    statistics.sample_min.push_back(entry.min);
    statistics.sample_max.push_back(entry.max);
  }
  statistics.histogram = state.counts.histogram();
  state.channels.write(statistics);
  statistics.first_non_finite_sample = state.first_non_finite_sample;
  return statistics;
}

}  // namespace quantsearch
