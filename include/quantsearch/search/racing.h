#pragma once

// Stopping a trial before it has seen all samples, once it is too unlikely to become the best.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace quantsearch {

struct RaceOptions {
  /// At most this share of the trials that are as good as the best is stopped, over all looks. In
  /// (0, 0.5).
  double error_rate = 0.05;
  /// Samples at the first look, and how many times as many at each next one.
  std::int64_t first_look = 8;
  double growth = 1.3;
  std::uint64_t seed = 0;
};

enum class RaceDecision { go_on, stop };

/// The score a trial will have on all samples, as far as it is known.
struct RaceEstimate {
  double mean = 0;
  double variance = 0;  // of that mean: its standard error, squared; infinite below two samples
};

/// A trial against the best trial so far, sample by sample. Both see the samples in one shared
/// order, drawn at random once, so that the difference of their losses is what counts.
///
/// Looks are taken after a geometrically growing number of samples. At each one the sum of the
/// differences is compared with the sums that the same differences would have with signs drawn at
/// random (Fisher 1935), of which an equal share of `error_rate` may be exceeded per look. So the
/// rate holds exactly, for any number of samples and any tails, where a trial is as good as the
/// best in the sense that losses of both may be exchanged; for equal means with skewed differences
/// it holds in the limit. docs/algorithms/samplers/racing.md.
class Race {
 public:
  /// `best_losses`: of every sample, in the shared order, smaller is better. Throws InvalidInput
  /// when one is not finite, there is none, or an option is out of range.
  explicit Race(std::vector<double> best_losses, const RaceOptions& options = {});
  ~Race();
  Race(Race&&) noexcept;
  Race& operator=(Race&&) noexcept;

  /// Losses of the next samples, in batches of any size: the decision is the same as one by one. A
  /// loss that is NaN or infinite stops at once. Throws InvalidInput for more losses than samples.
  RaceDecision add(std::span<const double> losses);
  RaceDecision add(double loss);

  [[nodiscard]] RaceDecision decision() const;
  /// Samples seen, up to the one that decided.
  [[nodiscard]] std::int64_t seen() const;
  /// The mean of the best over all samples plus that of the differences so far, which is nearer to
  /// the truth than the mean of the trial's own losses.
  [[nodiscard]] RaceEstimate estimate() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Numbers of samples at which a race of that many samples looks: all below `samples`.
[[nodiscard]] std::vector<std::int64_t> race_looks(std::int64_t samples,
                                                   const RaceOptions& options);

}  // namespace quantsearch
