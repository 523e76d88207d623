// Trials that are carried elsewhere by the caller. What carries them here is a function.

#include <gtest/gtest.h>

#include <vector>

#include "quantsearch/internal/trials/executor.h"
#include "quantsearch/internal/trials/worker_main.h"

namespace quantsearch {
namespace {

constexpr const char* kMade = "made here";

/// An executor in this process whose models have a mark.
class LocalTrials final : public TrialExecutor {
 public:
  int jobs() const override { return 1; }
  TrialOutcome run(const TrialRequest& request) override {
    return TrialSuccess{.value = request.point.at("x").as_double(), .details = {}};
  }
  BuiltModel rebuild(const Trial& /*trial*/) override {
    return {.model = std::make_shared<const Model>(), .settings = {{"mark", kMade}}};
  }
};

class RemoteTrialsTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<TrialExecutor> trials(
      std::function<Value(const Value& request)> ask) {
    return make_remote_trials(
        {.trials = {.begin = [this](const Value& greeting) { greeting_ = greeting; },
                    .ask = [ask = std::move(ask)](
                               const Value& request,
                               const CancellationToken&) { return ask(request); }},
         .jobs = 3,
         .float_scores = {.metrics = {{"L2", 0.5}}, .size_bytes = 7},
         .fingerprint = "all",
         .token = token_,
         .log = [this](LogLevel, std::string_view line) { lines_.emplace_back(line); },
         .make_local = [] { return std::make_unique<LocalTrials>(); }});
  }
  static Value success(double value) {
    return Value::Map{{"success", Value::Map{{"value", value},
                                             {"is_candidate", true},
                                             {"details", Value::Map{}},
                                             {"objectives", Value::List{}},
                                             {"constraints", Value::List{}}}}};
  }

  CancellationToken token_;
  Value greeting_;
  std::vector<std::string> lines_;
};

TEST_F(RemoteTrialsTest, HostsBeginWithTheScoresOfTheFloatModel) {
  const auto executor = trials([](const Value&) { return Value(); });
  EXPECT_EQ(executor->jobs(), 3);
  const RemoteGreeting greeting = greeting_of(greeting_);
  EXPECT_EQ(greeting.float_scores.metrics.at("L2"), 0.5);
  EXPECT_EQ(greeting.float_scores.size_bytes, 7);
  EXPECT_EQ(greeting.fingerprint, Value("all"));
}

TEST_F(RemoteTrialsTest, AnAnswerIsTheOutcomeAndItsModelIsAskedForWhenItIsLoaded) {
  std::vector<std::string> asked;
  const auto executor = trials([&](const Value& request) {
    const Value* const trial = request.find("make");
    asked.emplace_back(trial == nullptr ? "run" : "make");
    if (trial == nullptr) return success(request.find("point")->find("x")->as_double());
    return Value(Value::Map{{"failed", Value::Map{{"reason", "lost"}, {"details", Value()}}}});
  });
  TrialOutcome outcome = executor->run({.point = {{"x", 4.0}}, .number = 2});
  const auto& done = std::get<TrialSuccess>(outcome);
  EXPECT_EQ(done.value, 4);
  EXPECT_TRUE(done.is_candidate);
  EXPECT_EQ(asked, std::vector<std::string>{"run"});
  const auto product = std::static_pointer_cast<const BuiltProduct>(done.product);
  EXPECT_EQ(product->load().settings.at("mark"), Value(kMade));
  EXPECT_EQ(asked.back(), "make");
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_TRUE(lines_[0].starts_with("the model of trial 2 is built again on this machine"));
}

TEST_F(RemoteTrialsTest, ARequestNamesTheHostThatIsReserved) {
  std::vector<Value> places;
  const auto executor = trials([&](const Value& request) {
    const Value* const place = request.find("place");
    places.push_back(place == nullptr ? Value() : *place);
    return success(1);
  });
  (void)executor->run({.point = {{"x", 1.0}}, .number = 0, .place = 3});
  (void)executor->run({.point = {{"x", 2.0}}, .number = 1});
  EXPECT_EQ(places, (std::vector<Value>{3, Value()}));
}

TEST_F(RemoteTrialsTest, WithoutHostsTheSearchIsCancelledAndTheReasonLogged) {
  const auto executor = trials([](const Value&) { return Value(Value::Map{{"lost", "no node"}}); });
  EXPECT_THROW((void)executor->run({.point = {{"x", 1.0}}, .number = 0}), Cancelled);
  EXPECT_TRUE(token_.is_cancelled());
  EXPECT_EQ(lines_, std::vector<std::string>{"no node"});
  Trial trial;
  EXPECT_EQ(executor->rebuild(trial).settings.at("mark"), Value(kMade));
}

TEST_F(RemoteTrialsTest, ACancelledAnswerIsACancelledTrial) {
  const auto executor = trials([](const Value&) { return Value(Value::Map{{"cancelled", true}}); });
  EXPECT_THROW((void)executor->run({.point = {{"x", 1.0}}, .number = 0}), Cancelled);
  EXPECT_FALSE(token_.is_cancelled());
}

TEST(AnswerRequest, RunsWhatAMessageAsksForAndWritesNoModelWithoutAFile) {
  LocalTrials local;
  const Value request = Value::Map{{"run", 5}, {"point", Value::Map{{"x", 2.5}}}};
  const Value answer = answer_request(local, request, {});
  EXPECT_EQ(answer.find("success")->find("value")->as_double(), 2.5);
  EXPECT_EQ(answer.find("made"), nullptr);
}

TEST(AnswerRequest, MakesAnAnswerOfAnException) {
  LocalTrials local;
  const Value request = Value::Map{{"run", 5}, {"point", Value::Map{}}};
  EXPECT_NE(answer_request(local, request, {}).find("failed"), nullptr);
}

}  // namespace
}  // namespace quantsearch
