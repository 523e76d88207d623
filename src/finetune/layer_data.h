#pragma once

// The inputs of a layer from the quantized network and its target outputs from the float network,
// sample by sample, as columns.

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "finetune/float_values.h"
#include "finetune/layers.h"
#include "finetune/network.h"

namespace quantsearch::reconstruction {

class LayerData : public LayerSamples {
 public:
  struct Options {
    std::int64_t samples = 0;
    double drop_ratio = 1;
    std::int64_t cache_bytes = 0;  // columns that may be kept
  };
  /// `quantized` has the layer's input and `reference` its target. `held` is the buffer for many
  /// columns, which is reused from layer to layer. All arguments must outlive the object.
  LayerData(const TunableLayer& layer, const Network& quantized, const FloatValues& reference,
            const Options& options, Columns& held);

  /// Reserves address space for the columns of most layers, so that `held` does not move to new
  /// memory, which the system clears first, whenever a layer has more columns than those before.
  static void reserve(Columns& held);

  [[nodiscard]] std::int64_t count() const override { return options_.samples; }
  /// True when the layer's output is empty for every sample.
  [[nodiscard]] bool is_empty() const {
    return std::ranges::all_of(positions_, [](std::int64_t positions) { return positions == 0; });
  }
  /// A sample of more than kPositionsPerStep positions has several parts, each spread over the
  /// whole sample; `seed` chooses one.
  [[nodiscard]] const Columns& read(const std::vector<std::int64_t>& samples, std::uint64_t seed,
                                    Columns& own) const override;

  /// From this call on, the columns of each part are gathered once and kept, provided that all of
  /// them fit into cache_bytes.
  void keep_parts();

  /// Second moments over 80 K positions, at least 2,048 and at most max(16 K, 8192), spread over
  /// all samples (all positions when there are fewer). More positions change the result by less
  /// than other data would (docs/algorithms/gptq.md).
  [[nodiscard]] Moments moments(ThreadPool& pool, const CancellationToken& token);

  /// Columns of positions spread over all samples. They are those of the moments when these were
  /// gathered at once; otherwise there are at most as many, 4 K of them if 64 MiB are enough.
  [[nodiscard]] const Columns& spread_columns(ThreadPool& pool);

  /// Positions of an image are similar, so more positions of one image make a step slower but not
  /// better (docs/algorithms/adaround.md).
  static constexpr std::int64_t kPositionsPerStep = 256;

 private:
  struct Piece {  // a part of one sample
    std::int64_t sample = 0;
    std::int64_t first = 0;
    std::int64_t step = 1;
    std::uint64_t drop_seed = 0;
  };
  [[nodiscard]] std::int64_t positions(std::int64_t sample) const;
  [[nodiscard]] std::int64_t parts(std::int64_t sample) const;
  /// Pieces with about `wanted` positions spread over all samples, at least 8 of each if it has as
  /// many.
  [[nodiscard]] std::vector<Piece> spread(std::int64_t wanted) const;
  [[nodiscard]] std::shared_ptr<const PositionTable> table(const Shape& input, const Shape& output,
                                                           const Piece& piece) const;
  [[nodiscard]] Tensor input(const Piece& piece) const;
  void gather(const std::vector<Piece>& pieces, ThreadPool* pool, Columns& columns) const;

  const TunableLayer& layer_;
  const Network& quantized_;
  const FloatValues& reference_;
  Options options_;
  std::vector<std::int64_t> positions_;  // by sample, of the layer's output
  Columns& held_;
  bool holds_all_ = false;                // held_ has the columns of the moments
  std::vector<std::int64_t> first_part_;  // by sample; empty: parts are not kept
  mutable std::vector<Columns> parts_;
  mutable std::deque<std::once_flag> made_;  // by part
  using TableKey = std::tuple<Shape, Shape, std::int64_t, std::int64_t>;
  mutable std::mutex mutex_;  // guards tables_
  mutable std::map<TableKey, std::shared_ptr<const PositionTable>> tables_;
};

}  // namespace quantsearch::reconstruction
