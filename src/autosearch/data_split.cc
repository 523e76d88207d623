#include "autosearch/data_split.h"

#include <fmt/core.h>

#include <cmath>
#include <utility>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// Returns the number of samples in `share`. Throws InvalidInput when the share is out of range or
/// leaves no sample on either side.
std::int64_t held_out_count(double share, std::int64_t samples, const char* name,
                            const char* uses) {
  if (!(share >= 0 && share < 1))
    throw InvalidInput(
        fmt::format("search: got the {} share {}, expected a number in [0, 1)", name, share));
  const auto held = static_cast<std::int64_t>(std::llround(share * static_cast<double>(samples)));
  if (share > 0 && (held < 1 || held >= samples)) {
    throw InvalidInput(fmt::format(
        "search: the {} share {} of {} samples leaves {} and {} {}, expected at least 1 of each",
        name, share, samples, samples - held, held, uses));
  }
  return held;
}

/// Holds out the last samples of the evaluation data for the confirmation.
void keep_back(DataSplit& split, double share, const LogSink& log) {
  const std::int64_t samples = split.evaluation->size();
  const std::int64_t held =
      held_out_count(share, samples, "confirmation", "to judge and to confirm");
  if (held == 0) return;
  split.confirmation = subset(split.evaluation, samples - held, held);
  split.first_confirmation = split.first_evaluation + samples - held;
  split.evaluation = subset(split.evaluation, 0, samples - held);
  if (split.labels) {
    split.confirmation_labels = Labels(split.labels->end() - held, split.labels->end());
    split.labels->resize(static_cast<std::size_t>(samples - held));
  }
  say(log, LogLevel::info,
      fmt::format("confirmation: {} samples judge, {} confirm the best", samples - held, held));
}

DataSplit judging_split(const Settings& base, const SearchInput& input, bool has_evaluator,
                        const LogSink& log) {
  const std::int64_t samples = input.calibration->size();
  const std::int64_t held =
      held_out_count(input.holdout, samples, "hold-out", "to calibrate and to judge");
  DataSplit split{.calibration = input.calibration,
                  .evaluation = input.evaluation,
                  .labels = input.labels,
                  .base = base};
  if (split.evaluation != nullptr) {
    if (input.holdout > 0)
      throw InvalidInput(
          "search: got both evaluation data and a hold-out share, expected one of them");
    return split;
  }
  if (input.holdout == 0) {
    // A user's evaluator has its own data.
    say(log, has_evaluator ? LogLevel::info : LogLevel::warning,
        "the calibration data also score the candidates; give --evaluation DATA or --holdout "
        "FRACTION for an honest judgement");
    split.evaluation = input.calibration;
    return split;
  }
  split.calibration = subset(input.calibration, 0, samples - held);
  split.evaluation = subset(input.calibration, samples - held, held);
  split.first_evaluation = samples - held;
  if (split.labels) split.labels = Labels(split.labels->end() - held, split.labels->end());
  // The limit is in the settings, so that they build the same model from the whole data.
  split.base = with_at_most(std::move(split.base), samples - held);
  say(log, LogLevel::info,
      fmt::format("hold-out: {} samples calibrate, {} judge", samples - held, held));
  return split;
}

}  // namespace

DataSplit split_data(const Settings& base, const SearchInput& input, double confirmation,
                     bool has_evaluator, const LogSink& log) {
  if (input.calibration == nullptr)
    throw InvalidInput("search: got no calibration data, expected at least one sample");
  DataSplit split = judging_split(base, input, has_evaluator, log);
  keep_back(split, confirmation, log);
  return split;
}

}  // namespace quantsearch
