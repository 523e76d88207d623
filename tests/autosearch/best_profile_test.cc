#include "autosearch/best_profile.h"

#include <gtest/gtest.h>

#include "autosearch/search_setting.h"

namespace quantsearch {
namespace {

/// The profile of the model that these settings make of the model of a search.
class BestProfileTest : public ::testing::Test {
 protected:
  [[nodiscard]] BestProfile profile_of(const Value& config, bool latency = true) {
    goals_.latency = latency;
    return {pipeline_,
            resolve(settings_from(config)),
            {.goals = goals_, .device = {}, .data = *setting_.input.calibration, .token = {}}};
  }

 private:
  testing::SearchSetting setting_{"search_space: {calibrate_method: [MinMax]}"};
  ThreadPool pool_{1};
  GoalConfig goals_;
  Pipeline pipeline_{
      setting_.input.model, setting_.input.calibration, pool_, ByteBudget(1 << 28), {}};
};

TEST_F(BestProfileTest, IsMadeOnce) {
  BestProfile profile = profile_of("A8W8");
  const std::vector<KernelCost>* const costs = profile.costs();
  ASSERT_NE(costs, nullptr);
  EXPECT_FALSE(costs->empty());
  EXPECT_EQ(profile.costs(), costs);
  EXPECT_EQ(profile.made().quantized, profile.made().quantized);
}

TEST_F(BestProfileTest, HasNoTimesForAnotherProcessorAndWithoutLatencies) {
  EXPECT_EQ(profile_of("XINT8").costs(), nullptr);
  EXPECT_EQ(profile_of("A8W8", false).costs(), nullptr);
}

}  // namespace
}  // namespace quantsearch
