// quantsearch space: shows the size of a search.

#include <fmt/core.h>

#include <cstdio>

#include "common.h"
#include "quantsearch/autosearch.h"

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

void print_text(const SpacePlan& plan, const AutoSearchConfig& config) {
  fmt::print("{} points, {}{} distinct configurations\n", plan.summary.raw,
             plan.summary.complete ? "" : "at least ", plan.summary.distinct);
  for (const auto& [reason, count] : plan.summary.filtered)
    fmt::print("  {} left out: {}\n", count, reason);
  if (plan.stages.size() > 1) {
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
      const PlannedStage& stage = plan.stages[i];
      fmt::print("stage {}: {}: {}{} trials, {:.1f} {}\n", i + 1, stage.name,
                 stage.complete ? "" : "at least ", stage.trials, stage.expected_seconds,
                 config.strategy.expected_seconds ? "s" : "times the cost of one trial");
    }
  }
  fmt::print("{}\n", cost_text(plan.expected_seconds, config));
  for (const Point& point : plan.first) fmt::print("{}\n", to_string(point));
}

int run_space(const SpaceArguments& arguments) {
  std::vector<CommandLineValue> over;
  if (!arguments.target.empty())
    over.push_back({.key = "target", .value = arguments.target, .flag = "--target"});
  const AutoSearchConfig config = search_config(arguments.config, arguments.fixed, std::move(over));
  const Model model = load_model(arguments.model);
  const SpacePlan plan = plan_space(config, model, arguments.list ? kEverything : 0);
  for (const std::string& warning : plan.warnings) fmt::print(stderr, "warning: {}\n", warning);
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
  command->add_option("MODEL", arguments->model, "Float model (.onnx)")->required();
  command->add_option("--config", arguments->config, "Configuration file (the default space)");
  add_fix_option(*command, arguments->fixed);
  add_target_option(*command, arguments->target);
  command->add_flag("--list", arguments->list,
                    "Print every configuration, in the order of the grid");
  add_common_options(*command, arguments->common);
  command->callback([arguments, &run] { run = [arguments] { return run_space(*arguments); }; });
}

}  // namespace quantsearch::cli
