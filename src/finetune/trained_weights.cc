#include "finetune/trained_weights.h"

#include <algorithm>
#include <cmath>

#include "finetune/moments.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune/trained_weights.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// After highway.h, which it needs.
#include <hwy/contrib/math/math-inl.h>

#ifndef QUANTSEARCH_FINETUNE_TRAINED_ROW
#define QUANTSEARCH_FINETUNE_TRAINED_ROW
namespace quantsearch::reconstruction {

/// `count` weights of one grid.
struct TrainedRow {
  std::int64_t count;
  float scale, low, high;  // limits less the zero point
  const float* floors;     // learned rounding only
  float* sigmoids;         // learned rounding only: of the numbers
  float* numbers;          // what is trained
  float* first;
  float* second;
  const float* gradient;  // by the weights; null: nothing moves
  float* values;          // out: the weights
};

}  // namespace quantsearch::reconstruction
#endif

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Single = hn::CappedTag<float, 1>;

/// The change that Adam makes, from the gradient at `at`.
template <class D>
HWY_INLINE hn::Vec<D> AdamChange(D tag, hn::Vec<D> gradient, const StepRates& rates, float* first,
                                 float* second) {
  const auto mean = hn::MulAdd(hn::Set(tag, 0.1F), hn::Sub(gradient, hn::LoadU(tag, first)),
                               hn::LoadU(tag, first));
  const auto square =
      hn::MulAdd(hn::Set(tag, 0.001F), hn::Sub(hn::Mul(gradient, gradient), hn::LoadU(tag, second)),
                 hn::LoadU(tag, second));
  hn::StoreU(mean, tag, first);
  hn::StoreU(square, tag, second);
  const auto size = hn::Sqrt(hn::Mul(square, hn::Set(tag, rates.second_correction)));
  return hn::Div(hn::Mul(mean, hn::Set(tag, rates.learning_rate * rates.first_correction)),
                 hn::Add(size, hn::Set(tag, 1e-8F)));
}

template <class D>
HWY_INLINE hn::Vec<D> Sigmoid(D tag, hn::Vec<D> number) {
  const auto bounded = hn::Min(hn::Max(number, hn::Set(tag, -80.0F)), hn::Set(tag, 80.0F));
  const auto one = hn::Set(tag, 1.0F);
  return hn::Div(one, hn::Add(one, hn::Exp(tag, hn::Neg(bounded))));
}

/// h = 1.2 sigmoid - 0.1, not yet clipped.
template <class D>
HWY_INLINE hn::Vec<D> Stretched(D tag, hn::Vec<D> sigmoid) {
  return hn::MulAdd(sigmoid, hn::Set(tag, 1.2F), hn::Set(tag, -0.1F));
}

/// The gradient of the loss and the regularizer by the number behind a weight.
template <class D>
HWY_INLINE hn::Vec<D> RoundingGradient(D tag, std::int64_t at, const TrainedRow& row,
                                       const StepRates& rates) {
  const auto zero = hn::Zero(tag);
  const auto one = hn::Set(tag, 1.0F);
  const auto sigmoid = hn::LoadU(tag, row.sigmoids + at);
  const auto soft = Stretched(tag, sigmoid);
  const auto is_soft = hn::And(hn::Ge(soft, zero), hn::Le(soft, one));
  // Most weights are decided sooner or later: nothing pulls at them any more.
  if (hn::AllFalse(tag, is_soft)) return zero;
  const auto place = hn::Add(hn::LoadU(tag, row.floors + at), soft);
  const auto inside =
      hn::And(hn::Ge(place, hn::Set(tag, row.low)), hn::Le(place, hn::Set(tag, row.high)));
  auto gradient = hn::IfThenElseZero(
      inside, hn::Mul(hn::LoadU(tag, row.gradient + at), hn::Set(tag, row.scale)));
  if (rates.regularization != 0) {
    // 1 - |2h - 1|^beta pulls h to 0 or 1.
    const auto signed_distance = hn::MulAdd(soft, hn::Set(tag, 2.0F), hn::Set(tag, -1.0F));
    const auto distance = hn::Max(hn::Abs(signed_distance), hn::Set(tag, 1e-30F));
    const auto power =
        hn::Exp(tag, hn::Max(hn::Mul(hn::Log(tag, distance), hn::Set(tag, rates.beta - 1)),
                             hn::Set(tag, -87.0F)));
    const auto pull = hn::Mul(power, hn::Set(tag, 2 * rates.beta * rates.regularization));
    gradient = hn::Sub(gradient, hn::CopySign(pull, signed_distance));
  }
  const auto slope = hn::Mul(hn::Mul(sigmoid, hn::Sub(one, sigmoid)), hn::Set(tag, 1.2F));
  return hn::IfThenElseZero(is_soft, hn::Mul(gradient, slope));
}

