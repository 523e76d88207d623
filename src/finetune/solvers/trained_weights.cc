#include "finetune/solvers/trained_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/moments.h"
#include "quantsearch/internal/base/sizes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune/solvers/trained_weights.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// It needs highway.h before it.
#include <hwy/contrib/math/math-inl.h>

#ifndef QUANTSEARCH_FINETUNE_TRAINED_ROW
#define QUANTSEARCH_FINETUNE_TRAINED_ROW
namespace quantsearch::reconstruction {

/// `count` weights of one grid.
struct TrainedRow {
  std::int64_t count;
  float scale, low, high;  // limits minus the zero point
  const float* floors;     // learned rounding only
  float* sigmoids;         // learned rounding only: sigmoids of the numbers
  float* numbers;          // the trained numbers
  float* first;
  float* second;
  const float* gradient;  // by the weights; null: no step is taken
  float* values;          // out: the weights
};

}  // namespace quantsearch::reconstruction
#endif

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Single = hn::CappedTag<float, 1>;

/// The change by one step of Adam; updates both moments.
template <class D>
HWY_INLINE hn::Vec<D> adam_change(D tag, hn::Vec<D> gradient, const StepRates& rates, float* first,
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
HWY_INLINE hn::Vec<D> sigmoid_of(D tag, hn::Vec<D> number) {
  const auto bounded = hn::Min(hn::Max(number, hn::Set(tag, -80.0F)), hn::Set(tag, 80.0F));
  const auto one = hn::Set(tag, 1.0F);
  return hn::Div(one, hn::Add(one, hn::Exp(tag, hn::Neg(bounded))));
}

/// h = 1.2 sigmoid - 0.1 before clipping.
template <class D>
HWY_INLINE hn::Vec<D> stretched(D tag, hn::Vec<D> sigmoid) {
  return hn::MulAdd(sigmoid, hn::Set(tag, 1.2F), hn::Set(tag, -0.1F));
}

/// The gradient of the loss and the regularizer by the number of a weight.
template <class D>
HWY_INLINE hn::Vec<D> rounding_gradient(D tag, std::int64_t at, const TrainedRow& row,
                                        const StepRates& rates) {
  const auto zero = hn::Zero(tag);
  const auto one = hn::Set(tag, 1.0F);
  const auto sigmoid = hn::LoadU(tag, row.sigmoids + at);
  const auto soft = stretched(tag, sigmoid);
  const auto is_soft = hn::And(hn::Ge(soft, zero), hn::Le(soft, one));
  // Most weights reach 0 or 1 in the course of training and then have no gradient.
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
HWY_INLINE void rounding_at(D tag, std::int64_t at, const TrainedRow& row, const StepRates& rates) {
  auto sigmoid = hn::LoadU(tag, row.sigmoids + at);
  if (row.gradient != nullptr) {
    const auto number = hn::Sub(hn::LoadU(tag, row.numbers + at),
                                adam_change(tag, rounding_gradient(tag, at, row, rates), rates,
                                            row.first + at, row.second + at));
    hn::StoreU(number, tag, row.numbers + at);
    sigmoid = sigmoid_of(tag, number);
    hn::StoreU(sigmoid, tag, row.sigmoids + at);
  }
  const auto soft = hn::Min(hn::Max(stretched(tag, sigmoid), hn::Zero(tag)), hn::Set(tag, 1.0F));
  const auto place = hn::Add(hn::LoadU(tag, row.floors + at), soft);
  hn::StoreU(hn::Mul(hn::Min(hn::Max(place, hn::Set(tag, row.low)), hn::Set(tag, row.high)),
                     hn::Set(tag, row.scale)),
             tag, row.values + at);
}

template <class D>
HWY_INLINE void straight_at(D tag, std::int64_t at, const TrainedRow& row, const StepRates& rates) {
  const auto scale = hn::Set(tag, row.scale);
  const auto low = hn::Set(tag, row.low);
  const auto high = hn::Set(tag, row.high);
  auto number = hn::LoadU(tag, row.numbers + at);
  if (row.gradient != nullptr) {
    const auto place = hn::Round(hn::Div(number, scale));
    const auto inside = hn::And(hn::Ge(place, low), hn::Le(place, high));
    const auto gradient = hn::IfThenElseZero(inside, hn::LoadU(tag, row.gradient + at));
    number = hn::Sub(number, adam_change(tag, gradient, rates, row.first + at, row.second + at));
    hn::StoreU(number, tag, row.numbers + at);
  }
  const auto place = hn::Round(hn::Div(number, scale));
  hn::StoreU(hn::Mul(hn::Min(hn::Max(place, low), high), scale), tag, row.values + at);
}

void rounding_row(const TrainedRow& row, const StepRates& rates) {
  const Tag tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  std::int64_t at = 0;
  for (; at + lanes <= row.count; at += lanes) rounding_at(tag, at, row, rates);
  for (; at < row.count; ++at) rounding_at(Single(), at, row, rates);
}

void straight_row(const TrainedRow& row, const StepRates& rates) {
  const Tag tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  std::int64_t at = 0;
  for (; at + lanes <= row.count; at += lanes) straight_at(tag, at, row, rates);
  for (; at < row.count; ++at) straight_at(Single(), at, row, rates);
}

}  // namespace quantsearch::reconstruction::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch::reconstruction {

HWY_EXPORT(rounding_row);
HWY_EXPORT(straight_row);

namespace {

/// The common part of both methods: a number, two moments and a grid for each weight.
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
      const std::size_t output = to_size(weight / shape_.columns);
      const std::int64_t zero_point = grid_.zero_points[output];
      // Consecutive rows with the same grid form one run.
      count = shape_.columns;
      while (at + count < span.count &&
             has_grid_of(to_size((weight + count) / shape_.columns), output)) {
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
    if (grid_.pairs.empty()) return;
    for (std::int64_t at = 0; at < span.count; at += shape_.columns)
      keep_pairs_safe(span.first + at, values + at);
  }

  [[nodiscard]] std::vector<std::int32_t> codes() const override {
    std::vector<std::int32_t> codes(numbers_.size());
    for (std::size_t at = 0; at < codes.size(); ++at) codes[at] = free_code(at);
    for (std::size_t row = 0; !grid_.pairs.empty() && row < codes.size();
         row += to_size(shape_.columns)) {
      for_pairs(row, [&](std::size_t first, std::size_t second, const PairedInput& pair) {
        if (is_safe(pair, codes[first], codes[second])) return;
        const CodePair safe = safe_codes(first, second, pair);
        codes[first] = safe.first;
        codes[second] = safe.second;
      });
    }
    return codes;
  }

 private:
  [[nodiscard]] bool has_grid_of(std::size_t output, std::size_t other) const {
    return grid_.scales[output] == grid_.scales[other] &&
           grid_.zero_points[output] == grid_.zero_points[other];
  }

  /// Replaces the weights of unsafe pairs by those of the safe codes that will be written, so that
  /// the training of the other weights compensates for the difference.
  void keep_pairs_safe(std::int64_t row, float* values) {
    const std::size_t begin = to_size(row);
    for_pairs(begin, [&](std::size_t first, std::size_t second, const PairedInput& pair) {
      keep_in_strip(first, second, pair);
      const CodePair free = {.first = free_code(first), .second = free_code(second)};
      if (is_safe(pair, free.first, free.second)) return;
      const CodePair safe = safe_codes(first, second, pair);
      if (safe.first != free.first) values[first - begin] = value_of(first, safe.first);
      if (safe.second != free.second) values[second - begin] = value_of(second, safe.second);
    });
  }

 protected:
  /// Calls work(first, second, pair) with the indices of both weights of each pair in a row.
  template <typename Work>
  void for_pairs(std::size_t row, const Work& work) const {
    const std::size_t k = to_size(shape_.columns);
    const std::size_t group = row / k / to_size(shape_.rows);
    for (std::size_t at = 0; at < k; ++at) {
      const PairedInput& pair = grid_.pairs[group * k + at];
      const std::size_t partner = to_size(pair.partner);
      if (partner > at && has_partner(pair)) work(row + at, row + partner, pair);
    }
  }
  [[nodiscard]] std::size_t output_of(std::size_t at) const { return at / to_size(shape_.columns); }
  [[nodiscard]] std::int32_t zero_point_of(std::size_t at) const {
    return grid_.zero_points[output_of(at)];
  }
  [[nodiscard]] float value_of(std::size_t at, std::int32_t code) const {
    return static_cast<float>(code - zero_point_of(at)) * grid_.scales[output_of(at)];
  }
  /// The code of a weight without regard to pairs.
  [[nodiscard]] std::int32_t free_code(std::size_t at) const {
    const auto place = static_cast<std::int64_t>(hard(at, grid_.scales[output_of(at)]));
    return static_cast<std::int32_t>(
        std::clamp(place + zero_point_of(at), grid_.limits.low, grid_.limits.high));
  }

  /// The point of the strip nearest to two weights divided by their scale. They are clipped first,
  /// and they stay unchanged if the clipped point is inside the strip.
  [[nodiscard]] RealPair inside_strip(const RealPair& places, std::size_t at,
                                      const PairedInput& pair) const {
    const double zero_point = zero_point_of(at);
    const auto clipped = [&](double place) {
      return std::clamp(place + zero_point, static_cast<double>(grid_.limits.low),
                        static_cast<double>(grid_.limits.high));
    };
    const RealPair before = {.first = clipped(places.first), .second = clipped(places.second)};
    const RealPair inside = project_onto_strip(before, pair);
    if (inside == before) return places;
    return {.first = inside.first - zero_point, .second = inside.second - zero_point};
  }

  virtual void run(const TrainedRow& row, const StepRates& rates) const = 0;
  /// The rounded weight divided by the scale, before clipping.
  [[nodiscard]] virtual float hard(std::size_t at, float scale) const = 0;
  /// The codes of a pair whose free codes are not safe.
  [[nodiscard]] virtual CodePair safe_codes(std::size_t first, std::size_t second,
                                            const PairedInput& pair) const = 0;
  /// Called after a step; moves the numbers of a pair back into the strip, so that they do not
  /// drift away from it.
  virtual void keep_in_strip(std::size_t first, std::size_t second, const PairedInput& pair) = 0;

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
    const std::vector<float> places = places_of(layer);
    for (std::size_t at = 0; at < numbers_.size(); ++at) {
      const float scaled = places[at];
      floors_[at] = std::floor(scaled);
      // h(v) is the fraction: v = -ln(1 / sigmoid - 1), sigmoid = (fraction + 0.1) / 1.2.
      sigmoids_[at] = (scaled - floors_[at] + 0.1F) / 1.2F;
      numbers_[at] = -std::log(1.0F / sigmoids_[at] - 1.0F);
    }
  }

 private:
  /// Weights divided by scales. Pairs outside the strip are replaced by its nearest points, and
  /// whether these are rounded up or down is learned.
  [[nodiscard]] std::vector<float> places_of(const LayerWeights& layer) const {
    std::vector<float> places(layer.values.size());
    for (std::size_t at = 0; at < places.size(); ++at) {
      // Far outside the grid the weight is clipped in any case. The bound keeps floats able to
      // represent consecutive integers.
      places[at] = std::clamp(layer.values[at] / grid_.scales[output_of(at)], -1e6F, 1e6F);
    }
    for (std::size_t row = 0; !grid_.pairs.empty() && row < places.size();
         row += to_size(shape_.columns)) {
      for_pairs(row, [&](std::size_t first, std::size_t second, const PairedInput& pair) {
        const RealPair inside =
            inside_strip({.first = places[first], .second = places[second]}, first, pair);
        places[first] = static_cast<float>(inside.first);
        places[second] = static_cast<float>(inside.second);
      });
    }
    return places;
  }

  void run(const TrainedRow& row, const StepRates& rates) const override {
    HWY_DYNAMIC_DISPATCH(rounding_row)(row, rates);
  }
  void keep_in_strip(std::size_t, std::size_t, const PairedInput&) override {}

  /// The safe pair, among rounding each of both up or down, that is nearest to the learned values.
  /// There is always one, because the point whose floors are used is inside the strip.
  [[nodiscard]] CodePair safe_codes(std::size_t first, std::size_t second,
                                    const PairedInput& pair) const override {
    CodePair best;
    double least = std::numeric_limits<double>::infinity();
    for (const int up_first : {0, 1}) {
      for (const int up_second : {0, 1}) {
        const CodePair tried = {.first = rounded(first, up_first),
                                .second = rounded(second, up_second)};
        const double distance = std::abs(static_cast<double>(up_first) - soft(first)) +
                                std::abs(static_cast<double>(up_second) - soft(second));
        if (!is_safe(pair, tried.first, tried.second) || !(distance < least)) continue;
        least = distance;
        best = tried;
      }
    }
    return best;
  }
  [[nodiscard]] std::int32_t rounded(std::size_t at, int up) const {
    const auto code = static_cast<std::int64_t>(floors_[at]) + up + zero_point_of(at);
    return static_cast<std::int32_t>(std::clamp(code, grid_.limits.low, grid_.limits.high));
  }
  [[nodiscard]] double soft(std::size_t at) const {
    return std::clamp(1.2 * sigmoids_[at] - 0.1, 0.0, 1.0);
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
    HWY_DYNAMIC_DISPATCH(straight_row)(row, rates);
  }
  [[nodiscard]] float place(std::size_t at) const {
    return numbers_[at] / grid_.scales[output_of(at)];
  }
  void keep_in_strip(std::size_t first, std::size_t second, const PairedInput& pair) override {
    const RealPair before = {.first = place(first), .second = place(second)};
    const RealPair inside = inside_strip(before, first, pair);
    if (inside == before) return;
    numbers_[first] = static_cast<float>(inside.first * grid_.scales[output_of(first)]);
    numbers_[second] = static_cast<float>(inside.second * grid_.scales[output_of(second)]);
  }
  [[nodiscard]] CodePair safe_codes(std::size_t first, std::size_t second,
                                    const PairedInput& pair) const override {
    const double zero_point = zero_point_of(first);
    return cheapest_safe_pair(
        {.wanted = {.first = place(first) + zero_point, .second = place(second) + zero_point}},
        pair, grid_.limits);
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
    float& mean = state.first[to_size(first + at)];
    float& square = state.second[to_size(first + at)];
    mean += 0.1F * (gradient[at] - mean);
    square += 0.001F * (gradient[at] * gradient[at] - square);
    values[to_size(first + at)] -= rates.learning_rate * rates.first_correction * mean /
                                   (std::sqrt(square * rates.second_correction) + 1e-8F);
  }
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
