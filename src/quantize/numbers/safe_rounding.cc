#include "quantize/numbers/safe_rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/numbers/round_half.h"

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

/// Finds the safe pair nearest to two values of the same sign, on their absolute values. A first
/// integer x has its best second integer below it; with real numbers in place of the second ones,
/// the error is a convex function of x, and nowhere larger. So the integers around its minimum are
/// tried, in both directions, until it exceeds the least error found.
class NearestSafe {
 public:
  NearestSafe(const WeightPair& pair, const WantedPair& wanted)
      : first_maximum_(pair.first_maximum),
        second_maximum_(pair.second_maximum),
        is_negative_(wanted.first < 0),
        bound_(is_negative_ ? 32768 : 32767),
        first_(std::abs(wanted.first)),
        second_(std::abs(wanted.second)),
        first_cost_(wanted.first_cost),
        second_cost_(wanted.second_cost),
        rounded_second_(std::nearbyint(second_)) {}

  IntegerPair find() {
    const double highest = std::nearbyint(first_);
    // In this order NaN, of costs that underflow, becomes zero, from where the search is longer.
    const double start = std::min(std::max(0.0, std::nearbyint(nearest_real())), highest);
    for (double tried = start; tried >= 0 && may_win(tried); --tried) offer(tried);
    for (double tried = start + 1; tried <= highest && may_win(tried); ++tried) offer(tried);
    const int sign = is_negative_ ? -1 : 1;
    return {.first = sign * static_cast<std::int32_t>(best_first_),
            .second = sign * static_cast<std::int32_t>(best_second_)};
  }

 private:
  /// The first of the real numbers nearest to both values whose sum is the bound.
  [[nodiscard]] double nearest_real() const {
    const double by_first = first_maximum_ / first_cost_;
    const double by_second = second_maximum_ / second_cost_;
    const double excess = first_maximum_ * first_ + second_maximum_ * second_ - bound_;
    return first_ - excess * by_first / (first_maximum_ * by_first + second_maximum_ * by_second);
  }

  /// The largest second number beside a first integer.
  [[nodiscard]] double room_beside(double tried) const {
    if (!(second_maximum_ > 0)) return rounded_second_;
    return std::min(rounded_second_, (bound_ - first_maximum_ * tried) / second_maximum_);
  }

  [[nodiscard]] double error(double first, double second) const {
    return first_cost_ * squared(first_ - first) + second_cost_ * squared(second_ - second);
  }

  [[nodiscard]] bool may_win(double tried) const {
    constexpr double kRoundingErrors = 1 + 1e-9;
    return error(tried, std::min(second_, room_beside(tried))) <= best_error_ * kRoundingErrors;
  }

  /// Of equal errors that of the larger first integer wins.
  void offer(double tried) {
    const double second = std::floor(room_beside(tried));
    if (second < 0) return;
    const double made = error(tried, second);
    if (made > best_error_ || (made == best_error_ && tried < best_first_)) return;
    best_error_ = made;
    best_first_ = tried;
    best_second_ = second;
  }

  double first_maximum_;
  double second_maximum_;
  bool is_negative_;
  double bound_;
  double first_;
  double second_;
  double first_cost_;
  double second_cost_;
  double rounded_second_;
  double best_error_ = std::numeric_limits<double>::infinity();
  double best_first_ = 0;
  double best_second_ = 0;
};

SafeRow round_each(std::span<const float> row, const RowGrid& grid) {
  SafeRow made;
  made.integers.resize(row.size());
  made.errors.resize(row.size());
  const auto zero_point = static_cast<double>(grid.params.zero_point);
  const auto low = static_cast<double>(grid.limits.low);
  const auto high = static_cast<double>(grid.limits.high);
  const float scale = grid.params.scale;
  std::int32_t* const integers = made.integers.data();
  double* const errors = made.errors.data();
  for (std::size_t at = 0; at < row.size(); ++at) {
    // The division is in float32 as in quantize_weight(), so that safe weights are not changed.
    const auto steps = static_cast<double>(row[at] / scale);
    double integer = round_half_to_even(steps) + zero_point;
    integer = integer < low ? low : integer;
    integer = integer > high ? high : integer;
    integers[at] = static_cast<std::int32_t>(integer);
    errors[at] = steps + zero_point - integer;
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
    const auto positions = static_cast<std::size_t>(moments_.positions);
    for (std::size_t channel = 0; channel < sums_.size(); ++channel) {
      const ChannelGain gains[] = {gain_in(channel, -1), gain_in(channel, 1)};
      for (std::size_t at = channel * positions; at < (channel + 1) * positions; ++at) {
        for (const ChannelGain& gain : gains) {
          const double gained = gain.of(row_.errors[at]);
          if (gained <= best_gain || !fits(at, row_.integers[at] + gain.step)) continue;
          best_gain = gained;
          best = at;
          best_step = gain.step;
        }
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
  /// The decrease of the expected error by one step at any position of a channel. A step s changes
  /// the square of a sum u of errors to u^2 - 2 s u + 1.
  struct ChannelGain {
    int step = 0;
    double variance = 0;
    double own_share = 0;
    double of_channel = 0;
    double of_mean = 0;
    double mean_square = 0;

    [[nodiscard]] double of(double error) const {
      const double of_own = 2 * step * error - 1;
      return variance * (own_share * of_own + of_channel) + of_mean - mean_square;
    }
  };

  [[nodiscard]] ChannelGain gain_in(std::size_t channel, int step) const {
    const double mean = moments_.mean[channel];
    return {.step = step,
            .variance = moments_.variance[channel],
            .own_share = 1 - moments_.correlation,
            .of_channel = moments_.correlation * (2 * step * sums_[channel] - 1),
            .of_mean = 2 * step * mean_ * mean,
            .mean_square = squared(mean)};
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
        NearestSafe(pair, {.first = wanted(first),
                           .second = wanted(second),
                           .first_cost = moments.variance[moments.channel_of(first)],
                           .second_cost = moments.variance[moments.channel_of(second)]})
            .find();
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
