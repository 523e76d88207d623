#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/search/racing.h"
#include "search/racing/sign_flips.h"

namespace quantsearch {

namespace {

// Number of sign paths. With an error rate of 0.05 and 20 looks, five of them may cross at each
// look.
constexpr std::int64_t kPaths = 2048;
// Total number of paths that may cross. Small error rates need more paths, so that some may cross
// at each look.
constexpr double kCrossings = 100;

void check(const RaceOptions& options) {
  if (!(options.error_rate > 0 && options.error_rate < 0.5))
    throw InvalidInput(fmt::format(
        "race: got an error rate of {}, expected one above 0 and below 0.5", options.error_rate));
  if (options.first_look < 2)
    throw InvalidInput(fmt::format("race: got a first look at {} samples, expected at least 2",
                                   options.first_look));
  if (!(options.growth > 1) || !std::isfinite(options.growth))
    throw InvalidInput(
        fmt::format("race: got a growth of {}, expected a number above 1", options.growth));
}

std::int64_t paths_for(double error_rate) {
  return std::max(kPaths, static_cast<std::int64_t>(std::ceil(kCrossings / error_rate)));
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::vector<std::int64_t> race_looks(std::int64_t samples, const RaceOptions& options) {
  check(options);
  std::vector<std::int64_t> looks;
  auto next = static_cast<double>(options.first_look);
  while (next < static_cast<double>(samples)) {
    const auto look = static_cast<std::int64_t>(next);
    if (looks.empty() || look > looks.back()) looks.push_back(look);
    next *= options.growth;
  }
  return looks;
}

struct Race::State {
  std::vector<double> best;
  double error_rate;
  double best_mean;
  std::vector<std::int64_t> looks;
  SignFlips flips;
  RaceDecision decision = RaceDecision::go_on;
  std::size_t next_look = 0;
  std::int64_t seen = 0;
  double sum = 0;  // of the differences
  // Running mean and sum of squared deviations of the differences (Welford 1962).
  double mean = 0;
  double squares = 0;

  State(std::vector<double> losses, const RaceOptions& options)
      : best(std::move(losses)),
        error_rate(options.error_rate),
        best_mean(mean_of(best)),
        looks(race_looks(std::ssize(best), options)),
        flips(paths_for(options.error_rate), options.seed) {}

  void add(double loss);
  void look();
};

void Race::State::add(double loss) {
  if (!std::isfinite(loss)) {
    ++seen;
    decision = RaceDecision::stop;
    return;
  }
  const double difference = loss - best[static_cast<std::size_t>(seen)];
  flips.add(difference);
  ++seen;
  sum += difference;
  const double deviation = difference - mean;
  mean += deviation / static_cast<double>(seen);
  squares += deviation * (difference - mean);
  if (next_look < looks.size() && seen == looks[next_look]) look();
}

void Race::State::look() {
  ++next_look;
  const double spent =
      error_rate * static_cast<double>(next_look) / static_cast<double>(looks.size());
  if (flips.look(spent)) decision = RaceDecision::stop;
}

Race::Race(std::vector<double> best_losses, const RaceOptions& options) {
  check(options);
  if (best_losses.empty()) throw InvalidInput("race: got no losses of the best trial");
  const auto odd =
      std::ranges::find_if(best_losses, [](double loss) { return !std::isfinite(loss); });
  if (odd != best_losses.end())
    throw InvalidInput(
        fmt::format("race: loss {} of the best trial is {}, expected a finite number",
                    odd - best_losses.begin(), *odd));
  state_ = std::make_unique<State>(std::move(best_losses), options);
}

Race::~Race() = default;
Race::Race(Race&&) noexcept = default;
Race& Race::operator=(Race&&) noexcept = default;

RaceDecision Race::add(std::span<const double> losses) {
  for (const double loss : losses) {
    if (state_->decision == RaceDecision::stop) break;
    if (state_->seen == std::ssize(state_->best))
      throw InvalidInput(fmt::format("race: got more losses than the {} samples of the best trial",
                                     state_->best.size()));
    state_->add(loss);
  }
  return state_->decision;
}

RaceDecision Race::add(double loss) { return add(std::span(&loss, 1)); }

RaceDecision Race::decision() const { return state_->decision; }

std::int64_t Race::seen() const { return state_->seen; }

RaceEstimate Race::estimate() const {
  const auto samples = static_cast<double>(state_->best.size());
  const auto seen = static_cast<double>(state_->seen);
  RaceEstimate estimate{.mean = state_->best_mean + state_->mean,
                        .variance = std::numeric_limits<double>::infinity()};
  if (state_->seen == std::ssize(state_->best)) {
    estimate.variance = 0;
  } else if (state_->seen >= 2) {
    // The samples are drawn without replacement (Cochran 1977, theorem 2.2).
    estimate.variance = state_->squares / (seen - 1) / seen * (1 - seen / samples);
  }
  return estimate;
}

}  // namespace quantsearch
