// Tests that a search goes on with a study that does not fit in memory.

#include "search/earlier_trials.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
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

/// A study that makes its trials when they are read part by part, and refuses to hold all of them
/// at once.
class LargeStore final : public StudyStore {
 public:
  /// Number 0 to `count` - 1 in this order, but not `missing`.
  explicit LargeStore(std::int64_t count, std::optional<std::int64_t> missing = {})
      : count_(count), missing_(missing) {}

  void visit(const std::function<void(Trial&&)>& /*take*/) override {
    throw std::logic_error("all trials at once");
  }
  std::unique_ptr<TrialPages> pages() override { return std::make_unique<Pages>(*this); }
  void save(const Trial& finished) override { saved.push_back(finished.number); }

  std::vector<std::int64_t> saved;
  std::int64_t read = 0;

 private:
  class Pages final : public TrialPages {
   public:
    explicit Pages(LargeStore& store) : store_(store) {}
    std::vector<Trial> next() override {
      std::vector<Trial> part;
      for (; next_ < store_.count_ && std::ssize(part) < kPart; ++next_) {
        if (next_ != store_.missing_) part.push_back(numbered(next_));
      }
      store_.read += std::ssize(part);
      return part;
    }

   private:
    LargeStore& store_;
    std::int64_t next_ = 0;
  };

  std::int64_t count_;
  std::optional<std::int64_t> missing_;
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

StopConditions after(std::int64_t trials) {
  StopConditions stop;
  stop.iteration_limit = trials;
  return stop;
}

/// What a search says of earlier trials.
struct Said {
  std::vector<std::int64_t> numbers;
  int ends = 0;
};

Study resumed(LargeStore& store, Counter& sampler, const StopConditions& stop,
              Said* said = nullptr) {
  const Objective objective = [](const TrialRequest& request) -> TrialOutcome {
    return TrialSuccess{.value = *numbered(request.number).value, .details = {}};
  };
  SearchOptions options;
  options.stop = stop;
  if (said != nullptr) {
    options.on_start = [said](std::int64_t, const Point&) { EXPECT_EQ(said->ends, 1); };
    options.on_earlier = [said](const Trial& trial) { said->numbers.push_back(trial.number); };
    options.on_earlier_end = [said] { ++said->ends; };
  }
  return optimize(sampler, objective, options, store);
}

std::size_t most_kept() {
  const KeptTrials::Bounds bounds;
  return bounds.history + bounds.best + bounds.incumbents;
}

TEST(EarlierTrials, AHundredThousandAreRepeatedPartByPart) {
  LargeStore store(kMany);
  Counter sampler(0);
  const Study study = resumed(store, sampler, after(kMany + 2));
  EXPECT_EQ(store.saved, (std::vector<std::int64_t>{kMany, kMany + 1}));
  EXPECT_EQ(sampler.told, kMany + 2);
  EXPECT_EQ(study.trials_in_all, kMany + 2);
  EXPECT_LE(study.trials.size(), most_kept());
  ASSERT_TRUE(study.best.has_value());
  EXPECT_EQ(study.best, 0);
  EXPECT_EQ(store.read, kMany);
}

TEST(EarlierTrials, ThoseThatAreNotRepeatedAreCountedPartByPart) {
  LargeStore store(kMany);
  Counter sampler(2 * kMany);  // none of its points is known
  const Study study = resumed(store, sampler, after(kMany + 2));
  EXPECT_EQ(store.saved, (std::vector<std::int64_t>{kMany, kMany + 1}));
  EXPECT_EQ(study.trials_in_all, kMany + 2);
  EXPECT_LE(study.trials.size(), most_kept());
  EXPECT_EQ(store.read, kMany);
}

TEST(EarlierTrials, ThoseOfALongerSearchAreKept) {
  LargeStore store(kMany);
  Counter sampler(0);
  const Study study = resumed(store, sampler, after(10));
  EXPECT_TRUE(store.saved.empty());
  EXPECT_EQ(study.trials_in_all, kMany);
  EXPECT_LE(study.trials.size(), most_kept());
  EXPECT_EQ(store.read, kMany);
}

TEST(EarlierTrials, AfterAMissingOneAreReadTwice) {
  constexpr std::int64_t kMissing = kPart / 2;
  LargeStore store(kMany, kMissing);
  Counter sampler(0);
  const Study study = resumed(store, sampler, after(kMany + 2));
  EXPECT_EQ(store.saved, (std::vector<std::int64_t>{kMissing, kMany, kMany + 1}));
  EXPECT_EQ(sampler.told, kMany + 2);
  EXPECT_EQ(study.trials_in_all, kMany + 2);
  EXPECT_EQ(store.read, 2 * (kMany - 1));
}

TEST(EarlierTrials, AreAllKnownBeforeATrialStarts) {
  constexpr std::int64_t kFew = 3 * kPart;
  std::vector<std::int64_t> all(kFew);
  std::iota(all.begin(), all.end(), 0);
  for (const std::int64_t first : {std::int64_t{0}, 2 * kFew}) {
    LargeStore store(kFew);
    Counter sampler(first);
    Said said;
    (void)resumed(store, sampler, after(kFew + 2), &said);
    EXPECT_EQ(said.numbers, all);
    EXPECT_EQ(said.ends, 1);
    EXPECT_EQ(store.saved.size(), 2U);
  }
}

TEST(EarlierTrials, AreAllKnownWhenASearchEndsAmongThem) {
  LargeStore store(3 * kPart);
  Counter sampler(0);
  Said said;
  StopConditions stop;
  stop.find_best_candidate = 5;
  const Study study = resumed(store, sampler, stop, &said);
  EXPECT_EQ(study.trials.size(), 6U);  // number 0 is the best
  EXPECT_EQ(said.numbers.size(), 3U * kPart);
  EXPECT_EQ(said.ends, 1);
}

TEST(EarlierTrials, AreAllKnownBeforeASamplerThatLearnsIsAsked) {
  class Asked final : public Sampler {
   public:
    explicit Asked(const Said& said) : said_(said) {}
    std::optional<Point> ask() override {
      EXPECT_EQ(said_.ends, 1);
      return Point{{"x", next_++}};
    }
    void tell(const Trial& /*finished*/) override {}
    bool learns() const override { return true; }
    std::optional<std::int64_t> remaining() const override { return std::nullopt; }

   private:
    const Said& said_;
    std::int64_t next_ = 0;
  };
  LargeStore store(kPart);
  Said said;
  Asked sampler(said);
  SearchOptions options;
  options.stop = after(kPart);
  options.on_earlier_end = [&said] { ++said.ends; };
  (void)optimize(
      sampler, [](const TrialRequest&) -> TrialOutcome { return TrialFailure{}; }, options, store);
  EXPECT_EQ(store.read, kPart);
}

/// A study whose trials are not numbered in the order in which they began.
class MixedStore final : public StudyStore {
 public:
  void visit(const std::function<void(Trial&&)>& take) override {
    for (const std::int64_t number : kOrder) take(numbered(number));
  }
  std::unique_ptr<TrialPages> pages() override { return std::make_unique<Pages>(); }
  void save(const Trial& finished) override { saved.push_back(finished.number); }

