#include "finetune/solvers/output_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "finetune/solvers/linear_algebra.h"
#include "quantsearch/internal/base/sizes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune/solvers/output_loss.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// It needs highway.h before it.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;

HWY_INLINE Vector constant(float value) { return hn::Set(Tag(), value); }

/// A value and its derivative.
struct Point {
  Vector value;
  Vector slope;
};

struct Identity {
  HWY_INLINE Point operator()(Vector y) const { return {y, constant(1)}; }
};

struct LeakyRelu {  // alpha 0: Relu
  float alpha;
  HWY_INLINE Point operator()(Vector y) const {
    const auto positive = hn::Gt(y, constant(0));
    return {hn::IfThenElse(positive, y, hn::Mul(y, constant(alpha))),
            hn::IfThenElse(positive, constant(1), constant(alpha))};
  }
};

struct Clip {
  float low, high;
  HWY_INLINE Point operator()(Vector y) const {
    const auto inside = hn::And(hn::Ge(y, constant(low)), hn::Le(y, constant(high)));
    return {hn::Min(hn::Max(y, constant(low)), constant(high)),
            hn::IfThenElseZero(inside, constant(1))};
  }
};

struct Sigmoid {
  HWY_INLINE Point operator()(Vector y) const {
    const Tag tag;
    // The bounds keep exp() finite; beyond them the sigmoid is 0 or 1 within float precision.
    const auto bounded = hn::Min(hn::Max(y, constant(-87)), constant(87));
    const auto value = hn::Div(constant(1), hn::Add(constant(1), hn::Exp(tag, hn::Neg(bounded))));
    return {value, hn::Mul(value, hn::Sub(constant(1), value))};
  }
};

struct Tanh {
  HWY_INLINE Point operator()(Vector y) const {
    const auto value = hn::Tanh(Tag(), hn::Min(hn::Max(y, constant(-20)), constant(20)));
    return {value, hn::NegMulAdd(value, value, constant(1))};
  }
};

struct Gelu {
  HWY_INLINE Point operator()(Vector y) const {
    const Tag tag;
    // erf is computed by Abramowitz & Stegun 7.1.26, with an error of at most 1.5e-7.
    const auto x = hn::Mul(hn::Abs(y), constant(0.70710678F));
    const auto t = hn::Div(constant(1), hn::MulAdd(x, constant(0.3275911F), constant(1)));
    auto series = hn::MulAdd(t, constant(1.061405429F), constant(-1.453152027F));
    series = hn::MulAdd(series, t, constant(1.421413741F));
    series = hn::MulAdd(series, t, constant(-0.284496736F));
    series = hn::MulAdd(series, t, constant(0.254829592F));
    const auto bell = hn::Exp(tag, hn::Max(hn::Neg(hn::Mul(x, x)), constant(-87)));
    const auto erf = hn::NegMulAdd(hn::Mul(series, t), bell, constant(1));
    // Distribution function and density of the normal distribution.
    const auto below = hn::MulAdd(hn::CopySign(erf, y), constant(0.5F), constant(0.5F));
    const auto density = hn::Mul(bell, constant(0.39894228F));
    return {hn::Mul(y, below), hn::MulAdd(y, density, below)};
  }
};

struct HardSigmoid {
  float alpha, beta;
  HWY_INLINE Point operator()(Vector y) const {
    const auto line = hn::MulAdd(y, constant(alpha), constant(beta));
    const auto inside = hn::And(hn::Gt(line, constant(0)), hn::Lt(line, constant(1)));
    return {hn::Min(hn::Max(line, constant(0)), constant(1)),
            hn::IfThenElseZero(inside, constant(alpha))};
  }
};

struct HardSwish {
  HWY_INLINE Point operator()(Vector y) const {
    const auto gate = hn::MulAdd(y, constant(1.0F / 6), constant(0.5F));
    const auto inner = hn::MulAdd(y, constant(1.0F / 3), constant(0.5F));
    const auto slope = hn::IfThenElse(hn::Ge(y, constant(3)), constant(1), inner);
    return {hn::Mul(y, hn::Min(hn::Max(gate, constant(0)), constant(1))),
            hn::IfThenZeroElse(hn::Le(y, constant(-3)), slope)};
  }
};

