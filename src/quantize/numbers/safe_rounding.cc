#include "quantize/numbers/safe_rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantsearch {

namespace {

struct IntegerPair {
  std::int32_t first = 0;
  std::int32_t second = 0;
};

/// Two values in units of the scale, with the weights of their squared errors.
struct WantedPair {
  double first = 0;
  double second = 0;
  double first_cost = 1;
  double second_cost = 1;
};

double squared(double value) { return value * value; }

/// The safe pair nearest to two values of the same sign. The integers from the rounded first value
/// down to zero are tried, each with the nearest second integer that is safe.
IntegerPair nearest_safe(const WeightPair& pair, const WantedPair& wanted) {
  const bool is_negative = wanted.first < 0;
  const double bound = is_negative ? 32768 : 32767;
  const double wanted_first = std::abs(wanted.first);
  const double wanted_second = std::abs(wanted.second);
  const double rounded_second = std::nearbyint(wanted_second);
  IntegerPair best;
  double best_error = std::numeric_limits<double>::infinity();
  for (double tried = std::nearbyint(wanted_first); tried >= 0; --tried) {
    const double room = bound - pair.first_maximum * tried;
    if (room < 0) continue;
    double other = rounded_second;
    if (pair.second_maximum > 0) other = std::min(other, std::floor(room / pair.second_maximum));
    const double error = wanted.first_cost * squared(wanted_first - tried) +
                         wanted.second_cost * squared(wanted_second - other);
    if (error < best_error) {
      best_error = error;
      best = {.first = static_cast<std::int32_t>(tried),
              .second = static_cast<std::int32_t>(other)};
    }
    if (other == rounded_second) break;  // a smaller first integer has a larger error
  }
  if (is_negative) best = {.first = -best.first, .second = -best.second};
  return best;
}

SafeRow round_each(std::span<const float> row, const RowGrid& grid) {
  SafeRow made;
  made.integers.reserve(row.size());
  made.errors.reserve(row.size());
  const auto zero_point = static_cast<double>(grid.params.zero_point);
  for (const float value : row) {
    // The division is in float32 as in quantize_weight(), so that safe weights are not changed.
    const auto steps = static_cast<double>(value / grid.params.scale);
    const double integer =
        std::clamp(std::nearbyint(steps) + zero_point, static_cast<double>(grid.limits.low),
                   static_cast<double>(grid.limits.high));
    made.integers.push_back(static_cast<std::int32_t>(integer));
    made.errors.push_back(steps + zero_point - integer);
  }
  return made;
}

void put(SafeRow& row, std::size_t at, std::int32_t integer) {
  if (row.integers[at] == integer) return;
  ++row.moved;
  row.errors[at] += row.integers[at] - integer;
  row.integers[at] = integer;
}

/// Changes the integers of a rounded row so that they compensate for each other's errors.
class Steps {
 public:
  Steps(SafeRow& row, const IntegerLimits& limits, std::span<const WeightPair> pairs,
        const InputMoments& moments)
      : row_(row),
        limits_(limits),
        moments_(moments),
        pair_of_(row.integers.size(), nullptr),
        sums_(moments.mean.size(), 0) {
    for (const WeightPair& pair : pairs) {
      pair_of_[static_cast<std::size_t>(pair.first)] = &pair;
      pair_of_[static_cast<std::size_t>(pair.second)] = &pair;
    }
    for (std::size_t at = 0; at < row.errors.size(); ++at) {
      sums_[moments.channel_of(at)] += row.errors[at];
      mean_ += moments.mean[moments.channel_of(at)] * row.errors[at];
    }
  }

