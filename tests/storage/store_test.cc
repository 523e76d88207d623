// Tests of a study of one process, in every database.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantsearch/base/error.h"
#include "storage/place.h"

namespace quantsearch {
namespace {

class Store : public ::testing::Test {
 protected:
  void SetUp() override {
    if (place_ == nullptr) GTEST_SKIP() << "no PostgreSQL server can be started here";
  }
  void save_examples() const {
    const auto store = place_->open(example_description());
    for (const Trial& trial : example_trials()) store->save(trial);
  }
  [[nodiscard]] std::string refusal(const StudyDescription& description) const {
    return message_from<InvalidInput>([&] { (void)place_->open(description); });
  }
  static Trial trial(std::int64_t number, double value = 0) {
    Trial trial;
    trial.number = number;
    trial.state = TrialState::complete;
    trial.point = {{"float", 0.5}};
    trial.value = value;
    return trial;
  }

  std::unique_ptr<Place> place_ = new_place();
};

TEST_F(Store, TrialsOfEveryStateAreRestoredExactly) {
  const auto store = place_->open(example_description());
  EXPECT_TRUE(store->load().empty());
  for (const Trial& one : example_trials()) {
    if (one.number % 2 == 0) store->start(one);
    store->save(one);
  }
  EXPECT_EQ(store->load(), example_trials());
}

TEST_F(Store, DecisionsAreKeptWithTheStudy) {
  {
    const auto store = place_->open(example_description());
    EXPECT_TRUE(store->decision("choice").is_null());
    EXPECT_EQ(store->decide("choice", "first"), Value("first"));
    EXPECT_EQ(store->decide("choice", "second"), Value("first"));
  }
  EXPECT_EQ(place_->open(example_description())->decision("choice"), Value("first"));
}

TEST_F(Store, ReopeningAndReadersRestoreTrialsExactly) {
  save_examples();
  EXPECT_EQ(place_->open(example_description())->load(), example_trials());
  const std::vector<Trial> read = load_trials(place_->address(), "search");
  ASSERT_EQ(read, example_trials());
  EXPECT_TRUE(std::signbit(read[0].details.find("scores")->find("zero")->as_double()));
  for (std::size_t i = 1; i <= 10; ++i) {
    EXPECT_EQ(to_json(read[i].point.at("choice")), to_json(example_trials()[i].point.at("choice")));
    EXPECT_EQ(to_json(read[i].point.at("joint")), "[1.0,0.1]");
  }
}

/// Adds failed trials to the first study.
void add_failed(const Place& place, std::int64_t from, std::int64_t to) {
  std::string sql = "INSERT INTO trials (number, study_id, state) VALUES ";
  for (std::int64_t number = from; number < to; ++number)
    sql += fmt::format("{}({}, 1, 'FAIL')", number == from ? "" : ", ", number);
  place.run(sql);
}

TEST_F(Store, ManyTrialsAreReadPartByPart) {
  constexpr std::int64_t kMany = 9000;
  const auto store = place_->open(example_description());
  store->save(trial(0));
  add_failed(*place_, 1, kMany);
  const auto pages = store->pages();
  store->start(trial(kMany));  // begins too late for the parts
  std::int64_t next = 0;
  std::size_t parts = 0;
  for (std::vector<Trial> part = pages->next(); !part.empty(); part = pages->next()) {
    ++parts;
    EXPECT_LT(part.size(), 5000U);
    for (const Trial& one : part) EXPECT_EQ(one.number, next++);
  }
  EXPECT_EQ(next, kMany);
  EXPECT_GT(parts, 1U);
  next = 0;
  store->visit([&next](Trial&& one) { EXPECT_EQ(one.number, next++); });
  EXPECT_EQ(next, kMany + 1);
  next = 0;
  visit_trials(place_->address(), "search",
               [&next](Trial&& one) { EXPECT_EQ(one.number, next++); });
  EXPECT_EQ(next, kMany + 1);
}

TEST_F(Store, SeveralObjectivesAreRestored) {
  StudyDescription description = example_description();
  description.goals = {Goal::minimize, Goal::maximize};
  description.objective_names = {"L2", "top1"};
  Trial both = trial(0, 0.25);
  both.objectives = {0.25, std::numeric_limits<double>::infinity()};
  place_->open(description)->save(both);
  EXPECT_EQ(place_->open(description)->load(), std::vector<Trial>{both});
  EXPECT_EQ(list_studies(place_->address()),
            (std::vector<StudySummary>{{.name = "search",
                                        .goals = description.goals,
                                        .objective_names = description.objective_names,
                                        .fingerprint = description.fingerprint,
                                        .trials = 1}}));
}

TEST_F(Store, WritesWhatOptunaWrites) {
  save_examples();
  EXPECT_EQ(
      place_->rows("SELECT param_name, param_value, distribution_json FROM trial_params WHERE "
                   "trial_id = 1 ORDER BY param_id"),
      (std::vector<std::string>{
          R"(choice|1|{"name":"CategoricalDistribution","attributes":{"choices":["a","text with )"
          R"(\"quotes\"\nand a line",null,true,3,3.0,2.5,"\"[1,2]\"","\"\\\"q\\\"\"",)"
          R"("\"[not json\""]}})",
          R"(float|0.30000000000000004|{"name":"FloatDistribution","attributes":{"step":null,)"
          R"("low":-1.0,"high":1.0,"log":false}})",
          R"(int|7|{"name":"IntDistribution","attributes":{"log":true,"step":1,"low":1,"high":9}})",
          R"(joint|0|{"name":"CategoricalDistribution","attributes":{"choices":["[1,0.1]",)"
          R"("[1.0,0.1]"]}})"}));
  EXPECT_EQ(place_->rows(
                "SELECT state, count(*) FROM trials GROUP BY state ORDER BY CAST(state AS TEXT)"),
            (std::vector<std::string>{"COMPLETE|11", "FAIL|2", "PRUNED|2"}));
  EXPECT_EQ(place_->rows("SELECT value, value_type FROM trial_values WHERE trial_id IN (2, 11, 14) "
                         "ORDER BY trial_id"),
            (std::vector<std::string>{"|INF_NEG", "|INF_POS", "0.5|FINITE"}));
  EXPECT_EQ(place_->rows("SELECT key, value_json FROM trial_system_attributes"),
            std::vector<std::string>{"constraints|[-1.5,Infinity]"});
  EXPECT_EQ(place_->rows("SELECT key, value_json FROM trial_user_attributes WHERE trial_id = 12 "
                         "ORDER BY trial_user_attribute_id"),
            (std::vector<std::string>{"state|\"failed\"", R"(reason|"it did not \"converge\"")",
                                      "is_candidate|false", "seconds|0.3333333333333333",
                                      R"(details|"not a mapping")"}));
}

