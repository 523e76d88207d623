#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/search/pruners.h"

namespace quantsearch {

namespace {

// Beyond this many differences the normal approximation is good to three digits.
constexpr std::size_t kExact = 50;

struct SignedRanks {
  std::vector<std::int64_t> doubled;  // twice the average ranks, of the differences not zero
  std::int64_t positive = 0;          // sum of those of positive differences
  double mean = 0;                    // of that sum
  double variance = 0;
};

SignedRanks signed_ranks(std::span<const double> differences) {
  std::vector<double> sorted(differences.begin(), differences.end());
  std::ranges::sort(sorted, {}, [](double difference) { return std::abs(difference); });
  SignedRanks ranks;
  const auto n = static_cast<double>(sorted.size());
  double ties = 0;
  for (std::size_t begin = 0; begin < sorted.size();) {
    std::size_t end = begin;
    while (end < sorted.size() && std::abs(sorted[end]) == std::abs(sorted[begin])) ++end;
    const auto count = static_cast<double>(end - begin);
    ties += count * count * count - count;
    const auto doubled = static_cast<std::int64_t>(begin + 1 + end);
    for (std::size_t i = begin; i < end && sorted[i] != 0; ++i) {
      ranks.doubled.push_back(doubled);
      if (sorted[i] > 0) ranks.positive += doubled;
    }
    begin = end;
  }
  ranks.mean = static_cast<double>(
                   std::accumulate(ranks.doubled.begin(), ranks.doubled.end(), std::int64_t{0})) /
               2;
  // Four times that of the sum of ranks, which are doubled here.
  ranks.variance = 4 * (n * (n + 1) * (2 * n + 1) - ties / 2) / 24;
  return ranks;
}

/// Every sign is fair: the distribution of the sum, one rank after the other.
double exact_p(const SignedRanks& ranks) {
  std::vector<double> probability = {1};
  for (const std::int64_t rank : ranks.doubled) {
    std::vector<double> next(probability.size() + static_cast<std::size_t>(rank), 0.0);
    for (std::size_t sum = 0; sum < probability.size(); ++sum) {
      next[sum] += probability[sum] / 2;
      next[sum + static_cast<std::size_t>(rank)] += probability[sum] / 2;
    }
    probability = std::move(next);
  }
  return std::accumulate(probability.begin() + ranks.positive, probability.end(), 0.0);
}

double mean_of(const Reports& reports) {
  double sum = 0;
  for (const auto& [step, value] : reports) sum += value;
  return sum / static_cast<double>(reports.size());
}

bool are_finite(const Reports& reports) {
  return std::ranges::all_of(reports,
                             [](const auto& report) { return std::isfinite(report.second); });
}

}  // namespace

double signed_rank_p(std::span<const double> differences) {
  const SignedRanks ranks = signed_ranks(differences);
  if (ranks.doubled.empty()) return 1;
  if (differences.size() <= kExact) return exact_p(ranks);
  const double deviations =
      (static_cast<double>(ranks.positive) - ranks.mean) / std::sqrt(ranks.variance);
  return std::erfc(deviations / std::sqrt(2.0)) / 2;
}

bool wilcoxon_prunes(const Reports& running, const Reports& best, const WilcoxonOptions& options) {
  if (!(options.p_threshold >= 0 && options.p_threshold <= 1) || options.startup_steps < 0)
    throw InvalidInput(
        fmt::format("wilcoxon pruner: got a threshold of {} and {} startup steps, expected 0 to 1 "
                    "and 0 or more",
                    options.p_threshold, options.startup_steps));
  if (running.empty() || best.empty() || !are_finite(running) || !are_finite(best)) return false;
  std::vector<double> differences;
  for (const auto& [step, value] : running) {
    const auto same = best.find(step);
    if (same != best.end()) differences.push_back(value - same->second);
  }
  if (std::ssize(differences) < std::max<std::int64_t>(2, options.startup_steps)) return false;
  return signed_rank_p(differences) < options.p_threshold && mean_of(best) < mean_of(running);
}

}  // namespace quantsearch
