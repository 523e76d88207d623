// Adds trials to a study, for checks against other programs that read and write it
// (bench/peers/optuna_studies.py): `study_writer DATABASE STUDY TRIALS`. The space has a parameter
// of every kind, and the objective is smooth in most of them.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "guarded_main.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "quantsearch/storage.h"

namespace quantsearch {
namespace {

const std::vector<Value> kMethods{"MinMax", "Percentile", Value(), true, 3, 2.5};
const std::vector<Value> kJoint{Value::List{100, 0.1}, Value::List{1000, 0.01}};

StudyDescription description(const std::string& study) {
  return {.name = study,
          .goals = {Goal::maximize},
          .objective_names = {"score"},
          .constraint_names = {"size"},
          .distributions = {{"method", kMethods},
                            {"joint", kJoint},
                            {"x", FloatRange{.low = -1, .high = 1}},
                            {"iterations", IntRange{.low = 1, .high = 100, .log = true}}},
          .fingerprint = Value::Map{{"model", "of the check"}}};
}

Trial trial_of(std::int64_t number) {
  RandomStream random(1, number, "study_writer");
  const double x = 2 * random.uniform() - 1;
  const auto iterations = static_cast<std::int64_t>(1 + random.below(100));
  const std::size_t joint = random.below(kJoint.size());
  Trial trial;
  trial.number = number;
  trial.point = {{"method", kMethods[random.below(kMethods.size())]},
                 {"joint", kJoint[joint]},
                 {"x", x},
                 {"iterations", iterations}};
  trial.seconds = 0.5;
  trial.details = Value::Map{{"size_bytes", 1000 + number}};
  if (number % 7 == 5) {
    trial.state = TrialState::failed;
    trial.reason = "a failure for the check";
    return trial;
  }
  trial.state = TrialState::complete;
  trial.value = 1 - x * x + 0.01 * std::log(static_cast<double>(iterations)) +
                0.1 * static_cast<double>(joint);
  trial.constraints = {number % 3 == 0 ? -1.0 : 0.0};
  return trial;
}

void write(const std::string& database, const std::string& study, std::int64_t trials) {
  const auto store = database.starts_with("postgres")
                         ? postgresql_store(database, description(study))
                         : sqlite_store(database, description(study));
  const std::vector<Trial> before = store->load();
  std::int64_t next = 0;
  for (const Trial& trial : before) next = std::max(next, trial.number + 1);
  for (std::int64_t added = 0; added < trials; ++added) {
    const Trial trial = trial_of(next + added);
    store->start(trial);
    store->save(trial);
  }
  fmt::print("{} before, {} after\n", before.size(), store->load().size());
}

}  // namespace
}  // namespace quantsearch

int main(int count, char** arguments) {
  if (count != 4) {
    fmt::print(stderr, "usage: study_writer DATABASE STUDY TRIALS\n");
    return 2;
  }
  return quantsearch::bench::guarded_main("study_writer", [&] {
    quantsearch::write(arguments[1], arguments[2], std::stol(arguments[3]));
    return 0;
  });
}
