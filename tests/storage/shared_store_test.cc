// Tests of a study of several processes, in every database.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "quantsearch/internal/base/files.h"
#include "storage/place.h"
#include "storage/worker_process.h"

namespace quantsearch {
namespace {

constexpr int kPoints = 60;

StudyDescription numbers() {
  return {.name = "numbers", .distributions = {{"n", IntRange{.low = 0, .high = 1000}}}};
}

Point point(std::int64_t n) { return {{"n", n}}; }

SharedStudyStore::Propose always(std::int64_t n) {
  return [n](const SharedStudyStore::News&) { return std::optional(point(n)); };
}

std::optional<Point> nothing(const SharedStudyStore::News&) { return std::nullopt; }

Trial finished(Trial trial) {
  trial.state = TrialState::complete;
  trial.value = trial.point.at("n").as_double();
  return trial;
}

class Shared : public ::testing::Test {
 protected:
  void SetUp() override {
    if (place_ == nullptr) GTEST_SKIP() << "no PostgreSQL server can be started here";
  }
  [[nodiscard]] std::unique_ptr<SharedStudyStore> join(double lease_seconds = 3600) const {
    return place_->share(numbers(), lease_seconds);
  }
  /// Makes every lease as old as if it had been given years ago.
  void age_leases() const {
    place_->run("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'");
  }

  std::unique_ptr<Place> place_ = new_place();
};

TEST_F(Shared, TrialsGetConsecutiveNumbers) {
  const auto one = join();
  const auto other = join();
  const Trial first = one->begin(always(7)).value();
  const Trial second = other->begin(always(8)).value();
  EXPECT_EQ(first.number, 0);
  EXPECT_EQ(second.number, 1);
  EXPECT_EQ(first.point, point(7));
  EXPECT_EQ(first.state, TrialState::running);
  EXPECT_TRUE(other->finish(finished(second)));
  one->save(finished(first));
  EXPECT_EQ(one->load(), (std::vector<Trial>{finished(first), finished(second)}));
  EXPECT_EQ(one->begin(nothing), std::nullopt);
}

TEST_F(Shared, TheFirstDecisionHoldsForEveryProcess) {
  const auto one = join();
  const auto other = join();
  EXPECT_TRUE(one->decision("choice").is_null());
  const Value list = Value::List{Value::List{}, Value::List{"a", "b"}};
  EXPECT_EQ(one->decide("choice", list), list);
  EXPECT_EQ(other->decide("choice", 7), list);
  EXPECT_EQ(other->decision("choice"), list);
  EXPECT_EQ(join()->decision("choice"), list);
  EXPECT_TRUE(other->decision("another").is_null());
}

TEST_F(Shared, ReportsNewsOnceAndRunningTrialsAlways) {
  const auto one = join();
  const auto other = join();
  const Trial mine = one->begin(always(1)).value();
  const Trial theirs = other->begin(always(2)).value();
  const Trial long_one = other->begin(always(3)).value();
  other->save(finished(theirs));
  std::vector<SharedStudyStore::News> told;
  const auto listen = [&](const SharedStudyStore::News& news) {
    told.push_back(news);
    return std::optional<Point>();
  };
  (void)one->begin(listen);
  one->save(finished(mine));
  (void)one->begin(listen);
  (void)one->begin(listen);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].finished, std::vector<Trial>{finished(theirs)});
  EXPECT_EQ(told[0].running, (std::vector<Trial>{mine, long_one}));
  EXPECT_EQ(told[1].finished, std::vector<Trial>{finished(mine)});
  EXPECT_EQ(told[1].running, std::vector<Trial>{long_one});
  EXPECT_TRUE(told[2].finished.empty());
  EXPECT_EQ(told[2].running, std::vector<Trial>{long_one});
  // load() returns all trials, and these do not count as news any more.
  other->save(finished(long_one));
  EXPECT_EQ(one->load().size(), 3U);
  (void)one->begin(listen);
  EXPECT_TRUE(told[3].finished.empty());
}