TEST_F(Store, ATrialThatAKillLeftRunningBeginsAgainUnderItsNumber) {
  Trial running = trial(1);
  running.state = TrialState::running;
  running.value.reset();
  {
    const auto store = place_->open(example_description());
    store->save(trial(0));
    store->start(running);
  }
  const auto store = place_->open(example_description());
  EXPECT_EQ(store->load(), (std::vector<Trial>{trial(0), running}));
  Trial again = trial(1, 3);
  again.point = {{"float", -0.5}, {"int", 2}};
  store->start(again);
  store->save(again);
  store->save(trial(2));
  EXPECT_EQ(store->load(), (std::vector<Trial>{trial(0), again, trial(2)}));
  EXPECT_EQ(place_->rows("SELECT number FROM trials ORDER BY trial_id"),
            (std::vector<std::string>{"0", "1", "2"}));
}

TEST_F(Store, TrialsEndInAnyOrder) {
  const auto store = place_->open(example_description());
  for (const int number : {0, 1, 2}) store->start(trial(number));
  for (const int number : {2, 0, 1}) store->save(trial(number));
  EXPECT_EQ(store->load(), (std::vector<Trial>{trial(0), trial(1), trial(2)}));
}

TEST_F(Store, NumbersHaveNoGapsAndTrialsEndOnce) {
  const auto store = place_->open(example_description());
  store->save(trial(0));
  EXPECT_EQ(message_from<InternalError>([&] { store->start(trial(2)); }),
            place_->name() + ": trial 2 begins, expected 1 or one that runs");
  EXPECT_EQ(message_from<InternalError>([&] { store->save(trial(0)); }),
            place_->name() + ": trial 0 begins, expected 1 or one that runs");
  EXPECT_EQ(store->load(), std::vector<Trial>{trial(0)});
}

