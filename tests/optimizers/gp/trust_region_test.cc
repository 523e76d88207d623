#include "optimizers/gp/trust_region.h"

#include <gtest/gtest.h>

namespace quantsearch::gp {
namespace {

std::vector<Observation> of_values(const std::vector<double>& values) {
  std::vector<Observation> observations;
  for (const double value : values)
    observations.push_back({.number = std::ssize(observations), .at = {0}, .objectives = {value}});
  return observations;
}

TEST(TrustWidth, HalvesAfterFourFailuresAndDoublesAfterThreeSuccesses) {
  EXPECT_EQ(trust_width(of_values({5, 6, 6, 6}), 1, 2, 0), 0.8);
  EXPECT_EQ(trust_width(of_values({5, 6, 6, 6, 6}), 1, 2, 0), 0.4);
  EXPECT_EQ(trust_width(of_values({5, 4, 3, 2}), 1, 2, 0), 1.6);
}

TEST(TrustWidth, WaitsForTheResultsOfTrialsThatRunAtTheSameTime) {
  const std::vector<double> failures = {5, 6, 6, 6, 6, 6, 6, 6, 6, 6};
  EXPECT_EQ(trust_width(of_values(failures), 1, 2, 5), 0.4);  // nine failures
  EXPECT_EQ(trust_width(of_values(failures), 1, 2, 6), 0.8);
}

}  // namespace
}  // namespace quantsearch::gp
