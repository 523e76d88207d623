// The trials for other programs: CSV and Markdown.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "quantsearch/report.h"
#include "report/next_steps.h"
#include "report/results_parts.h"
#include "report/standing.h"

namespace quantsearch {

namespace {

using Cells = std::vector<std::string>;

std::string exact(double value) { return to_json(Value(value)); }

std::string setting_text(const Value& value) {
  return value.is_string() ? value.as_string() : to_json(value);
}

std::set<std::string> setting_names(const ResultsDocument& document) {
  std::set<std::string> names;
  for (const TrialResult& trial : document.trials) {
    for (const auto& [name, value] : trial.config) names.insert(name);
  }
  return names;
}

std::set<std::string> score_names(const ResultsDocument& document) {
  std::set<std::string> names;
  for (const TrialResult& trial : document.trials) {
    for (const auto& [name, score] : trial.model.scores) names.insert(name);
  }
  return names;
}

/// A field of RFC 4180: quoted where it holds a separator, a quote or a line break.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

std::string csv_line(const Cells& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    line += csv_field(cell);
    line += ',';
  }
  line.pop_back();
  return line + "\r\n";
}

std::string score_cell(const ModelResult& model, const std::string& name) {
  const auto found = model.scores.find(name);
  return found == model.scores.end() ? "" : exact(found->second);
}

/// The names in the head of a CSV file.
struct Columns {
  std::set<std::string> scores = {};
  std::set<std::string> settings = {};
};

std::string csv_head(const Columns& columns) {
  Cells head = {"trial", "state", "candidate"};
  head.insert(head.end(), columns.scores.begin(), columns.scores.end());
  head.insert(head.end(), {"size_bytes", "latency_ms", "latency_ratio", "latency_ratio_low",
                           "latency_ratio_high", "seconds"});
  head.insert(head.end(), columns.settings.begin(), columns.settings.end());
  head.emplace_back("reason");
  return csv_line(head);
}

Cells csv_cells(const TrialResult& trial, const Columns& columns) {
  Cells cells = {std::to_string(trial.number), to_string(trial.state),
                 trial.is_candidate ? "true" : "false"};
  for (const std::string& name : columns.scores) cells.push_back(score_cell(trial.model, name));
  const auto& ratio = trial.model.latency_ratio;
  cells.push_back(trial.model.size_bytes > 0 ? std::to_string(trial.model.size_bytes) : "");
  cells.push_back(trial.model.latency_ms ? exact(*trial.model.latency_ms) : "");
  cells.push_back(ratio ? exact(ratio->ratio) : "");
  cells.push_back(ratio ? exact(ratio->low) : "");
  cells.push_back(ratio ? exact(ratio->high) : "");
  cells.push_back(exact(trial.seconds));
  for (const std::string& name : columns.settings) {
    const auto found = trial.config.find(name);
    cells.push_back(found == trial.config.end() ? "" : setting_text(found->second));
  }
  cells.push_back(trial.reason);
  return cells;
}

/// A cell of a Markdown table: bars would end it, a line break the row.
std::string markdown_cell(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '|') safe += '\\';
    safe += letter == '\n' ? ' ' : letter;
  }
  return safe;
}

std::string markdown_row(const Cells& cells) {
  std::string row = "|";
  for (const std::string& cell : cells) row += ' ' + markdown_cell(cell) + " |";
  return row + '\n';
}

std::string listing_sentence(const ResultsDocument& document) {
  return document.trials_in_all ? fmt::format("\n{}.\n", listed_part(document)) : "";
}

std::string rounded_score(const ModelResult& model, const std::string& name) {
  const auto found = model.scores.find(name);
  return found == model.scores.end() ? "" : fmt::format("{:.4g}", found->second);
}

Cells markdown_cells(const std::string& label, const ModelResult& model,
                     const std::set<std::string>& scores) {
  Cells cells = {label};
  for (const std::string& name : scores) cells.push_back(rounded_score(model, name));
  cells.push_back(model.size_bytes > 0
                      ? fmt::format("{:.2f}", static_cast<double>(model.size_bytes) / 1e6)
                      : "");
  cells.push_back(model.latency_ms ? fmt::format("{:.3g}", *model.latency_ms) : "");
  return cells;
}

}  // namespace

std::string trials_csv(const ResultsDocument& document) {
  const Columns columns{.scores = score_names(document), .settings = setting_names(document)};
  std::string text = csv_head(columns);
  for (const TrialResult& trial : document.trials) text += csv_line(csv_cells(trial, columns));
  return text;
}

void write_trials_csv(const ResultsDocument& document, const VisitTrials& visit,
                      const std::function<void(std::string_view)>& write) {
  Columns columns{.scores = score_names(document), .settings = setting_names(document)};
  std::int64_t last = -1;  // trials that begin after the first visit are left out
  visit([&](Trial&& trial) {
    last = std::max(last, trial.number);
    for (const auto& [name, score] : details_from(trial.details).scores)
      columns.scores.insert(name);
    for (const auto& [name, value] : trial.point) columns.settings.insert(name);
  });
  write(csv_head(columns));
  // What was measured after the search is in the document alone.
  std::map<std::int64_t, const TrialResult*> listed;
  for (const TrialResult& trial : document.trials) listed.emplace(trial.number, &trial);
  visit([&](Trial&& trial) {
    if (trial.state == TrialState::running || trial.number > last) return;
    const auto known = listed.find(trial.number);
    write(csv_line(
        csv_cells(known == listed.end() ? scored_result(trial, document.objective) : *known->second,
                  columns)));
  });
}

std::string markdown_report(const ResultsDocument& document) {
  std::string text = fmt::format("# Search of {}\n\n{} trials in {:.0f} s, {} ({}).\n\n",
                                 document.model, document.trial_count(), document.seconds,
                                 candidates_text(document), document.tolerance);
  const std::set<std::string> scores = score_names(document);
  Cells head = {"model"};
  head.insert(head.end(), scores.begin(), scores.end());
  head.insert(head.end(), {"MB", "ms", "settings"});
  text += markdown_row(head) + markdown_row(Cells(head.size(), "---"));
  Cells of_float = markdown_cells("float", document.float_model, scores);
  of_float.emplace_back("");
  text += markdown_row(of_float);
  for (const TrialResult* trial : best_first(document)) {
    const bool is_best = document.best == trial->number;
    Cells cells =
        markdown_cells(fmt::format("{}{}", is_best ? "**best**, trial " : "trial ", trial->number),
                       trial->model, scores);
    cells.push_back(to_string(trial->config));
    text += markdown_row(cells);
  }
  for (const TrialResult& trial : document.trials) {
    if (trial.state == TrialState::complete) continue;
    text += fmt::format("\nTrial {} {}: {}\n", trial.number, to_string(trial.state), trial.reason);
  }
  text += listing_sentence(document);
  text += "\nNext:\n\n";
  for (const std::string& step : next_steps(document)) text += "- " + step + "\n";
  if (!document.rebuild_command.empty())
    text += fmt::format("\nTo build the best model again:\n\n    {}\n", document.rebuild_command);
  return text;
}

}  // namespace quantsearch