  /// Takes the best step; false when there is none.
  bool take() {
    double best_gain = 0;
    std::size_t best = 0;
    int best_step = 0;
    for (std::size_t at = 0; at < row_.integers.size(); ++at) {
      for (const int step : {-1, 1}) {
        const double gained = gain(at, step);
        if (gained <= best_gain || !fits(at, row_.integers[at] + step)) continue;
        best_gain = gained;
        best = at;
        best_step = step;
      }
    }
    if (best_step == 0) return false;
    row_.integers[best] += best_step;
    row_.errors[best] -= best_step;
    sums_[moments_.channel_of(best)] -= best_step;
    mean_ -= moments_.mean[moments_.channel_of(best)] * best_step;
    return true;
  }

 private:
  /// The decrease of the expected error by one step. A step s changes the square of a sum u of
  /// errors to u^2 - 2 s u + 1.
  [[nodiscard]] double gain(std::size_t at, int step) const {
    const std::size_t channel = moments_.channel_of(at);
    const double of_own = 2 * step * row_.errors[at] - 1;
    const double of_channel = 2 * step * sums_[channel] - 1;
    const double mean = moments_.mean[channel];
    return moments_.variance[channel] *
               ((1 - moments_.correlation) * of_own + moments_.correlation * of_channel) +
           2 * step * mean_ * mean - squared(mean);
  }

  [[nodiscard]] bool fits(std::size_t at, std::int32_t integer) const {
    if (integer < limits_.low || integer > limits_.high) return false;
    const WeightPair* pair = pair_of_[at];
    if (pair == nullptr) return true;
    const auto first = static_cast<std::size_t>(pair->first);
    const auto second = static_cast<std::size_t>(pair->second);
    return pair->is_safe(first == at ? integer : row_.integers[first],
                         second == at ? integer : row_.integers[second]);
  }

  SafeRow& row_;
  const IntegerLimits& limits_;
  const InputMoments& moments_;
  std::vector<const WeightPair*> pair_of_;  // [columns]; null: no partner
  std::vector<double> sums_;                // [channels] of the errors
  double mean_ = 0;                         // of the output's error
};

}  // namespace

SafeRow round_safely(std::span<const float> row, const RowGrid& grid,
                     std::span<const WeightPair> pairs, const InputMoments& moments) {
  SafeRow made = round_each(row, grid);
  const auto wanted = [&](std::size_t at) {
    return std::clamp(made.integers[at] + made.errors[at], static_cast<double>(grid.limits.low),
                      static_cast<double>(grid.limits.high));
  };
  for (const WeightPair& pair : pairs) {
    const auto first = static_cast<std::size_t>(pair.first);
    const auto second = static_cast<std::size_t>(pair.second);
    if (pair.is_safe(made.integers[first], made.integers[second])) continue;
    const IntegerPair safe =
        nearest_safe(pair, {.first = wanted(first),
                            .second = wanted(second),
                            .first_cost = moments.variance[moments.channel_of(first)],
                            .second_cost = moments.variance[moments.channel_of(second)]});
    put(made, first, safe.first);
    put(made, second, safe.second);
  }
  return made;
}

double expected_error(const SafeRow& row, const InputMoments& moments) {
  const auto positions = static_cast<std::size_t>(moments.positions);
  double expected = 0;
  for (std::size_t channel = 0; channel < moments.variance.size(); ++channel) {
    double squares = 0;
    double sum = 0;
    for (std::size_t at = channel * positions; at < (channel + 1) * positions; ++at) {
      squares += squared(row.errors[at]);
      sum += row.errors[at];
    }
    expected += moments.variance[channel] *
                ((1 - moments.correlation) * squares + moments.correlation * squared(sum));
  }
  return expected;
}

void take_up_mean(SafeRow& row, const IntegerLimits& limits, std::span<const WeightPair> pairs,
                  const InputMoments& moments) {
  Steps steps(row, limits, pairs, moments);
  // Every step lowers the error. The bound is for the case that floating-point rounding lets steps
  // repeat.
  for (std::size_t taken = 0; taken < 2 * row.integers.size(); ++taken) {
    if (!steps.take()) return;
  }
}

}  // namespace quantsearch
