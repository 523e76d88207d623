#include "quantsearch/base/cancellation.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

TEST(CancellationToken, CopiesShareTheFlag) {
  const CancellationToken token;
  const CancellationToken copy = token;
  EXPECT_FALSE(copy.is_cancelled());
  token.cancel();
  EXPECT_TRUE(copy.is_cancelled());
  EXPECT_THROW(copy.throw_if_cancelled(), Cancelled);
}

TEST(CancellationToken, ADeadlineInThePastCancelsOnlyTheDerivedToken) {
  const CancellationToken token;
  const CancellationToken late = token.with_deadline(Clock::time_point::min());
  EXPECT_TRUE(late.is_cancelled());
  EXPECT_FALSE(late.was_requested());
  EXPECT_FALSE(token.is_cancelled());
}

TEST(CancellationToken, TheEarlierOfTwoDeadlinesHolds) {
  const CancellationToken early = CancellationToken().with_deadline(Clock::time_point::min());
  EXPECT_TRUE(early.with_deadline(Clock::time_point::max()).is_cancelled());
}

TEST(CancellationToken, CancellingTheParentCancelsTheDerived) {
  const CancellationToken token;
  const CancellationToken derived = token.with_deadline(Clock::time_point::max());
  token.cancel();
  EXPECT_TRUE(derived.was_requested());
}

TEST(CancellationToken, AChildFollowsItsParentButNotTheReverse) {
  const CancellationToken parent;
  const CancellationToken child = parent.child();
  const CancellationToken other = parent.child();
  other.cancel();
  EXPECT_TRUE(other.was_requested());
  EXPECT_FALSE(parent.is_cancelled());
  EXPECT_FALSE(child.is_cancelled());
  parent.cancel();
  EXPECT_TRUE(child.was_requested());
  EXPECT_TRUE(CancellationToken().with_deadline(Clock::time_point::min()).child().is_cancelled());
}

}  // namespace
}  // namespace quantsearch