  std::vector<std::int64_t> saved;

 private:
  class Pages final : public TrialPages {
   public:
    std::vector<Trial> next() override {
      if (next_ == kOrder.size()) return {};
      return {numbered(kOrder.at(next_++))};
    }

   private:
    std::size_t next_ = 0;
  };

  static constexpr std::array<std::int64_t, 4> kOrder = {0, 2, 1, 3};
};

TEST(EarlierTrials, OfAnotherOrderAreTakenByTheirNumbers) {
  MixedStore store;
  const SearchOptions options;
  EarlierTrials earlier(store, options);
  for (std::int64_t number = 0; number < 4; ++number) {
    ASSERT_TRUE(earlier.next_is(number, {{"x", number}}));
    EXPECT_EQ(earlier.take(), numbered(number));
  }
  EXPECT_EQ(earlier.next(), nullptr);
}

TEST(EarlierTrials, AreTakenInTheOrderOfTheirNumbersAndFoundByTheirPoints) {
  LargeStore store(kPart + 1);
  const SearchOptions options;
  EarlierTrials earlier(store, options);
  EXPECT_EQ(earlier.number_of({{"x", 7}}), 7);
  EXPECT_EQ(earlier.number_of({{"x", kPart + 1}}), std::nullopt);
  for (std::int64_t number = 0; number <= kPart; ++number) {
    EXPECT_FALSE(earlier.next_is(number, {{"x", number + 1}}));
    ASSERT_TRUE(earlier.next_is(number, {{"x", number}}));
    EXPECT_EQ(number % 2 == 0 ? earlier.take() : earlier.take_repeated(), numbered(number));
  }
  EXPECT_EQ(earlier.next(), nullptr);
  EXPECT_EQ(earlier.number_of({{"x", 8}}), 8);
}

}  // namespace
}  // namespace quantsearch
