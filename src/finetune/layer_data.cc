#include "finetune/layer_data.h"

#include <algorithm>

#include "finetune/solvers/moments.h"
#include "quantsearch/base/random.h"

namespace quantsearch::reconstruction {

namespace {

/// Columns gathered at once for the moments, enough for the matrix products to run at full speed.
constexpr std::int64_t kChunkBytes = std::int64_t{32} << 20;
/// Limits for the columns held for a solver that needs all of its columns at once: usually the
/// first, and up to the second where the layer needs 4 K columns. They are not shares of the
/// budget, which must not change results.
constexpr std::int64_t kHandyBytes = std::int64_t{16} << 20;
constexpr std::int64_t kMostHeldBytes = std::int64_t{64} << 20;
constexpr std::size_t kMostTables = 64;

void resize(Columns& columns, const LayerShape& shape, std::int64_t count) {
  columns.count = count;
  // The values of other columns need not move to a larger buffer.
  columns.inputs.clear();
  columns.targets.clear();
  columns.inputs.resize(static_cast<std::size_t>(shape.groups * shape.columns * count));
  columns.targets.resize(static_cast<std::size_t>(shape.outputs() * count));
}

std::int64_t column_bytes(const LayerShape& shape) {
  return static_cast<std::int64_t>(sizeof(float)) *
         (shape.groups * shape.columns + shape.outputs());
}

/// From 80 columns for each input on, more of them change neither the ridge (default_ridge) nor the
/// error beyond what other samples would; layers with few inputs for each output, above all
/// depthwise ones, spent most of their time on them.
std::int64_t wanted_columns(const LayerShape& shape) {
  const std::int64_t enough = std::clamp<std::int64_t>(80 * shape.columns, 2048, 8192);
  return std::max(16 * shape.columns, enough);
}

}  // namespace

LayerData::LayerData(const TunableLayer& layer, const Network& quantized,
                     const FloatValues& reference, const Options& options, Columns& held)
    : layer_(layer), quantized_(quantized), reference_(reference), options_(options), held_(held) {
  for (std::int64_t sample = 0; sample < options.samples; ++sample) {
    const Tensor target = reference.value(layer.stored.output, sample);
    positions_.push_back(count_positions(layer.geometry, target.shape()));
  }
}

void LayerData::reserve(Columns& held) {
  held.inputs.reserve(static_cast<std::size_t>(kChunkBytes) / sizeof(float));
  held.targets.reserve(static_cast<std::size_t>(kChunkBytes) / sizeof(float));
}

std::int64_t LayerData::positions(std::int64_t sample) const {
  return positions_[static_cast<std::size_t>(sample)];
}

std::int64_t LayerData::parts(std::int64_t sample) const {
  return std::max<std::int64_t>(1, (positions(sample) + kPositionsPerStep - 1) / kPositionsPerStep);
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
  std::vector<std::int64_t> begins = {0};
  for (const Piece& piece : pieces) {
    const std::int64_t left = positions(piece.sample) - piece.first;
    begins.push_back(begins.back() + (left + piece.step - 1) / piece.step);
  }
  resize(columns, layer_.geometry.shape, begins.back());
  const auto one = [&](std::int64_t at, int) {
    const Piece& piece = pieces[static_cast<std::size_t>(at)];
    // The values are read here and not earlier, because values mapped from a file leave the memory
    // when the next ones are read.
    const Tensor target = reference_.value(layer_.stored.output, piece.sample);
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

void LayerData::keep_parts() {
  if (options_.drop_ratio < 1) return;  // the choice of float inputs changes from step to step
  std::vector<std::int64_t> first;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  for (std::int64_t sample = 0; sample < options_.samples; ++sample) {
    first.push_back(count);
    count += parts(sample);
    bytes += positions(sample) * column_bytes(layer_.geometry.shape);
  }
  if (bytes > options_.cache_bytes) return;
  parts_.resize(static_cast<std::size_t>(count));
  made_.resize(static_cast<std::size_t>(count));
  first_part_ = std::move(first);
}

const Columns& LayerData::read(const std::vector<std::int64_t>& samples, std::uint64_t seed,
                               Columns& own) const {
  std::vector<Piece> pieces;
  for (const std::int64_t sample : samples) {
    const std::int64_t step = parts(sample);
    RandomStream random(seed, sample, "positions");
    pieces.push_back(
        {.sample = sample,
         .first = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(step))),
         .step = step,
         .drop_seed = seed});
  }
  if (samples.size() > 1 || first_part_.empty()) {
    gather(pieces, nullptr, own);
    return own;
  }
  const std::int64_t part =
      first_part_[static_cast<std::size_t>(samples[0])] + pieces.front().first;
  Columns& kept = parts_[static_cast<std::size_t>(part)];
  std::call_once(made_[static_cast<std::size_t>(part)], [&] { gather(pieces, nullptr, kept); });
  return kept;
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
  if (holds_all_) return held_;
  const LayerShape& shape = layer_.geometry.shape;
  const std::int64_t handy = std::min(wanted_columns(shape), kHandyBytes / column_bytes(shape));
  const std::int64_t enough = std::max(handy, 4 * shape.columns);
  gather(spread(std::min(enough, kMostHeldBytes / column_bytes(shape))), &pool, held_);
  return held_;
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
    gather(chunk, &pool, held_);
    accumulator.add(held_, pool);
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
