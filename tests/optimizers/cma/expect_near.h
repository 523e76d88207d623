#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <vector>

namespace quantsearch {

inline void expect_near(const Eigen::VectorXd& got, const std::vector<double>& expected,
                        double tolerance = 1e-10) {
  ASSERT_EQ(got.size(), std::ssize(expected));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(got[static_cast<Eigen::Index>(i)], expected[i], tolerance) << "at " << i;
}

}  // namespace quantsearch
