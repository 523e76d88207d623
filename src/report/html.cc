// report.html: one self-contained page for people.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "quantsearch/report.h"
#include "quantsearch/search/trial_order.h"
#include "report/chart.h"
#include "report/standing.h"

namespace quantsearch {

namespace {

constexpr const char* kStyle = R"(
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 13px; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child, td.text, th.text { text-align: left; } tr.best td { background: #e8f4e8; } tr.candidate td:first-child { font-weight: 600; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; flex: 1 1 480px; } svg { width: 100%; height: auto; }
.tick, .axis { font-size: 11px; fill: #555; } .grid { stroke: #eee; } .line { fill: none; stroke: #2a7; stroke-width: 1.5; }
.dot { fill: #57a; fill-opacity: .7; } .candidate { fill: #2a7; } .best { fill: #c33; } details { margin: .5rem 0; }
)";

using Row = std::vector<std::string>;

std::string cells(const Row& row, const char* tag) {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool is_text = i + 1 == row.size();
    text += fmt::format("<{}{}>{}</{}>", tag, is_text ? " class='text'" : "", escaped(row[i]), tag);
  }
  return text;
}

std::string number(double value) { return fmt::format("{:.6g}", value); }

std::string shown(const Value& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.as_string();
  if (value.is_double()) return number(value.as_double());
  return to_json(value);
}

std::vector<std::string> score_names(const ResultsDocument& document) {
  std::vector<std::string> names = {document.objective};
  std::set<std::string> others;
  for (const TrialResult& trial : document.trials) {
    for (const auto& [name, score] : trial.model.scores) others.insert(name);
  }
  others.erase(document.objective);
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

Row model_cells(const ModelResult& model, const std::vector<std::string>& names) {
  Row row;
  for (const std::string& name : names) {
    const auto found = model.scores.find(name);
    row.push_back(found == model.scores.end() ? "" : number(found->second));
  }
  row.push_back(model.size_bytes > 0
                    ? fmt::format("{:.1f}", static_cast<double>(model.size_bytes) / 1e3)
                    : "");
  row.push_back(model.latency_ms ? fmt::format("{:.3f}", *model.latency_ms) : "");
  return row;
}

bool is_scored(const TrialResult& trial, const ResultsDocument& document) {
  return trial.state == TrialState::complete && trial.model.scores.contains(document.objective);
}

std::string style_of(const TrialResult& trial, const ResultsDocument& document) {
  if (document.best == trial.number) return "best";
  return trial.is_candidate ? "candidate" : "dot";
}

std::string trials_section(const ResultsDocument& document) {
  const std::vector<std::string> names = score_names(document);
  Row head = {"trial", "state"};
  head.insert(head.end(), names.begin(), names.end());
  head.insert(head.end(), {"kB", "ms", "seconds", "configuration"});
  std::string text = "<h2>Trials</h2>\n<table><tr>" + cells(head, "th") + "</tr>\n";
  Row of_float = {"float", ""};
  std::ranges::copy(model_cells(document.float_model, names), std::back_inserter(of_float));
  of_float.insert(of_float.end(), {"", ""});
  text += "<tr>" + cells(of_float, "td") + "</tr>\n";
  for (const TrialResult& trial : document.trials) {
    Row row = {std::to_string(trial.number), to_string(trial.state)};
    std::ranges::copy(model_cells(trial.model, names), std::back_inserter(row));
    row.push_back(fmt::format("{:.2f}", trial.seconds));
    row.push_back(to_string(trial.config) + (trial.reason.empty() ? "" : ": " + trial.reason));
    text += fmt::format("<tr class='{}'>{}</tr>\n", style_of(trial, document), cells(row, "td"));
  }
  return text + "</table>\n";
}

std::string history_chart(const ResultsDocument& document) {
  Chart chart{
      .title = "Search history", .x_label = "trial", .y_label = document.objective, .points = {}};
  const TrialOrder order(document.ranking());
  std::optional<Trial> best;
  for (const TrialResult& trial : document.trials) {
    if (!is_scored(trial, document)) continue;
    const double value = trial.model.scores.at(document.objective);
    const auto x = static_cast<double>(trial.number);
    chart.points.push_back({.x = x,
                            .y = value,
                            .label = fmt::format("trial {}: {}\n{}", trial.number, number(value),
                                                 to_string(trial.config)),
                            .style = style_of(trial, document)});
    const Trial standing = standing_of(trial, document.objective);
    if (!best || order(standing, *best)) best = standing;
    chart.line.push_back({.x = x, .y = *best->value});
  }
  return svg_of(chart);
}

std::string against_chart(const ResultsDocument& document, const std::string& title,
                          const std::string& x_label,
                          const std::function<std::optional<double>(const ModelResult&)>& x_of) {
  Chart chart{.title = title, .x_label = x_label, .y_label = document.objective, .points = {}};
  for (const TrialResult& trial : document.trials) {
    const std::optional<double> x = x_of(trial.model);
    if (!is_scored(trial, document) || !x) continue;
    chart.points.push_back(
        {.x = *x,
         .y = trial.model.scores.at(document.objective),
         .label = fmt::format("trial {}\n{}", trial.number, to_string(trial.config)),
         .style = style_of(trial, document)});
  }
  return svg_of(chart);
}

std::string layer_tables(const ResultsDocument& document) {
  const auto best = std::ranges::find_if(
      document.trials, [&](const TrialResult& trial) { return document.best == trial.number; });
  if (best == document.trials.end()) return "";
  std::string text;
  for (const auto& [name, rows] : best->layer_tables) {
    if (rows.as_list().empty()) continue;
    Row head;
    for (const auto& [column, value] : rows.as_list().front().as_map()) head.push_back(column);
    text += fmt::format("<h2>Layers of the best model: {}</h2>\n<table><tr>{}</tr>\n",
                        escaped(name), cells(head, "th"));
    for (const Value& layer : rows.as_list()) {
      Row row;
      for (const std::string& column : head) {
        const Value* const cell = layer.find(column);
        row.push_back(cell != nullptr ? shown(*cell) : "");
      }
      text += "<tr>" + cells(row, "td") + "</tr>\n";
    }
    text += "</table>\n";
  }
  return text;
}

/// The times that decided which operators run on integers, the largest first.
std::string placement_section(const ResultsDocument& document) {
  const Value* const patterns = document.placement.find("patterns");
  if (patterns == nullptr) return "";
  const Row head = {"operators", "count", "float ms", "integer ms", "conversions ms", "placed as"};
  std::string text = fmt::format(
      "<h2>Placement of operators</h2>\n<p>Times of one run on {}.</p>\n<table><tr>{}</tr>\n",
      escaped(shown(*document.placement.find("machine"))), cells(head, "th"));
  for (const Value& pattern : patterns->as_list()) {
    Row row;
    for (const char* const key :
         {"pattern", "count", "float_ms", "integer_ms", "conversions_ms", "verdict"}) {
      const Value* const cell = pattern.find(key);
      row.push_back(cell == nullptr     ? ""
                    : cell->is_double() ? fmt::format("{:.3f}", cell->as_double())
                                        : shown(*cell));
    }
    text += "<tr>" + cells(row, "td") + "</tr>\n";
  }
  return text + "</table>\n";
}

std::string stages_section(const ResultsDocument& document) {
  struct Total {
    double seconds = 0;
    int computed = 0;
    int reused = 0;
  };
  std::map<std::string, Total> totals;
  for (const TrialResult& trial : document.trials) {
    for (const auto& [name, stage] : trial.stages) {
      Total& total = totals[name];
      total.seconds += stage.seconds;
      ++(stage.cached ? total.reused : total.computed);
    }
  }
  std::string text = "<h2>Stages</h2>\n<table><tr>" +
                     cells({"stage", "seconds", "computed", "reused"}, "th") + "</tr>\n";
  for (const auto& [name, total] : totals) {
    text += "<tr>" +
            cells({name, fmt::format("{:.3f}", total.seconds), std::to_string(total.computed),
                   std::to_string(total.reused)},
                  "td") +
            "</tr>\n";
  }
  return text +
         fmt::format("</table>\n<p>{:.2f} s saved by reuse.</p>\n", document.cache_seconds_saved);
}

std::string importances_section(const ResultsDocument& document) {
  const std::vector<ParameterImportance> importances = importances_of(document);
  if (importances.empty()) return "";
  std::string text =
      fmt::format("<h2>Importance of the parameters for {}</h2>\n<table><tr>{}</tr>\n",
                  escaped(document.objective), cells({"parameter", "share", ""}, "th"));
  for (const ParameterImportance& parameter : importances) {
    text += fmt::format(
        "<tr><td>{}</td><td>{:.3f}</td><td class='text'><meter value='{:.3f}'></meter></td></tr>\n",
        escaped(parameter.name), parameter.share, parameter.share);
  }
  return text + "</table>\n";
}

std::string space_section(const ResultsDocument& document) {
  std::string text =
      fmt::format("<h2>Space</h2>\n<p>{} points, {}{} distinct.</p>\n", document.space.raw,
                  document.space.complete ? "" : "at least ", document.space.distinct);
  if (document.space.filtered.empty()) return text;
  text += "<ul>\n";
  for (const auto& [reason, count] : document.space.filtered)
    text += fmt::format("<li>{} left out: {}</li>\n", count, escaped(reason));
  return text + "</ul>\n";
}

}  // namespace

std::string html_report(const ResultsDocument& document) {
  std::string text =
      "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width'>";
  text += fmt::format("<title>quantsearch: {}</title><style>{}</style></head><body>\n",
                      escaped(document.model), kStyle);
  text += fmt::format("<h1>Search of {}</h1>\n", escaped(document.model));
  text += fmt::format(
      "<p>{} by {}; a candidate has {}. {} trials in {:.1f} s, {} candidates; {}.</p>\n",
      document.goal == Goal::minimize ? "Minimised" : "Maximised", escaped(document.objective),
      escaped(document.tolerance), document.trials.size(), document.seconds,
      document.candidates.size(), escaped(document.stop_message));
  if (document.processor)
    text += fmt::format("<p>Processor: {}.</p>\n", escaped(to_string(*document.processor)));
  text += fmt::format("<pre>{}</pre>\n", escaped(summary_text(document)));
  text += "<div class='charts'>\n" + history_chart(document);
  text +=
      against_chart(document, "Size", "kB", [](const ModelResult& model) -> std::optional<double> {
        return model.size_bytes > 0 ? std::optional(static_cast<double>(model.size_bytes) / 1e3)
                                    : std::nullopt;
      });
  text += against_chart(document, "Latency", "ms",
                        [](const ModelResult& model) { return model.latency_ms; });
  text += "</div>\n" + trials_section(document) + placement_section(document) +
          layer_tables(document) + importances_section(document) + stages_section(document) +
          space_section(document);
  return text + "</body></html>\n";
}

}  // namespace quantsearch