template <class D>
HWY_INLINE void RoundingAt(D tag, std::int64_t at, const TrainedRow& row, const StepRates& rates) {
  auto sigmoid = hn::LoadU(tag, row.sigmoids + at);
  if (row.gradient != nullptr) {
    const auto number = hn::Sub(hn::LoadU(tag, row.numbers + at),
                                AdamChange(tag, RoundingGradient(tag, at, row, rates), rates,
                                           row.first + at, row.second + at));
    hn::StoreU(number, tag, row.numbers + at);
    sigmoid = Sigmoid(tag, number);
    hn::StoreU(sigmoid, tag, row.sigmoids + at);
  }
  const auto soft = hn::Min(hn::Max(Stretched(tag, sigmoid), hn::Zero(tag)), hn::Set(tag, 1.0F));
  const auto place = hn::Add(hn::LoadU(tag, row.floors + at), soft);
  hn::StoreU(hn::Mul(hn::Min(hn::Max(place, hn::Set(tag, row.low)), hn::Set(tag, row.high)),
                     hn::Set(tag, row.scale)),
             tag, row.values + at);
}

template <class D>
HWY_INLINE void StraightAt(D tag, std::int64_t at, const TrainedRow& row, const StepRates& rates) {
  const auto scale = hn::Set(tag, row.scale);
  const auto low = hn::Set(tag, row.low);
  const auto high = hn::Set(tag, row.high);
  auto number = hn::LoadU(tag, row.numbers + at);
  if (row.gradient != nullptr) {
    const auto place = hn::Round(hn::Div(number, scale));
    const auto inside = hn::And(hn::Ge(place, low), hn::Le(place, high));
    const auto gradient = hn::IfThenElseZero(inside, hn::LoadU(tag, row.gradient + at));
    number = hn::Sub(number, AdamChange(tag, gradient, rates, row.first + at, row.second + at));
    hn::StoreU(number, tag, row.numbers + at);
  }
  const auto place = hn::Round(hn::Div(number, scale));
  hn::StoreU(hn::Mul(hn::Min(hn::Max(place, low), high), scale), tag, row.values + at);
}

void RoundingRow(const TrainedRow& row, const StepRates& rates) {
  const Tag tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  std::int64_t at = 0;
  for (; at + lanes <= row.count; at += lanes) RoundingAt(tag, at, row, rates);
  for (; at < row.count; ++at) RoundingAt(Single(), at, row, rates);
}

void StraightRow(const TrainedRow& row, const StepRates& rates) {
  const Tag tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  std::int64_t at = 0;
  for (; at + lanes <= row.count; at += lanes) StraightAt(tag, at, row, rates);
  for (; at < row.count; ++at) StraightAt(Single(), at, row, rates);
}

}  // namespace quantsearch::reconstruction::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch::reconstruction {

HWY_EXPORT(RoundingRow);
HWY_EXPORT(StraightRow);

namespace {

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// What both methods have in common: a number, two moments and a grid for each weight.
class NumberedWeights : public TrainedWeights {
 public:
  explicit NumberedWeights(const LayerWeights& layer)
      : shape_(layer.shape),
        grid_(layer.grid),
        numbers_(layer.values.size()),
        first_(layer.values.size()),
        second_(layer.values.size()) {}

  void weights(const WeightSpan& span, float* values) override { step(span, {}, nullptr, values); }

  void step(const WeightSpan& span, const StepRates& rates, const float* gradient,
            float* values) override {
    std::int64_t count = 0;
    for (std::int64_t at = 0; at < span.count; at += count) {
      const std::int64_t weight = span.first + at;
      const std::size_t output = size(weight / shape_.columns);
      const std::int64_t zero_point = grid_.zero_points[output];
      // Rows of one grid are one run.
      count = shape_.columns;
      while (at + count < span.count &&
             has_grid_of(size((weight + count) / shape_.columns), output)) {
        count += shape_.columns;
      }
      run({.count = count,
           .scale = grid_.scales[output],
           .low = static_cast<float>(grid_.limits.low - zero_point),
           .high = static_cast<float>(grid_.limits.high - zero_point),
           .floors = floors_.empty() ? nullptr : floors_.data() + weight,
           .sigmoids = sigmoids_.empty() ? nullptr : sigmoids_.data() + weight,
           .numbers = numbers_.data() + weight,
           .first = first_.data() + weight,
           .second = second_.data() + weight,
           .gradient = gradient == nullptr ? nullptr : gradient + at,
           .values = values + at},
          rates);
    }
  }

