#include "autosearch/kept_products.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

class Weights final : public BuiltProduct {
 public:
  explicit Weights(std::int64_t bytes) : bytes_(bytes) {}
  BuiltModel load() const override { return {}; }
  std::int64_t bytes() const override { return bytes_; }

 private:
  std::int64_t bytes_;
};

void add(KeptProducts& products, std::int64_t number, double value, std::int64_t bytes = 1) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::complete;
  trial.value = value;
  products.add(trial, std::make_shared<const Weights>(bytes));
}

std::vector<std::int64_t> kept(const KeptProducts& products) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t number = 0; number < 10; ++number) {
    if (products.find(number) != nullptr) numbers.push_back(number);
  }
  return numbers;
}

TEST(KeptProducts, AreThoseOfTheBestTrials) {
  KeptProducts products(Goal::minimize, 2, ByteBudget(100));
  add(products, 0, 3);
  add(products, 1, 1);
  add(products, 2, 2);
  add(products, 3, 4);
  EXPECT_EQ(kept(products), (std::vector<std::int64_t>{1, 2}));
}

TEST(KeptProducts, StayWithinTheMemoryBudget) {
  const ByteBudget budget(100);
  KeptProducts products(Goal::minimize, 3, budget);
  add(products, 0, 3, 60);
  add(products, 1, 1, 60);  // does not fit
  add(products, 2, 2, 40);
  EXPECT_EQ(kept(products), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(budget.free(), 0);
}

TEST(KeptProducts, ReleaseTheirMemory) {
  const ByteBudget budget(100);
  KeptProducts products(Goal::minimize, 1, budget);
  add(products, 0, 3, 90);
  add(products, 1, 1, 80);
  EXPECT_EQ(kept(products), std::vector<std::int64_t>{1});
  EXPECT_EQ(budget.free(), 20);
}

TEST(KeptProducts, OmitTrialsWithoutAProduct) {
  KeptProducts products(Goal::minimize, 2, ByteBudget(100));
  Trial trial;
  trial.state = TrialState::complete;
  trial.value = 1;
  products.add(trial, nullptr);
  EXPECT_TRUE(kept(products).empty());
}

}  // namespace
}  // namespace quantsearch
