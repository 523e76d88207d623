#pragma once

// What a layer reads in the quantized network and should give as in the float one, sample by
// sample, as columns.

#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "finetune/layers.h"
#include "finetune/network.h"

namespace quantsearch::reconstruction {

class LayerData : public LayerSamples {
 public:
  struct Options {
    std::int64_t samples = 0;
    double drop_ratio = 1;
    std::int64_t cache_bytes = 0;  // columns that may be kept ready
  };
  /// Columns' memory, which keeps its size from layer to layer.
  struct Buffers {
    std::vector<Columns> samples;
    Columns held;
  };
  /// Both networks know the layer's input and target. All arguments outlive this.
  LayerData(const TunableLayer& layer, const Network& quantized, const Network& reference,
            const Options& options, Buffers& buffers);

  [[nodiscard]] std::int64_t count() const override { return options_.samples; }
  /// At most kPositionsPerSample positions of a sample, chosen by `drop_seed` when it has more.
  void read(const std::vector<std::int64_t>& samples, std::uint64_t drop_seed,
            Columns& columns) const override;
  [[nodiscard]] const Columns* ready(std::int64_t sample) const override;

  /// Makes the columns of all samples at once when they fit into cache_bytes.
  void prepare(ThreadPool& pool);

  /// Second moments over max(16 K, 8192) positions spread over all samples (all when there are
  /// fewer): more change the result by less than the data do (docs/algorithms/gptq.md).
  [[nodiscard]] Moments moments(ThreadPool& pool, const CancellationToken& token);

  /// Those of the moments when they were few enough bytes to be made at once, else columns of such
  /// positions, at most as many; 4 K of them where 64 MiB hold that many.
  [[nodiscard]] const Columns& spread_columns(ThreadPool& pool);

  static constexpr std::int64_t kPositionsPerSample = 4096;

 private:
  struct Piece {  // the part of one sample
    std::int64_t sample = 0;
    std::int64_t first = 0;
    std::int64_t step = 1;
    std::uint64_t drop_seed = 0;
  };
  [[nodiscard]] std::int64_t positions(std::int64_t sample) const;
  /// About `wanted` positions spread over all samples, at least a few of each.
  [[nodiscard]] std::vector<Piece> spread(std::int64_t wanted) const;
  [[nodiscard]] std::shared_ptr<const PositionTable> table(const Shape& input, const Shape& output,
                                                           const Piece& piece) const;
  [[nodiscard]] Tensor input(const Piece& piece) const;
  void gather(const std::vector<Piece>& pieces, ThreadPool* pool, Columns& columns) const;

  const TunableLayer& layer_;
  const Network& quantized_;
  const Network& reference_;
  Options options_;
  Buffers& buffers_;
  bool is_prepared_ = false;  // buffers_.samples are this layer's
  bool holds_all_ = false;    // buffers_.held are the columns of the moments
  using TableKey = std::tuple<Shape, Shape, std::int64_t, std::int64_t>;
  mutable std::mutex mutex_;  // guards tables_
  mutable std::map<TableKey, std::shared_ptr<const PositionTable>> tables_;
};

}  // namespace quantsearch::reconstruction
