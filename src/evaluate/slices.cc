#include "evaluate/slices.h"

#include <algorithm>
#include <numeric>

#include "evaluate/sample_metrics.h"

namespace quantsearch {

namespace {

// A longer axis is taken to hold positions (anchors, pixels, words of a vocabulary) instead of
// kinds of values.
constexpr std::int64_t kLongestAxis = 1024;
// Below this number of values, over all samples, the energy of a slice says little about its scale.
constexpr std::int64_t kLeastValues = 8;
// Adjacent scales belong to one slice up to this ratio of energies, which is a factor of 8 in
// amplitude. On eight images the energies of a real detector's class scores differ from their
// neighbours by a factor of up to 3.8, and those of its boxes and scores by 4,400.
constexpr double kAlike = 64;
// A slice whose energy is below this share of the largest one's (a millionth in amplitude) is not
// distinguishable from rounding.
constexpr double kNegligible = 1e-12;

/// Calls visit(index along the axis, first element, number of elements) for every contiguous piece.
template <typename Visit>
void for_each_piece(const Shape& shape, std::size_t axis, const Visit& visit) {
  std::size_t inner = 1;
  for (std::size_t at = axis + 1; at < shape.size(); ++at)
    inner *= static_cast<std::size_t>(shape[at]);
  std::size_t outer = 1;
  for (std::size_t at = 0; at < axis; ++at) outer *= static_cast<std::size_t>(shape[at]);
  const auto length = static_cast<std::size_t>(shape[axis]);
  for (std::size_t piece = 0; piece < outer * length; ++piece)
    visit(piece % length, piece * inner, inner);
}

/// Groups the indices by similar scale; the groups and their energies begin with the largest scale.
OutputSlices grouped(std::size_t axis, const std::vector<double>& energies) {
  std::vector<std::size_t> order(energies.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return energies[a] > energies[b]; });
  OutputSlices slices{.axis = static_cast<int>(axis),
                      .slice_of = std::vector<int>(energies.size(), -1),
                      .energies = {}};
  const double largest = energies[order.front()];
  double before = 0;
  for (const std::size_t index : order) {
    if (energies[index] <= kNegligible * largest) break;
    if (slices.energies.empty() || energies[index] * kAlike < before) slices.energies.push_back(0);
    slices.slice_of[index] = static_cast<int>(slices.energies.size()) - 1;
    slices.energies.back() += energies[index];
    before = energies[index];
  }
  return slices;
}

/// Energy of the largest index of the first slice over that of the smallest index of the last
/// slice.
double spread_of(const OutputSlices& slices, const std::vector<double>& energies) {
  double smallest = 0;
  double largest = 0;
  for (std::size_t index = 0; index < energies.size(); ++index) {
    if (slices.slice_of[index] < 0) continue;
    smallest = smallest == 0 ? energies[index] : std::min(smallest, energies[index]);
    largest = std::max(largest, energies[index]);
  }
  return largest / smallest;
}

}  // namespace

void SliceSurvey::begin(const Shape& shape) {
  begun_ = true;
  axes_.resize(shape.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const bool takes_part = shape[axis] > 1 && shape[axis] <= kLongestAxis;
    axes_[axis].length = takes_part ? shape[axis] : 0;
    axes_[axis].energies.resize(static_cast<std::size_t>(axes_[axis].length));
  }
}

void SliceSurvey::add(const Sample& sample) {
  if (!begun_) begin(sample.shape);
  values_ += static_cast<std::int64_t>(sample.values.size());
  for (const float value : sample.values)
    energy_ += static_cast<double>(value) * static_cast<double>(value);
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    Axis& at = axes_[axis];
    if (at.length == 0) continue;
    if (sample.shape.size() != axes_.size() || sample.shape[axis] != at.length) {
      at.length = 0;
      continue;
    }
    for_each_piece(sample.shape, axis,
                   [&](std::size_t index, std::size_t first, std::size_t count) {
                     double sum = 0;
                     for (const float value : sample.values.subspan(first, count))
                       sum += static_cast<double>(value) * static_cast<double>(value);
                     at.energies[index] += sum;
                   });
  }
}

void SliceSurvey::merge(const SliceSurvey& other) {
  if (!other.begun_) return;
  if (!begun_) {
    *this = other;
    return;
  }
  values_ += other.values_;
  energy_ += other.energy_;
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    Axis& at = axes_[axis];
    if (axes_.size() != other.axes_.size() || at.length != other.axes_[axis].length) at.length = 0;
    if (at.length == 0) continue;
    for (std::size_t index = 0; index < at.energies.size(); ++index)
      at.energies[index] += other.axes_[axis].energies[index];
  }
}

bool SliceSurvey::is_open(std::size_t axis) const {
  const auto& dimensions = declared_->dimensions;
  if (!dimensions || dimensions->size() != axes_.size()) return false;
  return (*dimensions)[axis].size.value_or(-1) < 0;
}

bool SliceSurvey::may_hold_kinds(std::size_t axis) const {
  const std::int64_t length = axes_[axis].length;
  if (length == 0 || values_ < kLeastValues * length) return false;
  if (!is_open(axis)) return true;
  // When all axes are open, the declaration does not tell which one holds positions.
  for (std::size_t other = 0; other < axes_.size(); ++other) {
    if (axes_[other].length > 1 && !is_open(other)) return false;
  }
  return true;
}

OutputSlices SliceSurvey::slices() const {
  OutputSlices result{.axis = std::nullopt, .slice_of = {}, .energies = {energy_}};
  double widest = 1;
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    if (energy_ == 0 || !may_hold_kinds(axis)) continue;
    OutputSlices slices = grouped(axis, axes_[axis].energies);
    if (slices.energies.size() < 2) continue;
    const double spread = spread_of(slices, axes_[axis].energies);
    if (spread <= widest) continue;
    widest = spread;
    result = std::move(slices);
  }
  return result;
}

void add_slice_noise(const OutputSlices& slices, const Sample& reference, const Sample& candidate,
                     std::span<double> noise) {
  const auto energy = [&](std::size_t first, std::size_t count) {
    double sum = 0;
    for (std::size_t at = first; at < first + count; ++at) {
      const double difference =
          static_cast<double>(reference.values[at]) - static_cast<double>(candidate.values[at]);
      sum += difference * difference;
    }
    return sum;
  };
  if (!slices.axis) {
    noise[0] += energy(0, reference.values.size());
    return;
  }
  for_each_piece(reference.shape, static_cast<std::size_t>(*slices.axis),
                 [&](std::size_t index, std::size_t first, std::size_t count) {
                   const int slice = slices.slice_of[index];
                   if (slice >= 0) noise[static_cast<std::size_t>(slice)] += energy(first, count);
                 });
}

double worst_relative_noise(std::span<const double> signal, std::span<const double> noise) {
  double worst = 0;
  for (std::size_t slice = 0; slice < signal.size(); ++slice) {
    if (signal[slice] > 0)
      worst = std::max(worst, relative_noise({.signal = signal[slice], .noise = noise[slice]}));
  }
  return worst;
}

}  // namespace quantsearch
