// Text output for people.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "quantsearch/report.h"
#include "report/advice.h"
#include "report/standing.h"

namespace quantsearch {

namespace {

std::string bytes_text(std::int64_t bytes) {
  const auto number = static_cast<double>(bytes);
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  if (number < 1e7) return fmt::format("{:.0f} kB", number / 1e3);
  return fmt::format("{:.1f} MB", number / 1e6);
}

std::string milliseconds_text(const std::optional<double>& latency) {
  return latency ? fmt::format("{:.3f} ms", *latency) : "";
}

std::string score_text(const ModelResult& model, const std::string& name) {
  const auto found = model.scores.find(name);
  return found == model.scores.end() ? "" : fmt::format("{:.6g}", found->second);
}

/// The scores to show: the objective first, then those that are most informative.
std::vector<std::string> shown_scores(const ResultsDocument& document) {
  std::vector<std::string> names = {document.objective};
  const bool has_trials = !document.trials.empty();
  for (const char* name : {"top1", "rel_l2", "worst_slice", "cos"}) {
    const bool scored =
        has_trials && std::ranges::any_of(document.trials, [&](const TrialResult& trial) {
          return trial.model.scores.contains(name);
        });
    if (scored && document.objective != name) names.emplace_back(name);
  }
  return names;
}

bool better(const TrialResult& a, const TrialResult& b, const ResultsDocument& document) {
  return is_better(a.model.scores.at(document.objective), b.model.scores.at(document.objective),
                   document.goal);
}

std::vector<std::string> header(const ResultsDocument& document, const char* first) {
  std::vector<std::string> row = {first};
  for (const std::string& name : shown_scores(document)) row.push_back(name);
  row.insert(row.end(), {"size", "latency", "configuration"});
  return row;
}

std::vector<std::string> model_row(const ResultsDocument& document, std::string label,
                                   const ModelResult& model, std::string config) {
  std::vector<std::string> row = {std::move(label)};
  for (const std::string& name : shown_scores(document)) row.push_back(score_text(model, name));
  row.push_back(bytes_text(model.size_bytes));
  row.push_back(milliseconds_text(model.latency_ms));
  row.push_back(std::move(config));
  return row;
}

bool has_wide_types(const TrialResult& trial) {
  return std::ranges::any_of(trial.config, [](const auto& choice) {
    const auto& [option, value] = choice;
    return (option == "activation_type" || option == "weight_type") &&
           value.as_string().ends_with("16");
  });
}

/// The best trial with 8-bit types only, when one with 16 bits is the best: a reader may prefer it.
const TrialResult* narrow_runner_up(const std::vector<const TrialResult*>& trials) {
  if (trials.empty() || !has_wide_types(*trials.front())) return nullptr;
  const auto narrow = std::ranges::find_if_not(
      trials, [](const TrialResult* trial) { return has_wide_types(*trial); });
  return narrow == trials.end() ? nullptr : *narrow;
}

/// The latency beside float; for results of older versions without an interval.
std::optional<LatencyRatio> speed_of(const ResultsDocument& document, const ModelResult& model) {
  if (model.latency_ratio) return model.latency_ratio;
  if (!model.latency_ms || !document.float_model.latency_ms) return std::nullopt;
  const double ratio = *model.latency_ms / *document.float_model.latency_ms;
  return LatencyRatio{.ratio = ratio, .low = ratio, .high = ratio};
}

std::string interval_text(double low, double high) {
  return low == high ? "" : fmt::format(" ({:.2f} to {:.2f})", low, high);
}

std::string speed_sentence(const ResultsDocument& document, const TrialResult& best) {
  const std::optional<LatencyRatio> speed = speed_of(document, best.model);
  if (document.for_npu || !speed) return "";
  if (speed->high < 1) {
    return fmt::format("best is {:.2f} times as fast as float on this machine{}\n",
                       1 / speed->ratio, interval_text(1 / speed->high, 1 / speed->low));
  }
  std::string text =
      speed->low <= 1 ? fmt::format("best is as fast as float on this machine, within the noise{}",
                                    interval_text(1 / speed->high, 1 / speed->low))
                      : fmt::format("best is {:.2f} times slower than float on this machine{}",
                                    speed->ratio, interval_text(speed->low, speed->high));
  for (const TrialResult* trial : best_first(document)) {
    const auto other = speed_of(document, trial->model);
    if (trial->is_candidate && other && other->high < 1) {
      return text +
             fmt::format("; trial {} is a candidate that is faster than float\n", trial->number);
    }
  }
  return text + why_not_faster(document, best) + type_advice(document, best) + "\n";
}

/// Both scores, when the processor's arithmetic differs from that of the graph.
std::string arithmetic_sentence(const ResultsDocument& document, const TrialResult& best) {
  if (!best.arithmetic || !best.arithmetic->differ) return "";
  const auto& [graph, processor, differ, advice] = *best.arithmetic;
  // The score of an external evaluator exists only once.
  for (const std::string& score : {document.objective, std::string("rel_l2")}) {
    if (!graph.contains(score) || !processor.contains(score)) continue;
    return fmt::format(
        "best has {} {:.6g} on this processor, whose integer kernels saturate, and {:.6g} as its "
        "graph says{}\n",
        score, processor.at(score), graph.at(score), advice);
  }
  return "";
}

/// The scores of the best trials on samples that no trial has used.
std::string confirmation_sentence(const ResultsDocument& document) {
  const Confirmation& confirmation = *document.confirmation;
  std::vector<std::string> scores;
  for (const auto& [number, score] : confirmation.scores)
    scores.push_back(fmt::format("trial {} {:.6g}", number, score));
  const bool agrees = document.best == confirmation.scores.front().first;
  return fmt::format(
      "confirmed on {} samples that no trial saw, {}: float {:.6g}, {}; {}\n", confirmation.samples,
      document.objective, confirmation.float_score, fmt::join(scores, ", "),
      agrees ? "the search's best is the best there too"
             : fmt::format("trial {} is the best there and was chosen", document.best.value()));
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      const bool left = column == 0 || column + 1 == widths.size();
      line += column > 0 ? "  " : "";
      line += left ? fmt::format("{:<{}}", row[column], widths[column])
                   : fmt::format("{:>{}}", row[column], widths[column]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string trials_table(const ResultsDocument& document) {
  std::vector<std::vector<std::string>> rows = {header(document, "trial")};
  for (const TrialResult* trial : best_first(document)) {
    const bool is_best = document.best == trial->number;
    rows.push_back(model_row(document,
                             fmt::format("{}{}", trial->number,
                                         is_best               ? " (best)"
                                         : trial->is_candidate ? " *"
                                                               : ""),
                             trial->model, to_string(trial->config)));
  }
  rows.push_back(model_row(document, "float", document.float_model, ""));
  std::string text = text_table(rows);
  for (const TrialResult& trial : document.trials) {
    if (trial.state == TrialState::complete) continue;
    text += fmt::format("trial {} {}: {}: {}\n", trial.number, to_string(trial.state),
                        to_string(trial.config), trial.reason);
  }
  return text;
}

std::string summary_text(const ResultsDocument& document) {
  const auto trials = best_first(document);
  std::vector<std::vector<std::string>> rows = {header(document, "")};
  rows.push_back(model_row(document, "float", document.float_model, ""));
  if (!trials.empty()) {
    const auto worst = std::ranges::max_element(
        trials,
        [&](const TrialResult* a, const TrialResult* b) { return better(*a, *b, document); });
    rows.push_back(model_row(document, fmt::format("best (trial {})", trials.front()->number),
                             trials.front()->model, to_string(trials.front()->config)));
    if (const TrialResult* const narrow = narrow_runner_up(trials)) {
      rows.push_back(model_row(document, fmt::format("best 8 bit (trial {})", narrow->number),
                               narrow->model, to_string(narrow->config)));
    }
    rows.push_back(model_row(document, fmt::format("worst (trial {})", (*worst)->number),
                             (*worst)->model, to_string((*worst)->config)));
  }
  std::string text = text_table(rows);
  if (!trials.empty()) text += speed_sentence(document, *trials.front());
  if (!trials.empty()) text += arithmetic_sentence(document, *trials.front());
  if (document.confirmation) text += confirmation_sentence(document);
  if (!document.front.empty()) {
    text += fmt::format("front: trials {}; no other is better in every objective\n",
                        fmt::join(document.front, ", "));
  }
  text += fmt::format("{} trials in {:.1f} s, {} candidates ({}); {}\n", document.trials.size(),
                      document.seconds, document.candidates.size(), document.tolerance,
                      document.stop_message);
  return text;
}

}  // namespace quantsearch
