#pragma once

// The study and the trials that the benchmarks of the store write: five parameters of every kind,
// and the details of a small model.

#include <cstdint>
#include <string>

#include "quantsearch/storage.h"

namespace quantsearch::bench {

[[nodiscard]] inline StudyDescription description(const std::string& name) {
  using Choices = std::vector<Value>;
  return {.name = name,
          .distributions = {{"method", Choices{"MinMax", "Percentile", "MinMSE", "Entropy"}},
                            {"per_channel", Choices{true, false}},
                            {"joint", Choices{Value::List{100, 0.1}, Value::List{1000, 0.01}}},
                            {"percentile", FloatRange{.low = 99, .high = 100}},
                            {"iterations", IntRange{.low = 1, .high = 10'000, .log = true}}}};
}

[[nodiscard]] inline Trial trial_of(std::int64_t number) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::complete;
  trial.point = {{"method", "MinMSE"},
                 {"per_channel", number % 2 == 0},
                 {"joint", Value::List{100, 0.1}},
                 {"percentile", 99 + static_cast<double>(number % 1000) / 1000},
                 {"iterations", 1 + number % 9999}};
  trial.value = 1.0 / static_cast<double>(number + 1);
  trial.seconds = 1.25;
  trial.details =
      Value::Map{{"scores", Value::Map{{"L2", 0.25}, {"top1", 0.75}}}, {"size_bytes", 1'234'567}};
  return trial;
}

}  // namespace quantsearch::bench
