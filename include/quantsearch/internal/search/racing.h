#pragma once

// Stopping a trial before it has seen all samples, once it is too unlikely to become the best.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace quantsearch {

struct RaceOptions {
  /// At most this share of the trials that are as good as the best is stopped, counted over all
  /// looks of a race. In (0, 0.5).
  double error_rate = 0.05;
  /// Number of samples at the first look, and the factor by which it grows from one look to the
  /// next.
  std::int64_t first_look = 8;
  double growth = 1.3;
  std::uint64_t seed = 0;
};

enum class RaceDecision { go_on, stop };

/// An estimate of the score that a trial will have on all samples.
struct RaceEstimate {
  double mean = 0;
  double variance = 0;  // of that mean: its squared standard error; infinite below two samples
};

/// Compares a trial with the best trial so far, sample by sample. Both see the samples in the same
/// order, which is drawn at random once, so that the differences of their losses can be tested.
///
/// Looks are taken after a geometrically growing number of samples. At each look the sum of the
/// differences is compared with the sums that the same differences would have with random signs
/// (Fisher 1935); each look may spend an equal share of `error_rate`. Therefore the rate holds
/// exactly, for any number of samples and any tails, when the trial is as good as the best in the
/// sense that the losses of both are exchangeable; for equal means with skewed differences it holds
/// asymptotically. See docs/algorithms/samplers/racing.md.
class Race {
 public:
  /// `best_losses`: the loss of the best trial on every sample, in the shared order; smaller is
  /// better. Throws InvalidInput when one is not finite, when there is none, or when an option is
  /// out of range.
  explicit Race(std::vector<double> best_losses, const RaceOptions& options = {});
  ~Race();
  Race(Race&&) noexcept;
  Race& operator=(Race&&) noexcept;

  /// Adds the losses of the next samples. The size of the batches does not affect the decision. A
  /// loss that is NaN or infinite stops the trial at once. Throws InvalidInput for more losses than
  /// samples.
  RaceDecision add(std::span<const double> losses);
  RaceDecision add(double loss);

  [[nodiscard]] RaceDecision decision() const;
  /// Number of samples seen, up to the one that led to the decision.
  [[nodiscard]] std::int64_t seen() const;
  /// The mean of the best trial over all samples plus the mean of the differences so far, which is
  /// a better estimate than the mean of the trial's own losses.
  [[nodiscard]] RaceEstimate estimate() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Returns the numbers of samples at which a race over `samples` samples looks; all are below
/// `samples`.
[[nodiscard]] std::vector<std::int64_t> race_looks(std::int64_t samples,
                                                   const RaceOptions& options);

}  // namespace quantsearch