TEST_F(Shared, OthersBeginTrialsWhileFinishedOnesAreLearned) {
  const auto one = join();
  const auto other = join();
  const Trial first = other->begin(always(1)).value();
  other->save(finished(first));
  std::vector<Trial> learned;
  std::optional<Trial> meanwhile;
  SharedStudyStore::News news;
  const auto propose = [&](const SharedStudyStore::News& told) {
    news = told;
    return std::optional(Point{{"n", 3}});
  };
  const auto learn = [&](const std::vector<Trial>& trials) {
    learned = trials;
    meanwhile = other->begin(always(2));
  };
  const Trial begun = one->begin(propose, learn).value();
  EXPECT_EQ(learned, std::vector<Trial>{finished(first)});
  EXPECT_TRUE(news.finished.empty());
  EXPECT_EQ(news.running, std::vector<Trial>{meanwhile.value()});
  EXPECT_EQ(begun.number, 2);
}

TEST_F(Shared, NewsOfATrialAreWhatLoadReturns) {
  const auto one = place_->share(example_description(), 60);
  const auto other = place_->share(example_description(), 60);
  std::vector<Trial> told;
  const auto listen = [&](const SharedStudyStore::News& news) {
    told.insert(told.end(), news.finished.begin(), news.finished.end());
    return std::optional<Point>();
  };
  std::vector<Trial> expected = example_trials();
  for (Trial& trial : expected) {
    const auto propose = [&](const auto&) { return std::optional(trial.point); };
    EXPECT_EQ(one->begin(propose).value().point, trial.point);
    (void)other->begin(listen);
    EXPECT_TRUE(one->finish(trial));
    (void)other->begin(listen);
  }
  EXPECT_EQ(told, expected);
  EXPECT_EQ(other->load(), expected);
}

TEST_F(Shared, LongDetailsThatNewsLeaveOutAreAddedLater) {
  const auto one = join();
  const auto other = join();
  Trial trial = finished(one->begin(always(1)).value());
  trial.details = Value::Map{{"size_bytes", 7}, {"precision", std::string(5000, 'x')}};
  one->save(trial);
  Trial small = finished(one->begin(always(2)).value());
  one->save(small);
  std::vector<Trial> told;
  (void)other->begin([&](const SharedStudyStore::News& news) {
    told = news.finished;
    return std::optional<Point>();
  });
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].details.find("size_bytes")->as_int(), 7);
  other->complete(told);
  EXPECT_EQ(told, (std::vector<Trial>{trial, small}));
  EXPECT_EQ(other->load(), told);
}

/// What a version before records wrote: the worker alone.
TEST_F(Shared, ATrialOfAnOlderVersionIsSeenAndTakenOver) {
  const auto old = join();
  const auto one = join();
  const Trial lost = old->begin(always(5)).value();
  place_->run(
      "UPDATE trial_system_attributes SET value_json = '\"old\"' WHERE key = 'quantsearch:worker'");
  std::vector<Trial> running;
  (void)one->begin([&](const SharedStudyStore::News& news) {
    running = news.running;
    return std::optional<Point>();
  });
  EXPECT_EQ(running, std::vector<Trial>{lost});
  age_leases();
  EXPECT_EQ(one->begin(nothing), lost);
  EXPECT_FALSE(old->finish(finished(lost)));
  EXPECT_TRUE(one->finish(finished(lost)));
  EXPECT_EQ(join()->load(), std::vector<Trial>{finished(lost)});
}

TEST_F(Shared, ATrialWhoseWorkerDiedIsTakenOverOnce) {
  const auto dead = join();
  const auto one = join();
  const auto other = join();
  const Trial lost = dead->begin(always(5)).value();
  EXPECT_EQ(one->begin(nothing), std::nullopt);  // the lease has not expired
  age_leases();
  EXPECT_EQ(one->begin(always(6)), lost);
  EXPECT_EQ(other->begin(nothing), std::nullopt);
  EXPECT_FALSE(dead->finish(finished(lost)));
  EXPECT_EQ(other->load(), std::vector<Trial>{lost});
  EXPECT_TRUE(one->finish(finished(lost)));
  EXPECT_EQ(other->load(), std::vector<Trial>{finished(lost)});
  EXPECT_EQ(place_->rows("SELECT * FROM trial_heartbeats"), std::vector<std::string>{});
}

