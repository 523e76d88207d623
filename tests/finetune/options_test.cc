// Every option must reach its method, and threads and memory must change nothing for any options.

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <set>

#include "finetune/fixture.h"

namespace quantsearch {
namespace {

using testing::distance;
using testing::FinetuneTest;
using testing::gradient;
using testing::kGptq;
using testing::Prepared;

TEST_F(FinetuneTest, ThreadsAndMemoryDoNotChangeTheBytes) {
  const Prepared prepared = small();
  const std::string expected = serialize_model(tune(prepared, kGptq).quantized.model);
  EXPECT_EQ(serialize_model(tune(prepared, kGptq, 1).quantized.model), expected);
  EXPECT_EQ(serialize_model(tune(prepared, kGptq, 2, 1000).quantized.model),
            expected);  // everything is spilled
}

struct GradientCase {
  std::string name;
  FinetuneOptions options;
};

void PrintTo(const GradientCase& value, std::ostream* stream) { *stream << value.name; }

class GradientMethods : public FinetuneTest, public ::testing::WithParamInterface<GradientCase> {};

TEST_P(GradientMethods, ReduceTheErrorWithTheSameBytesForAnyThreadsAndMemory) {
  const Prepared prepared = small();
  const FinetunedModel tuned = tune(prepared, GetParam().options);
  for (const LayerReconstruction& layer : tuned.layers)
    EXPECT_LE(layer.error_after, layer.error_before) << layer.node;
  EXPECT_LT(distance(prepared, tuned.quantized.model),
            distance(prepared, prepared.candidate.model));
  const std::string expected = serialize_model(tuned.quantized.model);
  EXPECT_EQ(serialize_model(tune(prepared, GetParam().options, 1).quantized.model), expected);
  EXPECT_EQ(serialize_model(tune(prepared, GetParam().options, 2, 1000).quantized.model), expected);
}

FinetuneOptions with(FinetuneOptions options, const std::function<void(FinetuneOptions&)>& change) {
  change(options);
  return options;
}

const FinetuneOptions kAdaRound = gradient(FinetuneAlgorithm::adaround, 0.1);
const FinetuneOptions kAdaQuant = gradient(FinetuneAlgorithm::adaquant, 1e-4);

INSTANTIATE_TEST_SUITE_P(
    Options, GradientMethods,
    ::testing::Values(
        GradientCase{"AdaRound", kAdaRound}, GradientCase{"AdaQuant", kAdaQuant},
        GradientCase{"Batch",
                     with(kAdaRound, [](FinetuneOptions& options) { options.batch_size = 3; })},
        GradientCase{"DropRatio",
                     with(kAdaRound, [](FinetuneOptions& options) { options.drop_ratio = 0.5; })},
        GradientCase{
            "OutputQDQ",
            with(kAdaRound, [](FinetuneOptions& options) { options.output_quantizer = true; })},
        GradientCase{"SecondMoment", with(kAdaRound,
                                          [](FinetuneOptions& options) {
                                            options.objective = FinetuneObjective::second_moment;
                                          })},
        GradientCase{
            "BiasCorrection",
            with(kAdaQuant, [](FinetuneOptions& options) { options.bias_correction = true; })}),
    [](const auto& info) { return info.param.name; });

/// An option reaches its method if another value leads to other weights.
TEST_F(FinetuneTest, EveryOptionReachesItsMethod) {
  const Prepared prepared = small();
  const FinetuneOptions& adaround = kAdaRound;
  const FinetuneOptions adaquant = gradient(FinetuneAlgorithm::adaquant, 1e-3);
  using Change = std::function<void(FinetuneOptions&)>;
  const std::vector<std::pair<FinetuneOptions, Change>> changes = {
      {adaround, [](FinetuneOptions& options) { options.samples = 5; }},
      {adaround, [](FinetuneOptions& options) { options.iterations = 20; }},
      {adaround, [](FinetuneOptions& options) { options.learning_rate = 0.001; }},
      {adaround, [](FinetuneOptions& options) { options.batch_size = 4; }},
      {adaround, [](FinetuneOptions& options) { options.seed = 6; }},
      {adaround,
       [](FinetuneOptions& options) {
         options.learning_rate_adjustment = {0, 0.002};
       }},
      {adaround, [](FinetuneOptions& options) { options.output_quantizer = true; }},
      {adaround, [](FinetuneOptions& options) { options.drop_ratio = 0; }},
      {adaround, [](FinetuneOptions& options) { options.regularization = 10; }},
      {adaround,
       [](FinetuneOptions& options) {
         options.regularization = 10;
         options.beta_start = 3;
       }},
      {adaround,
       [](FinetuneOptions& options) {
         options.regularization = 10;
         options.warm_start = 0.9;
       }},
      {adaround,
       [](FinetuneOptions& options) { options.objective = FinetuneObjective::second_moment; }},
      {adaround, [](FinetuneOptions& options) { options.bias_correction = true; }},
      {adaquant, [](FinetuneOptions& options) { options.update_bias = true; }},
  };
  std::set<std::string> seen = {serialize_model(tune(prepared, adaround).quantized.model),
                                serialize_model(tune(prepared, adaquant).quantized.model),
                                serialize_model(tune(prepared, kGptq).quantized.model)};
  ASSERT_EQ(seen.size(), 3u);
  for (std::size_t at = 0; at < changes.size(); ++at) {
    const FinetuneOptions changed = with(changes[at].first, changes[at].second);
    EXPECT_TRUE(seen.insert(serialize_model(tune(prepared, changed).quantized.model)).second)
        << "change " << at;
  }
  // Evenly spread weights use the whole range of an 8-bit scale, so a scale that is rounded up to a
  // power of two is too wide. If pairs had to be safe, half of it would be too narrow.
  const Prepared wide = small({.target = Target::cpu_vnni,
                               .power_of_two = true,
                               .power_of_two_rounding = PowerOfTwoRounding::up});
  const FinetuneOptions fixed_scales =
      with(kGptq, [](FinetuneOptions& options) { options.choose_scales = false; });
  EXPECT_NE(serialize_model(tune(wide, kGptq).quantized.model),
            serialize_model(tune(wide, fixed_scales).quantized.model));
}

}  // namespace
}  // namespace quantsearch
