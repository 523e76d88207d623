#include "quantsearch/internal/trials/acceptance.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// Defaults without a user's tolerance: a hundredth of the energy of the float signal (20 dB), and a
// hundredth of accuracy.
constexpr double kDefaultShare = 0.01;
constexpr double kDefaultSqnr = 20;
constexpr double kDefaultPsnr = 30;
// No slice of an output may be destroyed, even if it is small compared with the rest: the limit is
// a tenth of the energy of the slice (10 dB).
constexpr double kDefaultWorstSlice = 0.1;

enum class Kind { distance, similarity, decibel, accuracy, custom };

Kind kind_of(Metric metric) {
  switch (metric) {
    case Metric::l1:
    case Metric::l2:
    case Metric::rel_l2:
    case Metric::worst_slice:
    case Metric::kl:
      return Kind::distance;
    case Metric::cos:
    case Metric::ssim:
      return Kind::similarity;
    case Metric::psnr:
    case Metric::sqnr:
      return Kind::decibel;
    case Metric::top1:
    case Metric::top5:
      return Kind::accuracy;
  }
  throw InternalError(fmt::format("metric {} has no tolerance rule", static_cast<int>(metric)));
}

double default_tolerance(const GoalConfig& config, Kind kind) {
  if (kind == Kind::decibel) return config.metric == Metric::psnr ? kDefaultPsnr : kDefaultSqnr;
  if (config.metric == Metric::worst_slice) return kDefaultWorstSlice;
  return kDefaultShare;
}

}  // namespace

Acceptance::Acceptance(const GoalConfig& config, const ObjectiveName& objective,
                       std::optional<double> float_value)
    : score_(objective.name), direction_(objective.goal) {
  const Kind kind = is_evaluator_score(objective.name) ? Kind::custom : kind_of(config.metric);
  const double base = float_value.value_or(0);
  const double by_default = kind == Kind::custom ? objective.tolerated_share * std::abs(base)
                                                 : default_tolerance(config, kind);
  const double tolerance = config.tolerance.value_or(by_default);
  switch (kind) {
    case Kind::distance:
      // L1 and L2 have the unit of the outputs, so that only a relative default is meaningful.
      if (!config.tolerance && (config.metric == Metric::l1 || config.metric == Metric::l2))
        score_ = metric_info(Metric::rel_l2).name;
      limit_ = tolerance;
      distance_ = parse_metric(score_);
      break;
    case Kind::similarity:
      limit_ = 1 - tolerance;
      break;
    case Kind::decibel:
      limit_ = tolerance;
      break;
    case Kind::accuracy:
    case Kind::custom:
      limit_ = direction_ == Goal::maximize ? base - tolerance : base + tolerance;
      break;
  }
  rule_ = fmt::format("{} {} {:.6g}", score_, direction_ == Goal::minimize ? "at most" : "at least",
                      limit_);
  if (float_value && (kind == Kind::accuracy || kind == Kind::custom)) {
    rule_ += fmt::format(" (float {:.6g}, tolerance {:.6g})", base, tolerance);
  }
  is_accuracy_ = kind == Kind::accuracy;
  if (config.tolerance) return;
  const std::string worst_slice = metric_info(Metric::worst_slice).name;
  // A user's evaluator scores the whole model.
  if (kind != Kind::custom && score_ != worst_slice) {
    most_.emplace(worst_slice, kDefaultWorstSlice);
    rule_ += fmt::format(" and {} at most {:.6g}", worst_slice, kDefaultWorstSlice);
  }
  rule_ += ", the default";
}

bool Acceptance::accepts(const std::map<std::string, double>& scores) const {
  const auto score = [&](const std::string& name) {
    const auto found = scores.find(name);
    if (found == scores.end())
      throw InternalError("the tolerance looks at '" + name + "', which was not scored");
    return found->second;
  };
  if (most_ && score(most_->first) > most_->second) return false;
  // The slack allows for rounding, because the limit is a difference of two rounded numbers.
  const double slack = 1e-12 * std::abs(limit_);
  return direction_ == Goal::minimize ? score(score_) <= limit_ + slack
                                      : score(score_) >= limit_ - slack;
}

std::map<Metric, double> Acceptance::distance_limits() const {
  std::map<Metric, double> limits;
  if (distance_) limits[*distance_] = limit_;
  if (most_) limits[parse_metric(most_->first)] = most_->second;
  return limits;
}

std::optional<double> Acceptance::accuracy_limit() const {
  return is_accuracy_ ? std::optional(limit_) : std::nullopt;
}

}  // namespace quantsearch
