#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <map>
#include <string>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/internal/report/point_text.h"
#include "quantsearch/internal/report/text.h"
#include "quantsearch/report.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

namespace {

constexpr std::size_t kTrialIndent = 10;  // of the second line of a trial

}  // namespace

struct ProgressLine::State {
  std::ostream& out;
  ProgressOptions options;
  PointText names = {};
  Clock::time_point start = Clock::now();
  Clock::time_point drawn = {};
  std::int64_t count = 0;
  std::optional<Trial> best = {};
  std::optional<Point> first = {};                   // of the first line of a trial
  std::map<std::string, std::int64_t> reasons = {};  // that were shown, and of which trial
  bool line_open = false;

  /// True when the trial is the best so far.
  bool compare(const Trial& trial) {
    if (trial.state != TrialState::complete) return false;
    const bool is_best = !best || TrialOrder(options.ranking)(trial, *best);
    if (is_best) best = trial;
    return is_best;
  }

  void say(const std::string& text, std::size_t indent = 2) const {
    out << wrapped(text, {.width = options.width, .indent = indent});
  }

  void begin() {
    if (!options.space) return;
    names = PointText::of(*options.space);
    if (const std::string common = names.common(); !common.empty()) say("every trial: " + common);
    for (const std::string& letter : names.letters()) say(letter);
    if (!options.is_terminal) {
      say(
          fmt::format("{}any other setting that is not named is that of the first trial below; "
                      "*: within the tolerance and the limits",
                      names.has_switches() ? "a switch that is not named is off; " : ""));
    }
    out << std::flush;
  }

  void draw() {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::string text = options.total ? fmt::format("trial {}/{}", count, *options.total)
                                     : fmt::format("trial {}", count);
    text += best ? fmt::format("  best {} {:.6g} (trial {})", options.objective, *best->value,
                               best->number)
                 : "  no result yet";
    if (count > 0 && seconds > 0) {
      const double rate = static_cast<double>(count) / seconds;
      text += fmt::format("  {:.1f} trials/s", rate);
      if (options.total && *options.total > count)
        text += fmt::format("  about {:.0f} s left",
                            std::ceil(static_cast<double>(*options.total - count) / rate));
    }
    text.resize(options.width - 1, ' ');  // a full line would move the cursor to the next one
    out << '\r' << text << std::flush;
    line_open = true;
    drawn = Clock::now();
  }

  /// What the line of a trial says of its point: what differs from the first line.
  std::string point_text(const Point& point) {
    if (!options.space) return names.text(point);
    if (!first) {
      first = point;
      return names.text(point);
    }
    Point shown = point;
    std::erase_if(shown, [&](const auto& setting) {
      const auto as_first = first->find(setting.first);
      return !setting.second.is_bool() && as_first != first->end() &&
             as_first->second == setting.second;
    });
    return names.text(shown);
  }

  /// A reason is shown once, and then by the trial that had it first.
  std::string reason_text(const Trial& trial) {
    const auto [shown, is_new] = reasons.emplace(trial.reason, trial.number);
    return is_new ? trial.reason : fmt::format("as trial {}", shown->second);
  }

  void print(const Trial& trial, bool is_best) {
    if (trial.state == TrialState::complete) {
      say(fmt::format("trial {:<3} {} {:<9.6g} {:<6}{:>7.2f} s  {}", trial.number,
                      options.objective, *trial.value,
                      fmt::format("{}{}", trial.is_candidate ? "*" : "", is_best ? " best" : ""),
                      trial.seconds, point_text(trial.point)),
          kTrialIndent);
    } else {
      say(fmt::format("trial {:<3} {}: {}: {}", trial.number, to_string(trial.state),
                      point_text(trial.point), reason_text(trial)),
          kTrialIndent);
    }
    out << std::flush;
  }
};

ProgressLine::ProgressLine(std::ostream& out, ProgressOptions options)
    : state_(new State{.out = out, .options = std::move(options)}) {
  state_->begin();
}

ProgressLine::~ProgressLine() {
  if (state_->line_open) {
    state_->draw();
    state_->out << '\n';
  }
}

void ProgressLine::known(const Trial& best) { (void)state_->compare(best); }

void ProgressLine::started(std::int64_t) {
  if (state_->options.is_terminal && !state_->line_open) state_->draw();
}

void ProgressLine::finished(const Trial& trial) {
  ++state_->count;
  const bool is_best = state_->compare(trial);
  if (!state_->options.is_terminal) {
    state_->print(trial, is_best);
    return;
  }
  // A terminal is redrawn at most ten times a second.
  if (Clock::now() - state_->drawn > std::chrono::milliseconds(100)) state_->draw();
}

}  // namespace quantsearch
