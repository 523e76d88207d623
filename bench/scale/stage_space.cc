#include "scale/stage_space.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

#include "quantsearch/base/error.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

namespace {

enum Dimension : std::size_t { equalize, smooth, method, share, type, solver, rate, dimensions };

struct Stage {
  std::string name;
  std::vector<Dimension> reads;
  std::vector<Dimension> runs_with = {};  // it has nothing to do when these are 0
  bool is_measured = false;               // it is run for each trial, whatever the settings
};

const std::vector<Stage>& stages() {
  static const std::vector<Stage> kStages = {
      {"simplify", {}},
      {"equalize", {equalize}, {equalize}},
      {"observe_float", {}, {smooth}},
      {"smooth", {smooth}, {smooth}},
      {"observe", {}},
      {"ranges", {method, share}},
      {"quantize", {type}},
      {"finetune", {solver, rate}, {solver}},
      {"evaluate", {}, {}, true},
  };
  return kStages;
}

}  // namespace

StageTimes read_stage_times(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw IoError(fmt::format("'{}' cannot be read", file));
  StageTimes times;
  std::string line;
  std::getline(in, line);  // header
  while (std::getline(in, line)) {
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos)
      throw InvalidInput(fmt::format("{}: got '{}', expected 'stage,seconds'", file, line));
    times[line.substr(0, comma)].push_back(std::stod(line.substr(comma + 1)));
  }
  return times;
}

StageSpace::StageSpace(StageTimes times, double factor)
    : times_(std::move(times)), factor_(factor) {
  for (const auto& [name, seconds] : times_) {
    if (std::ranges::find(stages(), name, &Stage::name) == stages().end())
      throw InvalidInput(fmt::format("stage '{}' is unknown", name));
  }
  if (times_.empty()) throw InvalidInput("got no stage times, expected some");
}

Domain StageSpace::domain() {
  Domain domain;
  domain.dimensions = {Categories{.count = 2},
                       Categories{.count = 3},
                       Categories{.count = 4},
                       FloatRange{.low = 0.9, .high = 1},
                       Categories{.count = 3},
                       Categories{.count = 4},
                       FloatRange{.low = 1e-4, .high = 1, .log = true}};
  return domain;
}

std::vector<StageWork> StageSpace::stages_of(std::int64_t number, const Coordinates& point) const {
  std::vector<StageWork> work;
  Key chain;
  for (const Stage& stage : stages()) {
    if (std::ranges::any_of(stage.runs_with, [&](Dimension one) { return point[one] == 0; }))
      continue;
    const auto times = times_.find(stage.name);
    if (times == times_.end()) continue;
    KeyBuilder builder;
    builder.add(chain).add(stage.name);
    for (const Dimension one : stage.reads) builder.add(point[one]);
    if (stage.is_measured) builder.add(number);
    chain = builder.finish();
    RandomStream random(chain.low);
    const std::vector<double>& runs = times->second;
    work.push_back({.key = chain.low, .seconds = factor_ * runs[random.below(runs.size())]});
  }
  return work;
}

double StageSpace::value_of(const Coordinates& point) const {
  constexpr std::array<double, 2> kEqualize = {1, 0};
  constexpr std::array<double, 3> kSmooth = {0.2, 0, 0.1};
  constexpr std::array<double, 4> kMethod = {0.4, 0.1, 0, 0.3};
  constexpr std::array<double, 3> kType = {0.3, 0, 0.5};
  constexpr std::array<double, 4> kSolver = {0.6, 0.2, 0.1, 0};
  const auto of = [&](const auto& table, Dimension one) {
    return table[static_cast<std::size_t>(point[one])];
  };
  const double clipped = (point[share] - 0.97) / 0.03;
  const double steps = std::log10(point[rate]) + 2;
  return of(kEqualize, equalize) + of(kSmooth, smooth) + of(kMethod, method) + of(kType, type) +
         of(kSolver, solver) + 0.2 * clipped * clipped + 0.3 * steps * steps;
}

}  // namespace quantsearch