  [[nodiscard]] std::vector<std::int32_t> codes() const override {
    std::vector<std::int32_t> codes(numbers_.size());
    for (std::size_t at = 0; at < codes.size(); ++at) {
      const std::size_t output = at / size(shape_.columns);
      const std::int64_t zero_point = grid_.zero_points[output];
      const auto place = static_cast<std::int64_t>(hard(at, grid_.scales[output]));
      codes[at] = static_cast<std::int32_t>(
          std::clamp(place + zero_point, grid_.limits.low, grid_.limits.high));
    }
    return codes;
  }

 private:
  [[nodiscard]] bool has_grid_of(std::size_t output, std::size_t other) const {
    return grid_.scales[output] == grid_.scales[other] &&
           grid_.zero_points[output] == grid_.zero_points[other];
  }

 protected:
  virtual void run(const TrainedRow& row, const StepRates& rates) const = 0;
  /// Weight over scale as it is written, not yet clipped.
  [[nodiscard]] virtual float hard(std::size_t at, float scale) const = 0;

  LayerShape shape_;
  WeightGrid grid_;
  std::vector<float> floors_;
  std::vector<float> sigmoids_;
  std::vector<float> numbers_;
  std::vector<float> first_;
  std::vector<float> second_;
};

class LearnedRounding final : public NumberedWeights {
 public:
  explicit LearnedRounding(const LayerWeights& layer) : NumberedWeights(layer) {
    floors_.resize(numbers_.size());
    sigmoids_.resize(numbers_.size());
    for (std::size_t at = 0; at < numbers_.size(); ++at) {
      const std::size_t output = at / size(shape_.columns);
      // Far outside the grid the weight is clipped whatever is learned; floats keep counting there.
      const float scaled = std::clamp(layer.values[at] / grid_.scales[output], -1e6F, 1e6F);
      floors_[at] = std::floor(scaled);
      // h(v) is the fraction: v = -ln(1 / sigmoid - 1), sigmoid = (fraction + 0.1) / 1.2.
      sigmoids_[at] = (scaled - floors_[at] + 0.1F) / 1.2F;
      numbers_[at] = -std::log(1.0F / sigmoids_[at] - 1.0F);
    }
  }

 private:
  void run(const TrainedRow& row, const StepRates& rates) const override {
    HWY_DYNAMIC_DISPATCH(RoundingRow)(row, rates);
  }
  [[nodiscard]] float hard(std::size_t at, float) const override {
    return floors_[at] + (numbers_[at] >= 0 ? 1.0F : 0.0F);
  }
};

class StraightThrough final : public NumberedWeights {
 public:
  explicit StraightThrough(const LayerWeights& layer) : NumberedWeights(layer) {
    numbers_ = layer.values;
  }

 private:
  void run(const TrainedRow& row, const StepRates& rates) const override {
    HWY_DYNAMIC_DISPATCH(StraightRow)(row, rates);
  }
  [[nodiscard]] float hard(std::size_t at, float scale) const override {
    return std::nearbyint(std::clamp(numbers_[at] / scale, -1e6F, 1e6F));
  }
};

}  // namespace

std::unique_ptr<TrainedWeights> learned_rounding(const LayerWeights& layer) {
  return std::make_unique<LearnedRounding>(layer);
}

std::unique_ptr<TrainedWeights> straight_through(const LayerWeights& layer) {
  return std::make_unique<StraightThrough>(layer);
}

void adam_step(const StepRates& rates, const float* gradient, std::int64_t first,
               std::int64_t count, AdamState& state, std::vector<float>& values) {
  for (std::int64_t at = 0; at < count; ++at) {
    float& mean = state.first[size(first + at)];
    float& square = state.second[size(first + at)];
    mean += 0.1F * (gradient[at] - mean);
    square += 0.001F * (gradient[at] * gradient[at] - square);
    values[size(first + at)] -= rates.learning_rate * rates.first_correction * mean /
                                (std::sqrt(square * rates.second_correction) + 1e-8F);
  }
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
