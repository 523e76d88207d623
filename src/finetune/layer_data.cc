#include "finetune/layer_data.h"

#include <algorithm>

#include "finetune/moments.h"
#include "quantsearch/base/random.h"

namespace quantsearch::reconstruction {

namespace {

/// Columns made at once for the moments: enough for the matrix products to run at their rate.
constexpr std::int64_t kChunkBytes = std::int64_t{32} << 20;
/// Columns held for a solver that needs all of its columns at once: enough for the layer where that
/// stays below the second size, and no more than the first holds. Not a share of the budget, which
/// must not change results.
constexpr std::int64_t kHandyBytes = std::int64_t{16} << 20;
constexpr std::int64_t kMostHeldBytes = std::int64_t{64} << 20;
constexpr std::size_t kMostTables = 64;

void resize(Columns& columns, const LayerShape& shape, std::int64_t count) {
  columns.count = count;
  columns.inputs.resize(static_cast<std::size_t>(shape.groups * shape.columns * count));
  columns.targets.resize(static_cast<std::size_t>(shape.outputs() * count));
}

std::int64_t column_bytes(const LayerShape& shape) {
  return static_cast<std::int64_t>(sizeof(float)) *
         (shape.groups * shape.columns + shape.outputs());
}

std::int64_t wanted_columns(const LayerShape& shape) {
  return std::max<std::int64_t>(16 * shape.columns, 8192);
}

}  // namespace

LayerData::LayerData(const TunableLayer& layer, const Network& quantized, const Network& reference,
                     const Options& options, Buffers& buffers)
    : layer_(layer),
      quantized_(quantized),
      reference_(reference),
      options_(options),
      buffers_(buffers) {}

std::int64_t LayerData::positions(std::int64_t sample) const {
  return count_positions(layer_.geometry, reference_.value(layer_.target, sample).shape());
}

std::shared_ptr<const PositionTable> LayerData::table(const Shape& input, const Shape& output,
                                                      const Piece& piece) const {
  const TableKey key{input, output, piece.first, piece.step};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = tables_.find(key); found != tables_.end()) return found->second;
  }
  auto made = std::make_shared<const PositionTable>(
      position_table(layer_.geometry, input, output, piece.first, piece.step));
  const std::lock_guard lock(mutex_);
  if (tables_.size() < kMostTables) tables_[key] = made;
  return made;
}

Tensor LayerData::input(const Piece& piece) const {
  Tensor values = quantized_.value(layer_.input, piece.sample);
  if (options_.drop_ratio >= 1) return values;
  const Tensor exact = reference_.value(layer_.float_input, piece.sample);
  RandomStream random(piece.drop_seed, piece.sample, "drop");
  const std::span<const float> floats = exact.values<float>();
  const std::span<float> mixed = values.mutable_values<float>();
  for (std::size_t at = 0; at < mixed.size(); ++at) {
    if (random.uniform() >= options_.drop_ratio) mixed[at] = floats[at];
  }
  return values;
}

void LayerData::gather(const std::vector<Piece>& pieces, ThreadPool* pool, Columns& columns) const {
  std::vector<Tensor> targets;
  std::vector<std::int64_t> begins = {0};
  for (const Piece& piece : pieces) {
    targets.push_back(reference_.value(layer_.target, piece.sample));
    const std::int64_t all = count_positions(layer_.geometry, targets.back().shape());
    begins.push_back(begins.back() + (all - piece.first + piece.step - 1) / piece.step);
  }
  resize(columns, layer_.geometry.shape, begins.back());
  const auto one = [&](std::int64_t at, int) {
    const Piece& piece = pieces[static_cast<std::size_t>(at)];
    const Tensor& target = targets[static_cast<std::size_t>(at)];
    const Tensor values = input(piece);
    const auto positions = table(values.shape(), target.shape(), piece);
    gather_inputs(layer_.geometry, *positions, values, begins[static_cast<std::size_t>(at)],
                  columns);
    gather_targets(layer_.geometry, *positions, target, begins[static_cast<std::size_t>(at)],
                   columns);
  };
  const auto count = static_cast<std::int64_t>(pieces.size());
  if (pool != nullptr) {
    pool->parallel_for(count, one);
  } else {
    for (std::int64_t at = 0; at < count; ++at) one(at, 0);
  }
}

