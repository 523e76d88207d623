#include "finetune_peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "finetune_peak.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace quantsearch::reconstruction::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 10;
constexpr int kSteps = 20000;

double MultiplyRegisters() {
  const hn::ScalableTag<float> tag;
  hn::Vec<decltype(tag)> sums[kChains];
  for (auto& sum : sums) sum = hn::Set(tag, 1.0F);
  const auto factor = hn::Set(tag, 0.999F);
  const auto term = hn::Set(tag, 0.001F);
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 10  // in registers
    for (int chain = 0; chain < kChains; ++chain)
      sums[chain] = hn::MulAdd(sums[chain], factor, term);
  }
  double total = 0;
  for (const auto& sum : sums) total += hn::GetLane(hn::SumOfLanes(tag, sum));
  return total;
}

double FlopsOfRound() {
  return 2.0 * kSteps * kChains * static_cast<double>(hn::Lanes(hn::ScalableTag<float>()));
}
std::int64_t Target() { return HWY_TARGET; }

}  // namespace quantsearch::reconstruction::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quantsearch::reconstruction {

HWY_EXPORT(MultiplyRegisters);
HWY_EXPORT(FlopsOfRound);
HWY_EXPORT(Target);

double flops_of_round() { return HWY_DYNAMIC_DISPATCH(FlopsOfRound)(); }
void multiply_registers() {
  [[maybe_unused]] static volatile double sink;
  sink = HWY_DYNAMIC_DISPATCH(MultiplyRegisters)();
}
std::int64_t chosen_target() { return HWY_DYNAMIC_DISPATCH(Target)(); }

}  // namespace quantsearch::reconstruction
#endif  // HWY_ONCE