TEST_F(Store, ATrialThatCannotBeStoredIsRefusedEntirely) {
  const auto store = place_->open(example_description());
  Trial odd = trial(0);
  odd.point = {{"float", 0.5}, {"int", 10}};
  EXPECT_EQ(message_from<InvalidInput>([&] { store->save(odd); }),
            "study: parameter 'int' is 10, expected a value of {\"name\":\"IntDistribution\","
            "\"attributes\":{\"log\":true,\"step\":1,\"low\":1,\"high\":9}}");
  odd.point = {{"other", 1}};
  EXPECT_EQ(message_from<InvalidInput>([&] { store->save(odd); }),
            "study: the point other=1 has a parameter 'other' without a distribution");
  EXPECT_EQ(message_from<InvalidInput>([&] { store->save(trial(0, std::nan(""))); }),
            "study: a value of trial 0 is NaN, expected a number");
  Trial none = trial(0);
  none.value.reset();
  EXPECT_EQ(message_from<InternalError>([&] { store->save(none); }),
            "study: the complete trial 0 has 0 values, and the study 1 goals");
  EXPECT_TRUE(store->load().empty());
  store->save(trial(0));
  EXPECT_EQ(store->load(), std::vector<Trial>{trial(0)});
}

TEST_F(Store, AnotherFingerprintIsRefusedWithWhatDiffers) {
  save_examples();
  StudyDescription other = example_description();
  other.fingerprint = Value::Map{{"model", "xyz"}, {"labels", 3}};
  EXPECT_EQ(refusal(other),
            "study 'search' in " + place_->name() +
                " belongs to another search: 'model' is \"xyz\", was \"abc\"; 'labels' is 3, was "
                "absent; 'data' is absent, was \"def\"; resume with what it was started with, or "
                "choose another one");
  other.fingerprint = Value::Map{{"data", "def"}, {"model", "abc"}};
  EXPECT_EQ(refusal(other), "nothing was thrown");
}

TEST_F(Store, ARefusalNamesTheInputsInWordsWhereTheStudyHasThem) {
  StudyDescription first = example_description();
  first.in_words = Value::Map{{"data", "10 samples of 'a.npz'"}};
  (void)place_->open(first);
  StudyDescription other = first;
  other.fingerprint = Value::Map{{"model", "xyz"}, {"data", "other"}};
  other.in_words = Value::Map{{"data", "20 samples of 'b.npz'"}, {"model", "'m.onnx'"}};
  EXPECT_EQ(refusal(other),
            "study 'search' in " + place_->name() +
                " belongs to another search: 'model' is 'm.onnx', was another one, which this "
                "older study does not name; 'data' is 20 samples of 'b.npz', was 10 samples of "
                "'a.npz'; resume with what it was started with, or choose another one");
  other.fingerprint = Value::Map{{"model", "abc"}, {"data", "other"}};
  other.in_words = first.in_words;
  EXPECT_EQ(refusal(other),
            "study 'search' in " + place_->name() +
                " belongs to another search: 'data' is 10 samples of 'a.npz', but its content has "
                "changed; resume with what it was started with, or choose another one");
}

TEST_F(Store, AnotherGoalOrSpaceIsRefused) {
  save_examples();
  StudyDescription other = example_description();
  other.goals = {Goal::maximize};
  EXPECT_EQ(refusal(other), "study 'search' in " + place_->name() +
                                ": got the goals MINIMIZE, expected MAXIMIZE; choose another one");
  other = example_description();
  other.distributions["joint"] = std::vector<Value>{1, 2};
  EXPECT_EQ(refusal(other),
            "study 'search' in " + place_->name() +
                ": parameter 'joint' has the distribution {\"name\":\"CategoricalDistribution\","
                "\"attributes\":{\"choices\":[\"[1,0.1]\",\"[1.0,0.1]\"]}}, expected "
                "{\"name\":\"CategoricalDistribution\",\"attributes\":{\"choices\":[1,2]}}; resume "
                "with the space it was started with, or choose another one");
  other.distributions["joint"] = example_description().distributions.at("joint");
  other.distributions["float"] = FloatRange{.low = -2, .high = 2};  // bounds may change
  EXPECT_EQ(refusal(other), "nothing was thrown");
}

TEST_F(Store, AStudyGoesOnWithMoreChoices) {
  save_examples();
  StudyDescription more = example_description();
  auto& choices = std::get<std::vector<Value>>(more.distributions.at("choice"));
  choices.emplace_back("one more");
  Trial added = trial(std::ssize(example_trials()));
  added.point = {{"choice", "one more"}};
  std::vector<Trial> all = example_trials();
  all.push_back(added);
  place_->open(more)->save(added);
  EXPECT_EQ(place_->open(more)->load(), all);
  EXPECT_EQ(place_->open(example_description())->load(), all);
}

TEST_F(Store, AStudyWithoutAFingerprintIsTakenOver) {
  save_examples();
  place_->run("DELETE FROM study_user_attributes");
  EXPECT_EQ(place_->open(example_description())->load(), example_trials());
  EXPECT_EQ(list_studies(place_->address())[0].fingerprint, example_description().fingerprint);
}

