// Text output for people.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "quantsearch/internal/report/point_text.h"
#include "quantsearch/internal/report/text.h"
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
  return found == model.scores.end() ? "" : fmt::format("{:.4g}", found->second);
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

/// A column of numbers in a table of models.
struct Column {
  std::string header;
  int rank = 0;  // columns of a lower rank are left out first when the table is too wide
  std::function<std::string(const ModelResult&)> cell;
};

std::vector<Column> number_columns(const ResultsDocument& document) {
  constexpr int kFirst = 100;
  std::vector<Column> columns;
  for (const std::string& name : shown_scores(document)) {
    // The objective, then size and latency, then the other scores in their order.
    const int rank = columns.empty() ? kFirst : kFirst - 2 - static_cast<int>(columns.size());
    columns.push_back({.header = name, .rank = rank, .cell = [name](const ModelResult& model) {
                         return score_text(model, name);
                       }});
  }
  columns.push_back({.header = "size", .rank = kFirst - 1, .cell = [](const ModelResult& model) {
                       return bytes_text(model.size_bytes);
                     }});
  columns.push_back({.header = "latency", .rank = kFirst - 2, .cell = [](const ModelResult& model) {
                       return milliseconds_text(model.latency_ms);
                     }});
  return columns;
}

/// A model in a table, with its configuration.
struct ModelRow {
  std::string label;
  const ModelResult* model = nullptr;
  std::string config;
};

/// Leaves out columns until the others and the labels fit in `width`.
std::vector<Column> fitting(std::vector<Column> columns, const std::string& first,
                            const std::vector<ModelRow>& rows, std::size_t width) {
  std::size_t used = columns_of(first);
  for (const ModelRow& row : rows) used = std::max(used, columns_of(row.label));
  for (const Column& column : columns) {
    std::size_t widest = columns_of(column.header);
    for (const ModelRow& row : rows) widest = std::max(widest, columns_of(column.cell(*row.model)));
    used += 2 + widest;
  }
  if (used <= width || columns.size() == 1) return columns;
  columns.erase(std::ranges::min_element(columns, {}, &Column::rank));
  return fitting(std::move(columns), first, rows, width);
}

/// `first`: the header of the labels. The columns before the configuration take `front` at most.
std::string models_table(const ResultsDocument& document, const std::string& first,
                         const std::vector<ModelRow>& rows, std::size_t front, std::size_t width) {
  const std::vector<Column> columns = fitting(number_columns(document), first, rows, front);
  std::vector<std::vector<std::string>> cells(1, {first});
  for (const Column& column : columns) cells.front().push_back(column.header);
  cells.front().emplace_back();
  for (const ModelRow& row : rows) {
    std::vector<std::string>& line = cells.emplace_back(1, row.label);
    for (const Column& column : columns) line.push_back(column.cell(*row.model));
    line.push_back(row.config);
  }
  return text_table(cells, width);
}

PointText point_text_of(const ResultsDocument& document) {
  std::vector<const Point*> points;
  for (const TrialResult& trial : document.trials) points.push_back(&trial.config);
  return PointText::of(points);
}

/// What all trials have in common.
std::string common_text(const PointText& names, std::size_t width) {
  if (names.common().empty()) return "";
  return wrapped("every trial: " + names.common(), {.width = width, .indent = 2});
}

/// What the letters for long values stand for.
std::string letters_text(const PointText& names, std::size_t width) {
  std::string text = names.has_switches() ? "a switch that is not named is off\n" : "";
  for (const std::string& letter : names.letters())
    text += wrapped(letter, {.width = width, .indent = 2});
  return text;
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

/// The float model, the best and the worst trial.
std::string best_and_worst(const ResultsDocument& document, std::size_t width) {
  const PointText names = point_text_of(document);
  const auto trials = best_first(document);
  std::vector<ModelRow> rows = {{.label = "float", .model = &document.float_model, .config = ""}};
  const auto add = [&](const char* label, const TrialResult& trial) {
    rows.push_back({.label = fmt::format("{} (trial {})", label, trial.number),
                    .model = &trial.model,
                    .config = names.spelled_out(trial.config)});
  };
  if (!trials.empty()) {
    const auto worst = std::ranges::max_element(
        trials,
        [&](const TrialResult* a, const TrialResult* b) { return better(*a, *b, document); });
    add("best", *trials.front());
    if (const TrialResult* const narrow = narrow_runner_up(trials)) add("best 8 bit", *narrow);
    add("worst", **worst);
  }
  return models_table(document, "", rows, width, width);
}

/// What the search has found, and what it took.
std::string sentences_of(const ResultsDocument& document, std::size_t width) {
  const auto trials = best_first(document);
  std::string text;
  if (!trials.empty()) {
    text += speed_sentence(document, *trials.front());
    text += arithmetic_sentence(document, *trials.front());
  }
  if (document.confirmation) text += confirmation_sentence(document);
  if (!document.front.empty()) {
    text += fmt::format("front: trials {}; no other is better in every objective\n",
                        fmt::join(document.front, ", "));
  }
  if (document.trials_in_all) text += listed_part(document) + '\n';
  text +=
      fmt::format("{} trials in {:.1f} s, {} ({}); {}", document.trial_count(), document.seconds,
                  candidates_text(document), document.tolerance, document.stop_message);
  return wrapped(text, {.width = width, .indent = 2});
}

}  // namespace

std::string trials_table(const ResultsDocument& document, std::size_t width) {
  const PointText names = point_text_of(document);
  std::vector<ModelRow> rows;
  for (const TrialResult* trial : best_first(document)) {
    const char* const mark = document.best == trial->number ? " (best)"
                             : trial->is_candidate          ? " *"
                                                            : "";
    rows.push_back({.label = std::to_string(trial->number) + mark,
                    .model = &trial->model,
                    .config = names.text(trial->config)});
  }
  rows.push_back({.label = "float", .model = &document.float_model, .config = ""});
  std::string text = common_text(names, width) + letters_text(names, width) +
                     models_table(document, "trial", rows, width - width * 2 / 5, width);
  for (const TrialResult& trial : document.trials) {
    if (trial.state == TrialState::complete) continue;
    text += wrapped(fmt::format("trial {} {}: {}: {}", trial.number, to_string(trial.state),
                                names.text(trial.config), trial.reason),
                    {.width = width, .indent = 2});
  }
  return text;
}

std::string summary_text(const ResultsDocument& document, std::size_t width) {
  return best_and_worst(document, width) + common_text(point_text_of(document), width) +
         sentences_of(document, width);
}

std::string report_text(const ResultsDocument& document, std::size_t width) {
  return trials_table(document, width) + '\n' + best_and_worst(document, width) +
         sentences_of(document, width);
}

}  // namespace quantsearch
