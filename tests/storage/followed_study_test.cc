// Tests of a study that is read again and again, in every database.

#include <gtest/gtest.h>

#include <optional>

#include "quantsearch/base/error.h"
#include "storage/place.h"

namespace quantsearch {
namespace {

Trial started(std::int64_t number) {
  Trial trial;
  trial.number = number;
  trial.point = {{"float", 0.5}};
  return trial;
}

Trial ended(std::int64_t number) {
  Trial trial = started(number);
  trial.state = TrialState::complete;
  trial.value = static_cast<double>(number);
  return trial;
}

using Numbers = std::vector<std::int64_t>;

/// What one reading passes.
struct News {
  Numbers passed = {};
  std::int64_t running = 0;
  bool is_anew = false;
  bool operator==(const News&) const = default;
};

News news_of(FollowedStudy& study) {
  News news;
  news.running = study.read(
      [&news] {
        EXPECT_TRUE(news.passed.empty());
        news.is_anew = true;
      },
      [&news](Trial&& trial) {
        EXPECT_NE(trial.state, TrialState::running);
        news.passed.push_back(trial.number);
      });
  return news;
}

class Followed : public ::testing::Test {
 protected:
  void SetUp() override {
    if (place_ == nullptr) GTEST_SKIP() << "no PostgreSQL server can be started here";
    store_ = place_->open(example_description());
    study_.emplace(place_->address(), "search");
  }
  void TearDown() override { study_.reset(); }
  [[nodiscard]] News news() { return news_of(*study_); }
  /// Makes the study anew, with one trial.
  void replace() {
    store_.reset();
    for (const char* table : {"trial_params", "trial_values", "trial_user_attributes",
                              "trial_system_attributes", "trials", "study_directions",
                              "study_user_attributes", "study_system_attributes", "studies"})
      place_->run(std::string("DELETE FROM ") + table);
    store_ = place_->open(example_description());
    store_->save(ended(0));
    // The clock of the test may not have moved.
    place_->run("UPDATE trials SET datetime_complete = '2001-01-01 00:00:00'");
  }

  std::unique_ptr<Place> place_ = new_place();
  std::unique_ptr<StudyStore> store_;
  std::optional<FollowedStudy> study_;
};

TEST_F(Followed, TrialsArePassedOnceWhenTheyHaveEnded) {
  EXPECT_EQ(news(), News());
  store_->start(started(0));
  store_->start(started(1));
  EXPECT_EQ(news(), (News{.running = 2}));
  store_->save(ended(1));
  EXPECT_EQ(news(), (News{.passed = {1}, .running = 1}));
  store_->start(started(2));
  store_->start(started(3));
  store_->save(ended(3));
  EXPECT_EQ(news(), (News{.passed = {3}, .running = 2}));
  EXPECT_EQ(news(), (News{.running = 2}));
  store_->save(ended(2));
  store_->save(ended(0));
  store_->save(ended(4));
  EXPECT_EQ(news(), (News{.passed = {0, 2, 4}}));
  EXPECT_EQ(news(), News());
}

TEST_F(Followed, TrialsArePassedAsTheyAreStored) {
  for (const Trial& trial : example_trials()) store_->save(trial);
  std::vector<Trial> passed;
  study_->read([] { FAIL(); }, [&passed](Trial&& trial) { passed.push_back(std::move(trial)); });
  EXPECT_EQ(passed, example_trials());
}

TEST_F(Followed, ATrialThatWaitsForOptunaIsPassedWhenItHasEnded) {
  store_->save(ended(0));
  place_->run("INSERT INTO trials (number, study_id, state) VALUES (1, 1, 'WAITING')");
  store_.reset();
  EXPECT_EQ(news(), (News{.passed = {0}}));
  place_->run("UPDATE trials SET state = 'RUNNING' WHERE number = 1");
  EXPECT_EQ(news(), (News{.running = 1}));
  place_->run("UPDATE trials SET state = 'FAIL' WHERE number = 1");
  EXPECT_EQ(news(), (News{.passed = {1}}));
}

TEST_F(Followed, AStudyThatWasReplacedIsPassedAnew) {
  store_->save(ended(0));
  store_->start(started(1));
  EXPECT_EQ(news(), (News{.passed = {0}, .running = 1}));
  replace();
  EXPECT_EQ(news(), (News{.passed = {0}, .is_anew = true}));
  store_->save(ended(1));
  EXPECT_EQ(news(), (News{.passed = {1}}));
}

TEST_F(Followed, AfterAFailureAllArePassedAnew) {
  store_->save(ended(0));
  store_->save(ended(1));
  EXPECT_THROW(study_->read([] {}, [](Trial&&) { throw InvalidInput("no more"); }), InvalidInput);
  EXPECT_EQ(news(), (News{.passed = {0, 1}, .is_anew = true}));
  EXPECT_EQ(news(), News());
}

TEST_F(Followed, OfAStudyThatIsNotThereNothingIsRead) {
  FollowedStudy other(place_->address(), "other");
  EXPECT_EQ(message_from<InvalidInput>([&] { (void)news_of(other); }),
            place_->name() + " has no study 'other'");
}

}  // namespace
}  // namespace quantsearch
