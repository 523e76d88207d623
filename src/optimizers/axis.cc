#include "optimizers/axis.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

Axis::Axis(const SearchDimension& dimension) {
  std::visit([this](const auto& kind) { set_up(kind); }, dimension);
  widen();
}

void Axis::set_up(const FloatRange& range) {
  first_ = range.low;
  last_ = range.high;
  log_ = range.log;
  if (!range.step) return;
  step_ = *range.step;
  // The tolerance is a millionth of a step: 0 to 0.3 by 0.1 has four values although 0.1 * 3 > 0.3.
  count_ = static_cast<std::int64_t>(std::floor((range.high - range.low) / step_ + 1e-6)) + 1;
  last_ = first_ + static_cast<double>(count_ - 1) * step_;
}

void Axis::set_up(const IntRange& range) {
  count_ = (range.high - range.low) / range.step + 1;
  first_ = static_cast<double>(range.low);
  last_ = static_cast<double>(range.low + (count_ - 1) * range.step);
  step_ = static_cast<double>(range.step);
  log_ = range.log;
}

void Axis::set_up(const Categories& categories) {
  count_ = categories.count;
  last_ = static_cast<double>(categories.count - 1);
  step_ = 1;
  categorical_ = !categories.ordered;
}

void Axis::widen() {
  low_ = first_ - step_ / 2;
  high_ = last_ + step_ / 2;
  if (!log_) return;
  low_ = std::log(low_);
  high_ = std::log(high_);
}

double Axis::position(double coordinate) const { return log_ ? std::log(coordinate) : coordinate; }

double Axis::coordinate(double position) const {
  double value = log_ ? std::exp(position) : position;
  if (step_ > 0) value = first_ + step_ * std::floor((value - first_) / step_ + 0.5);
  return std::clamp(value, first_, last_);
}

double Axis::to_unit(double coordinate) const {
  return width() > 0 ? (position(coordinate) - low_) / width() : 0.5;
}

double Axis::from_unit(double unit) const { return coordinate(low_ + unit * width()); }

std::vector<Axis> axes_of(const Domain& domain) {
  return {domain.dimensions.begin(), domain.dimensions.end()};
}

Coordinates random_coordinates(const std::vector<Axis>& axes, RandomStream& random) {
  Coordinates point;
  point.reserve(axes.size());
  for (const Axis& axis : axes) point.push_back(axis.from_unit(random.uniform()));
  return point;
}

}  // namespace quantsearch
