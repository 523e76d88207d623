// Tests of studies whose parameters become known while their trials run, in every database.

#include <gtest/gtest.h>

#include <limits>

#include "quantsearch/base/error.h"
#include "storage/place.h"

namespace quantsearch {
namespace {

class DefineByRun : public ::testing::Test {
 protected:
  void SetUp() override {
    if (place_ == nullptr) GTEST_SKIP() << "no PostgreSQL server can be started here";
  }
  [[nodiscard]] std::unique_ptr<DefineByRunStudy> open() const {
    return define_by_run_study(place_->address(), {.name = "function"});
  }
  static DefineByRunTrial complete(std::int64_t number, double x) {
    DefineByRunTrial defined;
    defined.trial.number = number;
    defined.trial.state = TrialState::complete;
    defined.trial.point = {{"x", x}};
    defined.trial.value = x * x;
    defined.trial.seconds = 0.5;
    defined.distributions = {{"x", FloatRange{.low = -1, .high = 1}}};
    return defined;
  }
  static DefineByRunTrial pruned(std::int64_t number) {
    DefineByRunTrial defined;
    defined.trial.number = number;
    defined.trial.state = TrialState::pruned;
    defined.trial.point = {{"kind", "a"}, {"n", 3}};
    defined.trial.constraints = {-1, 2};
    defined.trial.details = Value::Map{{"note", "slow"}};
    defined.distributions = {{"kind", std::vector<Value>{"a", "b"}},
                             {"n", IntRange{.low = 1, .high = 9, .step = 2}}};
    defined.intermediate = {{1, 0.5}, {4, std::numeric_limits<double>::infinity()}};
    return defined;
  }

  std::unique_ptr<Place> place_ = new_place();
};

TEST_F(DefineByRun, TrialsWithDifferentParametersAreRestoredExactly) {
  const auto study = open();
  EXPECT_EQ(study->begin(), 0);
  EXPECT_EQ(study->begin(), 1);
  study->finish(pruned(1));
  EXPECT_EQ(study->news(), std::vector<DefineByRunTrial>{pruned(1)});
  study->finish(complete(0, 0.25));
  EXPECT_EQ(study->news(), (std::vector<DefineByRunTrial>{complete(0, 0.25)}));
  EXPECT_TRUE(study->news().empty());
  EXPECT_EQ(open()->news(), (std::vector<DefineByRunTrial>{complete(0, 0.25), pruned(1)}));
}

TEST_F(DefineByRun, SeveralProcessesGetDifferentNumbersAndSeeEachOthersResults) {
  const auto one = open();
  const auto other = open();
  EXPECT_EQ(one->begin(), 0);
  EXPECT_EQ(other->begin(), 1);
  other->finish(complete(1, 0.5));
  EXPECT_EQ(one->news(), std::vector<DefineByRunTrial>{complete(1, 0.5)});
  one->finish(complete(0, 0.75));
  EXPECT_EQ(other->news(), (std::vector<DefineByRunTrial>{complete(0, 0.75), complete(1, 0.5)}));
}

TEST_F(DefineByRun, ATrialOfADeadProcessStaysRunning) {
  EXPECT_EQ(open()->begin(), 0);
  const auto next = open();
  EXPECT_EQ(next->begin(), 1);
  EXPECT_TRUE(next->news().empty());
  EXPECT_EQ(load_trials(place_->address(), "function").at(0).state, TrialState::running);
}

TEST_F(DefineByRun, WhatOtherStoresWroteIsContinued) {
  std::vector<Trial> before = example_trials();
  {
    const auto store = place_->open(example_description());
    for (const Trial& trial : before) store->save(trial);
  }
  StudyDescription same = example_description();
  same.distributions.clear();
  const auto study = define_by_run_study(place_->address(), same);
  const std::vector<DefineByRunTrial> news = study->news();
  ASSERT_EQ(news.size(), before.size());
  EXPECT_EQ(news[3].trial, before[3]);
  EXPECT_EQ(study->begin(), static_cast<std::int64_t>(before.size()));
}

TEST_F(DefineByRun, ParametersThatCannotBeStoredAreRefused) {
  const auto study = open();
  (void)study->begin();
  DefineByRunTrial outside = complete(0, 0.5);
  outside.trial.point["x"] = 2.0;
  EXPECT_EQ(message_from<InvalidInput>([&] { study->finish(outside); }),
            "study: parameter 'x' is 2.0, expected a value of {\"name\":\"FloatDistribution\","
            "\"attributes\":{\"step\":null,\"low\":-1.0,\"high\":1.0,\"log\":false}}");
  DefineByRunTrial without = complete(0, 0.5);
  without.distributions.clear();
  EXPECT_EQ(message_from<InvalidInput>([&] { study->finish(without); }),
            "study: the point x=0.5 has a parameter 'x' without a distribution");
  study->finish(complete(0, 0.5));
  (void)study->begin();
  DefineByRunTrial other = complete(1, 0.5);
  other.distributions["x"] = FloatRange{.low = 0.1, .high = 1, .log = true};
  EXPECT_EQ(message_from<InvalidInput>([&] { study->finish(other); }),
            place_->name() +
                ": parameter 'x' has the distribution {\"name\":\"FloatDistribution\","
                "\"attributes\":{\"step\":null,\"low\":0.1,\"high\":1.0,\"log\":true}}, "
                "expected {\"name\":\"FloatDistribution\",\"attributes\":{\"step\":null,"
                "\"low\":-1.0,\"high\":1.0,\"log\":false}} as in an earlier trial; give it "
                "another name");
  study->finish(complete(1, 0.5));  // the refusals left the trials running
  EXPECT_EQ(study->news().size(), 2u);
}

TEST_F(DefineByRun, DistributionsInTheDescriptionAreRefused) {
  EXPECT_EQ(message_from<InvalidInput>(
                [&] { (void)define_by_run_study(place_->address(), example_description()); }),
            "study 'search': got distributions for a study whose parameters become known while its "
            "trials run, expected none");
}

TEST_F(DefineByRun, ATrialThatAnotherProgramEndedIsReported) {
  const auto study = open();
  (void)study->begin();
  place_->run("UPDATE trials SET state = 'FAIL'");
  EXPECT_EQ(message_from<IoError>([&] { study->finish(complete(0, 0.5)); }),
            place_->name() + ": trial 0 was ended by another program while it ran");
  EXPECT_EQ(message_from<InternalError>([&] { study->finish(complete(7, 0.5)); }),
            place_->name() + ": trial 7 ends, but this process did not begin it");
}

}  // namespace
}  // namespace quantsearch