void LayerData::prepare(ThreadPool& pool) {
  std::int64_t bytes = 0;
  for (std::int64_t sample = 0; sample < options_.samples; ++sample) {
    const std::int64_t here = positions(sample);
    if (here > kPositionsPerSample) return;  // each step chooses others
    bytes += here * column_bytes(layer_.geometry.shape);
  }
  if (bytes > options_.cache_bytes || options_.drop_ratio < 1) return;
  buffers_.samples.resize(static_cast<std::size_t>(options_.samples));
  pool.parallel_for(options_.samples, [&](std::int64_t sample, int) {
    gather({{.sample = sample}}, nullptr, buffers_.samples[static_cast<std::size_t>(sample)]);
  });
  is_prepared_ = true;
}

const Columns* LayerData::ready(std::int64_t sample) const {
  return is_prepared_ ? &buffers_.samples[static_cast<std::size_t>(sample)] : nullptr;
}

void LayerData::read(const std::vector<std::int64_t>& samples, std::uint64_t drop_seed,
                     Columns& columns) const {
  std::vector<Piece> pieces;
  for (const std::int64_t sample : samples) {
    const std::int64_t step = (positions(sample) + kPositionsPerSample - 1) / kPositionsPerSample;
    RandomStream random(drop_seed, sample, "positions");
    pieces.push_back(
        {.sample = sample,
         .first = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(step))),
         .step = step,
         .drop_seed = drop_seed});
  }
  gather(pieces, nullptr, columns);
}

std::vector<LayerData::Piece> LayerData::spread(std::int64_t wanted) const {
  constexpr std::int64_t kLeastPerSample = 8;
  const std::int64_t per_sample =
      std::max(kLeastPerSample, (wanted + options_.samples - 1) / options_.samples);
  std::vector<Piece> pieces;
  for (std::int64_t sample = 0; sample < options_.samples; ++sample) {
    const std::int64_t step = std::max<std::int64_t>(1, positions(sample) / per_sample);
    pieces.push_back(
        {.sample = sample, .first = sample * 7919 % step, .step = step, .drop_seed = 0});
  }
  return pieces;
}

const Columns& LayerData::spread_columns(ThreadPool& pool) {
  if (holds_all_) return buffers_.held;
  const LayerShape& shape = layer_.geometry.shape;
  const std::int64_t handy = std::min(wanted_columns(shape), kHandyBytes / column_bytes(shape));
  const std::int64_t enough = std::max(handy, 4 * shape.columns);
  gather(spread(std::min(enough, kMostHeldBytes / column_bytes(shape))), &pool, buffers_.held);
  return buffers_.held;
}

Moments LayerData::moments(ThreadPool& pool, const CancellationToken& token) {
  const LayerShape& shape = layer_.geometry.shape;
  MomentsAccumulator accumulator(shape);
  std::vector<Piece> chunk;
  std::int64_t bytes = 0;
  std::int64_t flushes = 0;
  const auto flush = [&] {
    token.throw_if_cancelled();
    ++flushes;
    gather(chunk, &pool, buffers_.held);
    accumulator.add(buffers_.held, pool);
    chunk.clear();
    bytes = 0;
  };
  for (const Piece& piece : spread(wanted_columns(shape))) {
    chunk.push_back(piece);
    bytes += (positions(piece.sample) / piece.step + 1) * column_bytes(shape);
    if (bytes >= kChunkBytes) flush();
  }
  if (!chunk.empty()) flush();
  holds_all_ = flushes == 1;
  return accumulator.moments();
}

}  // namespace quantsearch::reconstruction
