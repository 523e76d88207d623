// quantsearch space: shows the size of a search.

#include <fmt/core.h>

#include <cstdio>

#include "common.h"
#include "help.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/internal/report/point_text.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

struct SpaceArguments {
  CommonOptions common;
  std::string model;
  std::string config;
  FixedInputs fixed;
  std::string target;
  bool list = false;
};

constexpr std::int64_t kEverything = std::int64_t{1} << 62;

Value to_value(const SpacePlan& plan, const AutoSearchConfig& config, bool list) {
  Value filtered(Value::Map{});
  for (const auto& [reason, count] : plan.summary.filtered) filtered.set(reason, count);
  Value value = Value::Map{{"raw", plan.summary.raw},
                           {"distinct", plan.summary.distinct},
                           {"complete", plan.summary.complete},
                           {"filtered", filtered}};
  const char* const unit = config.strategy.expected_seconds ? "expected_seconds" : "expected_cost";
  value.set(unit, plan.expected_seconds);
  Value::List stages;
  for (const PlannedStage& stage : plan.stages) {
    stages.push_back(Value::Map{{"name", stage.name},
                                {"trials", stage.trials},
                                {"complete", stage.complete},
                                {unit, stage.expected_seconds}});
  }
  value.set("stages", stages);
  value.set("warnings", Value::List(plan.warnings.begin(), plan.warnings.end()));
  Value::List points;
  for (const Point& point : plan.first) points.push_back(Value::Map(point.begin(), point.end()));
  if (list) value.set("points", points);
  return value;
}

std::string cost_text(double expected, const AutoSearchConfig& config) {
  if (config.strategy.expected_seconds)
    return fmt::format("about {:.0f} s at {} s a configuration", expected,
                       *config.strategy.expected_seconds);
  return fmt::format(
      "about {:.1f} times the cost of one trial with uint8 activations (expected_time_per_config "
      "turns this into seconds)",
      expected);
}

/// The points in the order of the grid, with what they have in common once above them.
void print_points(const std::vector<Point>& points) {
  std::vector<const Point*> all;
  all.reserve(points.size());
  for (const Point& point : points) all.push_back(&point);
  const PointText names = PointText::of(all);
  if (!names.common().empty()) print_wrapped("every configuration: " + names.common());
  for (const std::string& letter : names.letters()) print_wrapped(letter);
  if (names.has_switches()) fmt::print("a switch that is not named is off\n");
  for (std::size_t at = 0; at < points.size(); ++at)
    print_wrapped(fmt::format("{:>4}  {}", at + 1, names.text(points[at])), 6);
}

void print_text(const SpacePlan& plan, const AutoSearchConfig& config) {
  print_wrapped(fmt::format("{} points, {}{} distinct configurations", plan.summary.raw,
                            plan.summary.complete ? "" : "at least ", plan.summary.distinct));
  for (const auto& [reason, count] : plan.summary.filtered)
    print_wrapped(fmt::format("  {} left out: {}", count, reason), 4);
  if (plan.stages.size() > 1) {
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
      const PlannedStage& stage = plan.stages[i];
      print_wrapped(
          fmt::format("stage {}: {}: {}{} trials, {:.1f} {}", i + 1, stage.name,
                      stage.complete ? "" : "at least ", stage.trials, stage.expected_seconds,
                      config.strategy.expected_seconds ? "s" : "times the cost of one trial"));
    }
  }
  print_wrapped(cost_text(plan.expected_seconds, config));
  print_points(plan.first);
}

int run_space(const SpaceArguments& arguments) {
  std::vector<CommandLineValue> over;
  if (!arguments.target.empty())
    over.push_back({.key = "target", .value = arguments.target, .flag = "--target"});
  const AutoSearchConfig config = search_config(arguments.config, arguments.fixed, std::move(over));
  const Model model = load_model(arguments.model);
  const SpacePlan plan = plan_space(config, model, arguments.list ? kEverything : 0);
  if (!arguments.common.quiet) {
    for (const std::string& warning : plan.warnings) print_message("warning: " + warning);
  }
  if (arguments.common.json) {
    fmt::print("{}\n", to_json(to_value(plan, config, arguments.list), 1));
  } else {
    print_text(plan, config);
  }
  return kDone;
}

}  // namespace

void add_space_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<SpaceArguments>();
  CLI::App* command = app.add_subcommand("space", "Show the size of a search space");
  add_model_option(*command, arguments->model);
  command->add_option("--config", arguments->config, "Configuration file (docs/configuration.md)")
      ->option_text("FILE")
      ->default_str("the default space")
      ->group(kQuantizationGroup);
  add_fix_option(*command, arguments->fixed);
  add_target_option(*command, arguments->target);
  command
      ->add_flag("--list", arguments->list, "Print every configuration, in the order of the grid")
      ->group(kOutputGroup);
  add_common_options(*command, arguments->common, {.computes = false, .warns = true});
  command->callback([arguments, &run] { run = [arguments] { return run_space(*arguments); }; });
}

}  // namespace quantsearch::cli