/// The quantizer after the activation.
struct Quantizer {
  const OutputGrid* grid;
  HWY_INLINE Point operator()(const Point& from) const {
    if (grid == nullptr) return from;
    const auto low = constant(static_cast<float>(grid->limits.low - grid->zero_point));
    const auto high = constant(static_cast<float>(grid->limits.high - grid->zero_point));
    const auto rounded = hn::Round(hn::Div(from.value, constant(grid->scale)));
    const auto inside = hn::And(hn::Ge(rounded, low), hn::Le(rounded, high));
    return {hn::Mul(hn::Min(hn::Max(rounded, low), high), constant(grid->scale)),
            hn::IfThenElseZero(inside, from.slope)};
  }
};

/// Calls work(activation) with the functor of its kind.
template <class Work>
HWY_INLINE void with_activation(const Activation& activation, const Work& work) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return work(Identity{});
    case Activation::Kind::relu:
      return work(LeakyRelu{0.0F});
    case Activation::Kind::leaky_relu:
      return work(LeakyRelu{activation.alpha});
    case Activation::Kind::clip:
      return work(Clip{activation.low, activation.high});
    case Activation::Kind::sigmoid:
      return work(Sigmoid{});
    case Activation::Kind::tanh:
      return work(Tanh{});
    case Activation::Kind::gelu:
      return work(Gelu{});
    case Activation::Kind::hard_swish:
      return work(HardSwish{});
    case Activation::Kind::hard_sigmoid:
      return work(HardSigmoid{activation.alpha, activation.beta});
  }
}

/// Runs `step` over whole vectors, the last one padded with zeros.
template <class Step>
HWY_INLINE void over_vectors(const float* outputs, const float* targets, std::int64_t count,
                             float* out, const Step& step) {
  const Tag tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  std::int64_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    hn::StoreU(step(hn::LoadU(tag, outputs + at), hn::LoadU(tag, targets + at)), tag, out + at);
  }
  if (at == count) return;
  HWY_ALIGN float few_outputs[HWY_MAX_BYTES / sizeof(float)] = {};
  HWY_ALIGN float few_targets[HWY_MAX_BYTES / sizeof(float)] = {};
  std::copy_n(outputs + at, count - at, few_outputs);
  std::copy_n(targets + at, count - at, few_targets);
  hn::Store(step(hn::Load(tag, few_outputs), hn::Load(tag, few_targets)), tag, few_outputs);
  std::copy_n(few_outputs, count - at, out + at);
}

void loss_gradient(const OutputLoss& loss, const float* outputs, const float* targets,
                   std::int64_t count, float weight, float* out) {
  const Quantizer quantizer{loss.grid ? &*loss.grid : nullptr};
  const auto factor = constant(2 * weight);
  with_activation(loss.activation, [&](const auto& activation) HWY_ATTR {
    over_vectors(outputs, targets, count, out, [&](Vector y, Vector t) HWY_ATTR {
      const Point made = quantizer(activation(y));
      return hn::Mul(hn::Mul(hn::Sub(made.value, activation(t).value), made.slope), factor);
    });
  });
}

