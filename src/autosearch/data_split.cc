#include "autosearch/data_split.h"

#include <fmt/core.h>

#include <cmath>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::int64_t held_out_count(double share, std::int64_t samples) {
  const auto held = static_cast<std::int64_t>(std::llround(share * static_cast<double>(samples)));
  if (held < 1 || held >= samples) {
    throw InvalidInput(fmt::format("search: the hold-out share {} of {} samples leaves {} to calibrate and {} to judge, "
                                   "expected at least 1 of each",
                                   share, samples, samples - held, held));
  }
  return held;
}

}  // namespace

DataSplit split_data(const Settings& base, const SearchInput& input, const LogSink& log) {
  if (!(input.holdout >= 0 && input.holdout < 1)) {
    throw InvalidInput(fmt::format("search: got the hold-out share {}, expected a number in [0, 1)", input.holdout));
  }
  DataSplit split{.calibration = input.calibration, .evaluation = input.evaluation, .labels = input.labels, .base = base};
  if (split.evaluation != nullptr) {
    if (input.holdout > 0) throw InvalidInput("search: got both evaluation data and a hold-out share, expected one of them");
    return split;
  }
  if (input.holdout == 0) {
    say(log, LogLevel::warning,
        "the calibration data also score the candidates; give --evaluation DATA or --holdout FRACTION for an honest judgement");
    split.evaluation = input.calibration;
    return split;
  }
  const std::int64_t samples = input.calibration->size();
  const std::int64_t held = held_out_count(input.holdout, samples);
  split.calibration = subset(input.calibration, 0, samples - held);
  split.evaluation = subset(input.calibration, samples - held, held);
  if (split.labels) split.labels = Labels(split.labels->end() - held, split.labels->end());
  split.base["extra_options.CalibDataSize"] = samples - held;
  say(log, LogLevel::info, fmt::format("hold-out: {} samples calibrate, {} judge", samples - held, held));
  return split;
}

}  // namespace quantsearch
