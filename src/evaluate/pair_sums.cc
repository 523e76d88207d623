#include "evaluate/pair_sums.h"

#include <algorithm>
#include <cmath>

// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each
// instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "evaluate/pair_sums.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// This header must follow highway.h, which it needs.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Doubles = hn::ScalableTag<double>;
using Floats = hn::Rebind<float, Doubles>;

PairSums sum_pair(const float* HWY_RESTRICT reference, const float* HWY_RESTRICT candidate,
                  std::size_t count) {
  const Doubles d;
  const Floats f;
  const std::size_t lanes = hn::Lanes(d);
  auto absolute = hn::Zero(d);
  auto squared = hn::Zero(d);
  auto energy_r = hn::Zero(d);
  auto energy_c = hn::Zero(d);
  auto product = hn::Zero(d);
  auto peak = hn::Zero(f);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto narrow = hn::LoadU(f, reference + i);
    const auto r = hn::PromoteTo(d, narrow);
    const auto c = hn::PromoteTo(d, hn::LoadU(f, candidate + i));
    const auto difference = hn::Sub(r, c);
    absolute = hn::Add(absolute, hn::Abs(difference));
    squared = hn::MulAdd(difference, difference, squared);
    energy_r = hn::MulAdd(r, r, energy_r);
    energy_c = hn::MulAdd(c, c, energy_c);
    product = hn::MulAdd(r, c, product);
    peak = hn::Max(peak, hn::Abs(narrow));
  }
  PairSums sums{.absolute_difference = hn::GetLane(hn::SumOfLanes(d, absolute)),
                .squared_difference = hn::GetLane(hn::SumOfLanes(d, squared)),
                .squared_reference = hn::GetLane(hn::SumOfLanes(d, energy_r)),
                .squared_candidate = hn::GetLane(hn::SumOfLanes(d, energy_c)),
                .product = hn::GetLane(hn::SumOfLanes(d, product)),
                .peak = static_cast<double>(hn::GetLane(hn::MaxOfLanes(f, peak))),
                .count = count};
  for (; i < count; ++i) {
    const double r = static_cast<double>(reference[i]);
    const double c = static_cast<double>(candidate[i]);
    sums.absolute_difference += std::abs(r - c);
    sums.squared_difference += (r - c) * (r - c);
    sums.squared_reference += r * r;
    sums.squared_candidate += c * c;
    sums.product += r * c;
    sums.peak = std::max(sums.peak, std::abs(r));
  }
  return sums;
}

float max_of(const float* HWY_RESTRICT values, std::size_t count) {
  const hn::ScalableTag<float> f;
  const std::size_t lanes = hn::Lanes(f);
  auto largest = hn::Set(f, values[0]);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) largest = hn::Max(largest, hn::LoadU(f, values + i));
  float result = hn::GetLane(hn::MaxOfLanes(f, largest));
  for (; i < count; ++i) result = std::max(result, values[i]);
  return result;
}

double kl_of_row(const float* HWY_RESTRICT reference, const float* HWY_RESTRICT candidate,
                 std::size_t count) {
  const Doubles d;
  const Floats f;
  const std::size_t lanes = hn::Lanes(d);
  const double max_r = static_cast<double>(max_of(reference, count));
  const double max_c = static_cast<double>(max_of(candidate, count));
  const auto shift_r = hn::Set(d, max_r);
  const auto shift_c = hn::Set(d, max_c);
  auto total_r = hn::Zero(d);
  auto total_c = hn::Zero(d);
  auto weighted = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto r = hn::Sub(hn::PromoteTo(d, hn::LoadU(f, reference + i)), shift_r);
    const auto c = hn::Sub(hn::PromoteTo(d, hn::LoadU(f, candidate + i)), shift_c);
    const auto exp_r = hn::Exp(d, r);
    total_r = hn::Add(total_r, exp_r);
    total_c = hn::Add(total_c, hn::Exp(d, c));
    weighted = hn::MulAdd(exp_r, hn::Sub(r, c), weighted);
  }
  double sum_r = hn::GetLane(hn::SumOfLanes(d, total_r));
  double sum_c = hn::GetLane(hn::SumOfLanes(d, total_c));
  double sum_weighted = hn::GetLane(hn::SumOfLanes(d, weighted));
  for (; i < count; ++i) {
    const double r = static_cast<double>(reference[i]) - max_r;
    const double c = static_cast<double>(candidate[i]) - max_c;
    sum_r += std::exp(r);
    sum_c += std::exp(c);
    sum_weighted += std::exp(r) * (r - c);
  }
  // Rounding may give a value slightly below zero, which no divergence has.
  return std::max(0.0, sum_weighted / sum_r - std::log(sum_r) + std::log(sum_c));
}

double sum_kl(const float* HWY_RESTRICT reference, const float* HWY_RESTRICT candidate,
              std::size_t rows, std::size_t row_length) {
  double sum = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    sum += kl_of_row(reference + row * row_length, candidate + row * row_length, row_length);
  }
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace quantsearch
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch {

HWY_EXPORT(sum_pair);
HWY_EXPORT(sum_kl);

PairSums sum_pair(std::span<const float> reference, std::span<const float> candidate) {
  return HWY_DYNAMIC_DISPATCH(sum_pair)(reference.data(), candidate.data(), reference.size());
}

double sum_kl(std::span<const float> reference, std::span<const float> candidate,
              std::size_t row_length) {
  return HWY_DYNAMIC_DISPATCH(sum_kl)(reference.data(), candidate.data(),
                                      reference.size() / row_length, row_length);
}

}  // namespace quantsearch
#endif
