// Tests that a search goes on with a study that does not fit in memory.

#include "search/earlier_trials.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "quantsearch/search/kept_trials.h"

namespace quantsearch {
namespace {

Trial numbered(std::int64_t number) {
  return {.number = number,
          .state = TrialState::complete,
          .point = {{"x", number}},
          .value = static_cast<double>((number * 7919) % 100'003),
          .reason = {},
          .details = {}};
}

constexpr std::int64_t kPart = 1000;

/// A study that makes its trials when they are read, and refuses to hold all of them at once.
class LargeStore final : public StudyStore {
 public:
  explicit LargeStore(std::int64_t count) : count_(count) {}

  std::vector<Trial> load() override { throw std::logic_error("all trials at once"); }
  void visit(const std::function<void(Trial&&)>& take) override {
    for (std::int64_t number = 0; number < count_; ++number) take(numbered(number));
  }
  std::unique_ptr<TrialPages> pages() override { return std::make_unique<Pages>(count_); }
  void save(const Trial& finished) override { saved.push_back(finished.number); }

  std::vector<std::int64_t> saved;

 private:
  class Pages final : public TrialPages {
   public:
    explicit Pages(std::int64_t count) : count_(count) {}
    std::vector<Trial> next() override {
      std::vector<Trial> part;
      for (; next_ < count_ && std::ssize(part) < kPart; ++next_) part.push_back(numbered(next_));
      return part;
    }

   private:
    std::int64_t count_;
    std::int64_t next_ = 0;
  };

  std::int64_t count_;
};

/// Proposes x = `first`, `first` + 1, ...
class Counter final : public Sampler {
 public:
  explicit Counter(std::int64_t first) : next_(first) {}
  std::optional<Point> ask() override { return Point{{"x", next_++}}; }
  void tell(const Trial& /*finished*/) override { ++told; }
  std::optional<std::int64_t> remaining() const override { return std::nullopt; }
  std::int64_t told = 0;

 private:
  std::int64_t next_;
};

constexpr std::int64_t kMany = 100'000;

Study resumed(LargeStore& store, Counter& sampler, std::int64_t limit) {
  const Objective objective = [](const TrialRequest& request) -> TrialOutcome {
    return TrialSuccess{.value = *numbered(request.number).value, .details = {}};
  };
  return optimize(sampler, objective, {.stop = {.iteration_limit = limit}}, store);
}

std::size_t most_kept() {
  const KeptTrials::Bounds bounds;
  return bounds.history + bounds.best + bounds.incumbents;
}

TEST(EarlierTrials, AHundredThousandAreRepeatedPartByPart) {
  LargeStore store(kMany);
  Counter sampler(0);
  const Study study = resumed(store, sampler, kMany + 2);
  EXPECT_EQ(store.saved, (std::vector<std::int64_t>{kMany, kMany + 1}));
  EXPECT_EQ(sampler.told, kMany + 2);
  EXPECT_EQ(study.trials_in_all, kMany + 2);
  EXPECT_LE(study.trials.size(), most_kept());
  ASSERT_TRUE(study.best.has_value());
  EXPECT_EQ(study.best, 0);
}

TEST(EarlierTrials, ThoseThatAreNotRepeatedAreCountedPartByPart) {
  LargeStore store(kMany);
  Counter sampler(2 * kMany);  // none of its points is known
  const Study study = resumed(store, sampler, kMany + 2);
  EXPECT_EQ(store.saved, (std::vector<std::int64_t>{kMany, kMany + 1}));
  EXPECT_EQ(study.trials_in_all, kMany + 2);
  EXPECT_LE(study.trials.size(), most_kept());
}

TEST(EarlierTrials, ThoseOfALongerSearchAreKept) {
  LargeStore store(kMany);
  Counter sampler(0);
  const Study study = resumed(store, sampler, 10);
  EXPECT_TRUE(store.saved.empty());
  EXPECT_EQ(study.trials_in_all, kMany);
  EXPECT_LE(study.trials.size(), most_kept());
}

TEST(EarlierTrials, AreTakenInTheOrderOfTheirNumbersAndFoundByTheirPoints) {
  LargeStore store(kPart + 1);
  EarlierTrials earlier(store);
  EXPECT_EQ(earlier.number_of({{"x", 7}}), 7);
  EXPECT_EQ(earlier.number_of({{"x", kPart + 1}}), std::nullopt);
  for (std::int64_t number = 0; number <= kPart; ++number) {
    ASSERT_NE(earlier.next(), nullptr);
    EXPECT_EQ(earlier.take(), numbered(number));
  }
  EXPECT_EQ(earlier.next(), nullptr);
}

}  // namespace
}  // namespace quantsearch
