#include <fmt/core.h>

#include <chrono>
#include <cmath>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/report.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

struct ProgressLine::State {
  std::ostream& out;
  bool is_terminal;
  std::string objective;
  Ranking ranking;
  std::optional<std::int64_t> total;
  Clock::time_point start = Clock::now();
  Clock::time_point drawn = {};
  std::int64_t count = 0;
  std::optional<Trial> best = {};
  bool line_open = false;

  void compare(const Trial& trial) {
    if (trial.state != TrialState::complete) return;
    if (!best || TrialOrder(ranking)(trial, *best)) best = trial;
  }

  [[nodiscard]] std::string best_text() const {
    return best ? fmt::format("best {} {:.6g} (trial {})", objective, *best->value, best->number)
                : "no result yet";
  }

  void draw() {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    std::string text =
        total ? fmt::format("trial {}/{}", count, *total) : fmt::format("trial {}", count);
    text += fmt::format("  {}", best_text());
    if (count > 0 && seconds > 0) {
      const double rate = static_cast<double>(count) / seconds;
      text += fmt::format("  {:.1f} trials/s", rate);
      if (total && *total > count)
        text += fmt::format("  about {:.0f} s left",
                            std::ceil(static_cast<double>(*total - count) / rate));
    }
    constexpr std::size_t kWidth = 100;
    text.resize(kWidth, ' ');
    out << '\r' << text << std::flush;
    line_open = true;
    drawn = Clock::now();
  }

  void print(const Trial& trial) {
    out << fmt::format("trial {} {}: {}", trial.number, to_string(trial.state),
                       to_string(trial.point));
    if (trial.state == TrialState::complete) {
      out << fmt::format(": {} {:.6g}{}, {:.3f} s; {}\n", objective, *trial.value,
                         trial.is_candidate ? " (candidate)" : "", trial.seconds, best_text());
    } else {
      out << fmt::format(": {}\n", trial.reason);
    }
  }
};

ProgressLine::ProgressLine(std::ostream& out, bool is_terminal, std::string objective,
                           Ranking ranking, std::optional<std::int64_t> total)
    : state_(new State{.out = out,
                       .is_terminal = is_terminal,
                       .objective = std::move(objective),
                       .ranking = ranking,
                       .total = total}) {}

ProgressLine::~ProgressLine() {
  if (state_->line_open) {
    state_->draw();
    state_->out << '\n';
  }
}

void ProgressLine::known(const Trial& best) { state_->compare(best); }

void ProgressLine::started(std::int64_t) {
  if (state_->is_terminal && !state_->line_open) state_->draw();
}

void ProgressLine::finished(const Trial& trial) {
  ++state_->count;
  state_->compare(trial);
  if (!state_->is_terminal) {
    state_->print(trial);
    return;
  }
  // A terminal is redrawn at most ten times a second.
  if (Clock::now() - state_->drawn > std::chrono::milliseconds(100)) state_->draw();
}

}  // namespace quantsearch
