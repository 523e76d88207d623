#include "optimizers/nsga/selection.h"

#include <gtest/gtest.h>

#include <limits>

#include "optimizers/nsga/niches.h"

namespace quantsearch {
namespace {

NsgaMember member(double name, Losses losses, double violation = 0) {
  return {.at = {name}, .losses = std::move(losses), .violation = violation};
}

std::vector<double> names_of(const std::vector<NsgaMember>& members) {
  std::vector<double> names;
  for (const NsgaMember& one : members) names.push_back(one.at[0]);
  return names;
}

TEST(SelectUncrowded, KeepsWholeFrontsAndTheEndsOfTheNext) {
  // The first front is 0, 3. The second is 1, 2, 4, 5 with 1 and 4 at its ends; the distance of 2
  // is 0.5 + 0.5, that of 5 is 0.75 + 0.75.
  const std::vector<NsgaMember> members = {member(0, {0, 4}), member(1, {1, 9}), member(2, {2, 8}),
                                           member(3, {1, 3}), member(4, {5, 5}), member(5, {3, 7})};
  EXPECT_EQ(names_of(select_uncrowded(members, 4)), (std::vector<double>{0, 1, 3, 4}));
  EXPECT_EQ(names_of(select_uncrowded(members, 5)), (std::vector<double>{0, 1, 3, 4, 5}));
  EXPECT_EQ(names_of(select_uncrowded(members, 9)), (std::vector<double>{0, 1, 2, 3, 4, 5}));
}

TEST(SelectUncrowded, SetsRankAndCrowding) {
  const auto kept = select_uncrowded({member(0, {2, 2}), member(1, {0, 1}), member(2, {1, 0})}, 3);
  EXPECT_EQ(kept[0].rank, 1);
  EXPECT_EQ(kept[1].rank, 0);
  EXPECT_EQ(kept[0].crowding, 0);
  EXPECT_EQ(kept[1].crowding, std::numeric_limits<double>::infinity());
}

TEST(SelectUncrowded, RemovesTheLargestViolationFirst) {
  const std::vector<NsgaMember> members = {member(0, {0, 0}, 2), member(1, {9, 9}),
                                           member(2, {0, 0}, 1)};
  EXPECT_EQ(names_of(select_uncrowded(members, 2)), (std::vector<double>{1, 2}));
}

TEST(SelectUncrowded, OfOneObjectiveKeepsTheBest) {
  const std::vector<NsgaMember> members = {member(0, {3}), member(1, {1}), member(2, {3}),
                                           member(3, {2})};
  EXPECT_EQ(names_of(select_uncrowded(members, 3)), (std::vector<double>{0, 1, 3}));
}

TEST(SelectByNiche, KeepsTheFirstFrontAndFillsEmptyNiches) {
  const auto directions = reference_directions(2, 3);
  const std::vector<NsgaMember> members = {member(0, {1, 0}), member(1, {0, 1}),
                                           member(2, {1.1, 0.1}), member(3, {0.6, 1.5}),
                                           member(4, {1, 1})};
  RandomStream random(1);
  EXPECT_EQ(names_of(select_by_niche(members, 2, directions, random)), (std::vector<double>{0, 1}));
  // Of the second front only (1, 1) is nearest to the diagonal, which has no member.
  EXPECT_EQ(names_of(select_by_niche(members, 3, directions, random)),
            (std::vector<double>{0, 1, 4}));
}

TEST(BetterParent, IsChosenByRankThenCrowdingThenOrder) {
  NsgaMember one = member(0, {});
  NsgaMember other = member(1, {});
  EXPECT_EQ(&better_parent(one, other), &one);
  other.crowding = 0.5;
  EXPECT_EQ(&better_parent(one, other), &other);
  other.rank = 1;
  EXPECT_EQ(&better_parent(one, other), &one);
}

}  // namespace
}  // namespace quantsearch