TEST_F(Shared, SavingAResultAfterATakeoverIsAnError) {
  const auto slow = join(0.5);
  const Trial lost = slow->begin(always(5)).value();
  age_leases();
  const auto one = join();
  one->save(finished(one->begin(nothing).value()));
  EXPECT_EQ(message_from<IoError>([&] { slow->save(finished(lost)); }),
            place_->name() +
                ": trial 0 was taken over by another process when its lease of 0.5 s had run out; "
                "keep it "
                "alive more often, or lease for longer");
}

TEST_F(Shared, ALateResultWithoutATakeoverIsKept) {
  const auto slow = join();
  const Trial late = slow->begin(always(5)).value();
  age_leases();
  EXPECT_EQ(slow->begin(nothing), std::nullopt);  // not even from itself
  EXPECT_TRUE(slow->finish(finished(late)));
}

TEST_F(Shared, LiveWorkersKeepTheirTrials) {
  const auto one = join();
  const auto other = join();
  const Trial mine = one->begin(always(1)).value();
  age_leases();
  one->keep_alive();
  EXPECT_EQ(other->begin(nothing), std::nullopt);
  age_leases();
  EXPECT_EQ(other->begin(nothing), mine);
  age_leases();
  one->keep_alive();  // the trial no longer belongs to it
  EXPECT_EQ(join()->begin(nothing), mine);
}

TEST_F(Shared, AWorkerThatEndsReleasesItsTrials) {
  const Trial left = join()->begin(always(4)).value();
  EXPECT_EQ(join()->begin(nothing), left);
}

TEST_F(Shared, TrialsOfOptunaAreNotTakenOver) {
  const auto one = join();
  place_->run(
      "INSERT INTO trials (number, study_id, state, datetime_start) VALUES (0, 1, 'RUNNING', "
      "'2020-01-01 00:00:00')");
  place_->run(
      "INSERT INTO trial_heartbeats (trial_id, heartbeat) SELECT trial_id, datetime_start FROM "
      "trials");
  EXPECT_EQ(one->begin(nothing), std::nullopt);
  EXPECT_EQ(one->begin(always(1)).value().number, 1);
}

TEST_F(Shared, NothingBeginsWhenTheProposalFails) {
  const auto one = join();
  const auto other = join();
  const Trial told = other->begin(always(1)).value();
  other->save(finished(told));
  const auto fail = [](const SharedStudyStore::News&) -> std::optional<Point> {
    throw std::runtime_error("no");
  };
  EXPECT_THROW((void)one->begin(fail), std::runtime_error);
  EXPECT_THROW((void)one->begin([](const auto&) {
    return std::optional(Point{{"m", 1}});
  }),
               InvalidInput);
  EXPECT_EQ(one->load().size(), 1U);
  EXPECT_EQ(one->begin(always(2)).value().number, 1);
}

TEST_F(Shared, OnlyTrialsThatBeganHereEndHere) {
  const auto one = join();
  const Trial mine = one->begin(always(1)).value();
  Trial other = finished(mine);
  other.point = point(2);
  EXPECT_THROW((void)one->finish(other), InternalError);
  EXPECT_THROW((void)join()->finish(finished(mine)), InternalError);
  EXPECT_THROW(one->start(mine), InternalError);
  EXPECT_EQ(message_from<InvalidInput>([&] { (void)join(0); }),
            "study 'numbers': a lease of 0 s, expected more than 0");
}

/// Tries the points 0 ... kPoints - 1 together with other processes until all are done. Writes the
/// saved ones to `log`.
bool work_until_done(const Place& place, const std::filesystem::path& log) {
  const int descriptor = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const auto store = place.share(numbers(), 0.4);
  std::set<std::int64_t> known;
  while (true) {
    std::size_t running = 0;
    const auto propose = [&](const SharedStudyStore::News& news) -> std::optional<Point> {
      for (const Trial& trial : news.finished) known.insert(trial.point.at("n").as_int());
      std::set<std::int64_t> taken = known;
      for (const Trial& trial : news.running) taken.insert(trial.point.at("n").as_int());
      running = news.running.size();
      for (std::int64_t n = 0; n < kPoints; ++n) {
        if (!taken.contains(n)) return point(n);
      }
      return std::nullopt;
    };
    const auto trial = store->begin(propose);
    if (!trial) {
      if (known.size() == kPoints) return true;
      // The remaining trials run elsewhere, or their worker died.
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      continue;
    }
    store->keep_alive();
    if (!store->finish(finished(*trial))) continue;
    const std::string line = std::to_string(trial->number) + "\n";
    if (::write(descriptor, line.data(), line.size()) < 0) return false;
  }
}

