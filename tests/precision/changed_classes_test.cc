#include "precision/changed_classes.h"

#include <gtest/gtest.h>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

/// y = x + shift for x [batch, positions, 3].
Model shifted(const std::vector<float>& shift) {
  ModelBuilder builder;
  builder.constant("shift", Tensor::of<float>({3}, shift));
  builder.output(builder.node("Add", {builder.input("x", {-1, 2, 3}), "shift"}, {}, "y"),
                 {-1, 2, 3});
  return builder.build();
}

/// Four positions with the classes 0, 0, 0 and 2; the second and the last are nearly class 1.
std::shared_ptr<const DataSource> four_positions() {
  return in_memory_data({{"x", Tensor::of<float>({2, 2, 3}, std::vector<float>{5, 0, 0,    //
                                                                               5, 4.5, 0,  //
                                                                               5, 0, 0,    //
                                                                               0, 4.5, 5})}});
}

ChangedClasses changed(const std::vector<float>& shift, std::int64_t batch = 1) {
  ThreadPool pool(1);
  const ByteBudget budget(1 << 20);
  const Reference reference(shifted({0, 0, 0}), four_positions(), std::nullopt, pool, budget,
                            {.batch = batch});
  const ReferenceClasses classes(reference, std::nullopt);
  ClassCounter counter(classes);
  const auto session = open_session(shifted(shift));
  for (std::int64_t sample = 0; sample < 2; sample += batch)
    counter.add(sample, batch, session->run(four_positions()->read(sample, batch)));
  return counter.result();
}

TEST(ChangedClasses, EqualModelsChangeNothing) {
  EXPECT_EQ(changed({0, 0, 0}).share, 0);
  EXPECT_EQ(changed({0, 0, 0}).rare_share, 0);
}

TEST(ChangedClasses, CountsRarePositionsSeparately) {
  const ChangedClasses result = changed({0, 1, 0});
  EXPECT_EQ(result.share, 0.5);     // two of four
  EXPECT_EQ(result.rare_share, 1);  // one of one position without the most frequent class 0
}

TEST(ChangedClasses, AModelThatPredictsOneClassChangesAllRarePositions) {
  const ChangedClasses result = changed({100, 0, 0});
  EXPECT_EQ(result.share, 0.25);
  EXPECT_EQ(result.rare_share, 1);
}

TEST(ChangedClasses, DoesNotDependOnTheBatch) {
  EXPECT_EQ(changed({0, 1, 0}, 2).share, 0.5);
  EXPECT_EQ(changed({0, 1, 0}, 2).rare_share, 1);
}

TEST(ChangedClasses, PositionsNotAddedYetCountAsUnchanged) {
  ThreadPool pool(1);
  const ByteBudget budget(1 << 20);
  const Reference reference(shifted({0, 0, 0}), four_positions(), std::nullopt, pool, budget, {});
  const ReferenceClasses classes(reference, std::nullopt);
  EXPECT_EQ(classes.positions(), 4);
  EXPECT_EQ(classes.rare_positions(), 1);
  ClassCounter counter(classes);
  counter.add(1, 1, open_session(shifted({0, 1, 0}))->run(four_positions()->read(1, 1)));
  EXPECT_EQ(counter.result().share, 0.25);
  EXPECT_EQ(counter.result().rare_share, 1);
}

}  // namespace
}  // namespace quantsearch
