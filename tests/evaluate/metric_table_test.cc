#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {
namespace {

TEST(MetricTable, HasTheOrderOfTheEnum) {
  for (const MetricInfo& info : all_metrics()) EXPECT_EQ(&metric_info(info.metric), &info);
  EXPECT_EQ(all_metrics().size(), 11U);
}

TEST(MetricTable, NamesAreReadInAnyCase) {
  for (const MetricInfo& info : all_metrics()) EXPECT_EQ(parse_metric(info.name), info.metric);
  EXPECT_EQ(parse_metric("l2"), Metric::l2);
  EXPECT_EQ(parse_metric("COS"), Metric::cos);
}

TEST(MetricTable, AnUnknownNameIsAnErrorThatNamesTheNearest) {
  try {
    (void)parse_metric("snqr");
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("unknown metric 'snqr'; nearest known: 'sqnr'"),
              std::string::npos)
        << error.what();
  }
}

TEST(MetricTable, SimilaritiesAreMaximizedAndDistancesMinimized) {
  for (const Metric metric :
       {Metric::cos, Metric::psnr, Metric::ssim, Metric::sqnr, Metric::top1, Metric::top5}) {
    EXPECT_EQ(metric_info(metric).direction, Goal::maximize);
  }
  for (const Metric metric :
       {Metric::l1, Metric::l2, Metric::rel_l2, Metric::worst_slice, Metric::kl}) {
    EXPECT_EQ(metric_info(metric).direction, Goal::minimize);
  }
}

}  // namespace
}  // namespace quantsearch