/// Returns the sum of squared errors, added in float.
float move_and_linearize(const OutputLoss& loss, const float* outputs, const float* direction,
                         float step, const float* targets, std::int64_t count,
                         const LinearizedOutputs& to) {
  const Tag tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  const Quantizer quantizer{loss.grid ? &*loss.grid : nullptr};
  auto sum = hn::Zero(tag);
  with_activation(loss.activation, [&](const auto& activation) HWY_ATTR {
    /// Handles one vector and returns the differences of its values from the wanted ones.
    const auto move = [&](const float* from, const float* along, const float* wanted,
                          const LinearizedOutputs& into) HWY_ATTR {
      const auto y = hn::MulAdd(hn::LoadU(tag, along), constant(step), hn::LoadU(tag, from));
      const Point made = quantizer(activation(y));
      const auto difference = hn::Sub(made.value, activation(hn::LoadU(tag, wanted)).value);
      hn::StoreU(y, tag, into.outputs);
      hn::StoreU(hn::Mul(difference, made.slope), tag, into.pulls);
      hn::StoreU(hn::Mul(made.slope, made.slope), tag, into.squares);
      return difference;
    };
    std::int64_t at = 0;
    for (; at + lanes <= count; at += lanes) {
      const auto difference = move(outputs + at, direction + at, targets + at, to.from(at));
      sum = hn::MulAdd(difference, difference, sum);
    }
    if (at == count) return;
    HWY_ALIGN float few[6][HWY_MAX_BYTES / sizeof(float)] = {};
    std::copy_n(outputs + at, count - at, few[0]);
    std::copy_n(direction + at, count - at, few[1]);
    std::copy_n(targets + at, count - at, few[2]);
    const auto difference =
        hn::IfThenElseZero(hn::FirstN(tag, static_cast<std::size_t>(count - at)),
                           move(few[0], few[1], few[2], {few[3], few[4], few[5]}));
    sum = hn::MulAdd(difference, difference, sum);
    std::copy_n(few[3], count - at, to.outputs + at);
    std::copy_n(few[4], count - at, to.pulls + at);
    std::copy_n(few[5], count - at, to.squares + at);
  });
  return hn::GetLane(hn::SumOfLanes(tag, sum));
}

/// out = f(y) - a(t) and wanted = a(t).
void differences(const OutputLoss& loss, const float* outputs, const float* targets,
                 std::int64_t count, float* out, float* wanted) {
  const Quantizer quantizer{loss.grid ? &*loss.grid : nullptr};
  with_activation(loss.activation, [&](const auto& activation) HWY_ATTR {
    over_vectors(outputs, targets, count, out, [&](Vector y, Vector t) HWY_ATTR {
      return hn::Sub(quantizer(activation(y)).value, activation(t).value);
    });
    over_vectors(targets, targets, count, wanted,
                 [&](Vector t, Vector) HWY_ATTR { return activation(t).value; });
  });
}

}  // namespace quantsearch::reconstruction::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch::reconstruction {

HWY_EXPORT(loss_gradient);
HWY_EXPORT(differences);
HWY_EXPORT(move_and_linearize);

void loss_gradient(const OutputLoss& loss, const float* outputs, const float* targets,
                   std::int64_t count, float weight, float* out) {
  HWY_DYNAMIC_DISPATCH(loss_gradient)(loss, outputs, targets, count, weight, out);
}

double move_and_linearize(const OutputLoss& loss, const float* outputs, const float* direction,
                          float step, const float* targets, std::int64_t count,
                          const LinearizedOutputs& to) {
  constexpr std::int64_t kRun = 2048;
  double sum = 0;
  for (std::int64_t at = 0; at < count; at += kRun) {
    sum += HWY_DYNAMIC_DISPATCH(move_and_linearize)(loss, outputs + at, direction + at, step,
                                                    targets + at, std::min(kRun, count - at),
                                                    to.from(at));
  }
  return sum;
}

ErrorSums error_sums(const OutputLoss& loss, const float* outputs, const float* targets,
                     std::int64_t count) {
  constexpr std::int64_t kRun = 1024;
  float differences[kRun];
  float wanted[kRun];
  ErrorSums sums;
  for (std::int64_t begin = 0; begin < count; begin += kRun) {
    const std::int64_t run = std::min(kRun, count - begin);
    HWY_DYNAMIC_DISPATCH(differences)
    (loss, outputs + begin, targets + begin, run, differences, wanted);
    sums.error += sum_up(std::span(differences, to_size(run))).squares;
    sums.energy += sum_up(std::span(wanted, to_size(run))).squares;
  }
  return sums;
}

double relative_error(const std::vector<ErrorSums>& sums) {
  ErrorSums total;
  for (const ErrorSums& one : sums) {
    total.error += one.error;
    total.energy += one.energy;
  }
  if (total.energy == 0) return total.error == 0 ? 0.0 : std::numeric_limits<double>::infinity();
  return total.error / total.energy;
}

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