TEST_F(Shared, FourProcessesOfWhichTwoAreKilledRunEveryTrialOnce) {
  TemporaryFolder folder;
  const std::filesystem::path log = folder.path() / "saved";
  (void)join();  // creates the tables
  RandomStream random(20261125);
  std::vector<std::unique_ptr<WorkerProcess>> workers;
  for (int i = 0; i < 4; ++i) {
    workers.push_back(
        std::make_unique<WorkerProcess>([&] { return work_until_done(*place_, log); }));
  }
  // The workers are killed at an arbitrary moment of their work.
  for (const std::size_t victim : {0U, 1U}) {
    const auto share =
        static_cast<std::size_t>(kPoints / 6 + static_cast<int>(random.below(kPoints / 6)));
    while (list_studies(place_->address())[0].trials <
           static_cast<std::int64_t>(share * (victim + 1))) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    workers[victim]->kill();
  }
  EXPECT_TRUE(workers[2]->end());
  EXPECT_TRUE(workers[3]->end());

  const std::vector<Trial> trials = load_trials(place_->address(), "numbers");
  ASSERT_EQ(trials.size(), static_cast<std::size_t>(kPoints));
  std::set<std::int64_t> points;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    EXPECT_EQ(trials[i].number, static_cast<std::int64_t>(i));
    EXPECT_EQ(trials[i].state, TrialState::complete);
    points.insert(trials[i].point.at("n").as_int());
  }
  EXPECT_EQ(points.size(), trials.size());
  // A number is logged at most once; a killed worker may have saved its last trial without logging
  // it.
  std::map<std::string, int> said;
  std::string line;
  for (const char letter : read_file(log)) {
    if (letter == '\n')
      ++said[std::exchange(line, {})];
    else
      line += letter;
  }
  EXPECT_GE(said.size(), trials.size() - 2);
  for (const auto& [number, times] : said) EXPECT_EQ(times, 1) << number;
}

TEST_F(Shared, ACallWaitsForADatabaseThatComesBack) {
  const auto store = join();
  const Trial first = store->begin(always(1)).value();
  const Trial second = store->begin(always(2)).value();
  if (!place_->stop()) GTEST_SKIP() << "a file does not go away";
  std::thread waiting([&] { EXPECT_TRUE(store->finish(finished(first))); });
  place_->resume();
  waiting.join();
  store->keep_alive();
  EXPECT_TRUE(place_->stop());
  place_->resume();
  EXPECT_EQ(store->begin(always(3)).value().number, 2);
  EXPECT_TRUE(place_->stop());
  place_->resume();
  EXPECT_EQ(store->load().size(), 3U);
  EXPECT_TRUE(store->finish(finished(second)));
  const std::vector<Trial> trials = load_trials(place_->address(), "numbers");
  ASSERT_EQ(trials.size(), 3U);
  EXPECT_EQ(trials[0].state, TrialState::complete);
  EXPECT_EQ(trials[1].state, TrialState::complete);
  EXPECT_EQ(trials[2].state, TrialState::running);
}

TEST_F(Shared, ADatabaseThatStaysAwayLongerThanALeaseIsLost) {
  const auto store = join(0.05);
  const Trial first = store->begin(always(1)).value();
  if (!place_->stop()) GTEST_SKIP() << "a file does not go away";
  const std::string message =
      message_from<StudyLost>([&] { (void)store->finish(finished(first)); });
  place_->resume();
  EXPECT_TRUE(message.starts_with(place_->name() + " cannot be reached: ")) << message;
  EXPECT_TRUE(message.ends_with("; the search waited for it as long as a lease, 0.05 s"))
      << message;
  EXPECT_TRUE(store->finish(finished(first)));
}

}  // namespace
}  // namespace quantsearch
