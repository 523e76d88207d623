// Two searches side by side, for a terminal.

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "quantsearch/internal/report/text.h"
#include "quantsearch/report.h"
#include "report/standing.h"

namespace quantsearch {

namespace {

using Rows = std::vector<std::vector<std::string>>;

const TrialResult* delivered(const ResultsDocument& document) {
  const std::vector<const TrialResult*> trials = best_first(document);
  return trials.empty() ? nullptr : trials.front();
}

std::string score_of(const TrialResult* trial, const std::string& name) {
  if (trial == nullptr) return "";
  const auto found = trial->model.scores.find(name);
  return found == trial->model.scores.end() ? "" : fmt::format("{:.5g}", found->second);
}

std::string size_of(const TrialResult* trial) {
  return trial == nullptr
             ? ""
             : fmt::format("{:.2f}", static_cast<double>(trial->model.size_bytes) / 1e6);
}

std::string latency_of(const TrialResult* trial) {
  return trial != nullptr && trial->model.latency_ms
             ? fmt::format("{:.3f}", *trial->model.latency_ms)
             : "";
}

std::string ratio_of(const TrialResult* trial) {
  if (trial == nullptr || !trial->model.latency_ratio) return "";
  const LatencyRatio& ratio = *trial->model.latency_ratio;
  return fmt::format("{:.2f} ({:.2f} to {:.2f})", ratio.ratio, ratio.low, ratio.high);
}

std::string setting_of(const TrialResult* trial, const std::string& name) {
  if (trial == nullptr) return "";
  const auto found = trial->config.find(name);
  if (found == trial->config.end()) return "";
  return found->second.is_string() ? found->second.as_string() : to_json(found->second);
}

/// At most so many letters, the last ones: settings begin alike.
std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : "..." + text.substr(text.size() - most + 3);
}

void add_settings(const TrialResult* first, const TrialResult* second, Rows& rows) {
  std::set<std::string> names;
  for (const TrialResult* trial : {first, second}) {
    if (trial == nullptr) continue;
    for (const auto& [name, value] : trial->config) names.insert(name);
  }
  for (const std::string& name : names) {
    const std::string a = setting_of(first, name);
    const std::string b = setting_of(second, name);
    if (a != b) rows.push_back({name, a, b});
  }
}

std::set<std::string> common_scores(const TrialResult* first, const TrialResult* second) {
  std::set<std::string> names;
  for (const TrialResult* trial : {first, second}) {
    if (trial == nullptr) continue;
    for (const auto& [name, score] : trial->model.scores) names.insert(name);
  }
  return names;
}

std::string name_of(const ResultsDocument& document) {
  return std::filesystem::path(document.model).filename().string();
}

}  // namespace

std::string comparison_text(const ResultsDocument& first, const ResultsDocument& second) {
  const TrialResult* const a = delivered(first);
  const TrialResult* const b = delivered(second);
  const auto number = [](const TrialResult* trial) {
    return trial == nullptr ? "none" : std::to_string(trial->number);
  };
  Rows rows = {{"", "first", "second"},
               {"model", name_of(first), name_of(second)},
               {"best trial", number(a), number(b)}};
  for (const std::string& name : common_scores(a, b))
    rows.push_back({name, score_of(a, name), score_of(b, name)});
  rows.push_back({"MB", size_of(a), size_of(b)});
  rows.push_back({"ms", latency_of(a), latency_of(b)});
  rows.push_back({"time / float", ratio_of(a), ratio_of(b)});
  rows.push_back(
      {"trials", std::to_string(first.trial_count()), std::to_string(second.trial_count())});
  rows.push_back({"candidates", std::to_string(first.candidates.size()),
                  std::to_string(second.candidates.size())});
  rows.push_back(
      {"seconds", fmt::format("{:.1f}", first.seconds), fmt::format("{:.1f}", second.seconds)});
  add_settings(a, b, rows);
  constexpr std::size_t kWidest = 24;  // three columns and the gaps fit 80
  for (auto& row : rows) {
    for (std::string& cell : row) cell = shortened(cell, kWidest);
  }
  return text_table(rows);
}

}  // namespace quantsearch