TEST_F(Store, TrialsThatWaitForOptunaAreAnError) {
  save_examples();
  place_->run("UPDATE trials SET state = 'WAITING' WHERE number = 3");
  EXPECT_EQ(refusal(example_description()),
            "study 'search' in " + place_->name() +
                ": 1 trials wait for Optuna to run them; let it do so first");
  EXPECT_EQ(load_trials(place_->address(), "search").size(), example_trials().size() - 1);
}

TEST_F(Store, IsForOneProcessAtATime) {
  auto store = place_->open(example_description());
  const auto opened = [&] { (void)place_->open(example_description()); };
  const auto shared = [&] { (void)place_->share(example_description(), 60); };
  const std::string busy = "study 'search' in " + place_->name() +
                           " is in use by another search; wait for it, or choose another one";
  EXPECT_EQ(message_from<IoError>(opened), busy);
  EXPECT_EQ(message_from<IoError>(shared), busy + ", or let every search share it");
  store.reset();
  EXPECT_EQ(message_from<IoError>(opened), "nothing was thrown");
  const auto one = place_->share(example_description(), 60);
  EXPECT_EQ(message_from<IoError>(shared), "nothing was thrown");
  EXPECT_EQ(message_from<IoError>(opened), busy);
}

TEST_F(Store, HoldsSeveralStudies) {
  save_examples();
  StudyDescription second = example_description();
  second.name = "it's another";
  second.fingerprint = Value();
  place_->open(second)->save(trial(0));
  EXPECT_EQ(place_->open(second)->load(), std::vector<Trial>{trial(0)});
  EXPECT_EQ(place_->open(example_description())->load(), example_trials());
  EXPECT_EQ(message_from<InvalidInput>([&] { (void)load_trials(place_->address(), "third"); }),
            place_->name() + " has no study 'third'");
}

TEST_F(Store, ContradictoryDescriptionsAreRefused) {
  StudyDescription odd = example_description();
  odd.goals = {};
  EXPECT_EQ(refusal(odd), "study 'search' has no goals, expected at least one");
  odd = example_description();
  odd.objective_names = {"a", "b"};
  EXPECT_EQ(refusal(odd), "study 'search': got 2 names of objectives, expected 1");
  odd = example_description();
  odd.fingerprint = 3;
  EXPECT_EQ(refusal(odd),
            "study 'search': got a fingerprint of kind 'integer', expected a mapping");
  odd.name = std::string(513, 'x');
  EXPECT_EQ(refusal(odd),
            "study: got a name of a study of 513 bytes, expected 1 to 512 without a zero");
}

TEST_F(Store, ReadsAttributesOfOtherProgramsAsDetails) {
  save_examples();
  place_->run("DELETE FROM trial_user_attributes WHERE trial_id = 12");
  place_->run(
      "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES (12, 'state', "
      "'\"odd\"'), "
      "(12, 'seconds', '\"long\"'), (12, 'note', 'no json'), (12, 'far', '[NaN, -Infinity]')");
  place_->run(
      "UPDATE trials SET datetime_start = '2026-01-01 00:00:00', datetime_complete = "
      "'2026-01-01 00:00:02.500000' WHERE trial_id = 12");
  const Trial read = load_trials(place_->address(), "search")[11];
  EXPECT_EQ(read.state, TrialState::failed);
  EXPECT_NEAR(read.seconds, 2.5, 1e-3);
  EXPECT_EQ(read.details.find("state")->as_string(), "odd");
  EXPECT_EQ(read.details.find("seconds")->as_string(), "long");
  EXPECT_EQ(read.details.find("note")->as_string(), "no json");
  EXPECT_TRUE(std::isnan(read.details.find("far")->as_list()[0].as_double()));
  EXPECT_EQ(read.details.find("far")->as_list()[1].as_double(),
            -std::numeric_limits<double>::infinity());
}

TEST_F(Store, ReadsConstraintsOfEveryRelease) {
  save_examples();
  place_->run(
      "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES (3, "
      "'constraints:size', '-2.5'), (3, 'constraints:drop', 'Infinity'), (3, 'grid_id', '4')");
  const std::vector<Trial> trials = load_trials(place_->address(), "search");
  EXPECT_EQ(trials[0].constraints, example_trials()[0].constraints);
  EXPECT_EQ(trials[2].constraints,
            (std::vector<double>{-2.5, std::numeric_limits<double>::infinity()}));
}

}  // namespace
}  // namespace quantsearch
