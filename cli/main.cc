#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "about_options.h"
#include "common.h"
#include "help.h"

namespace {

/// True when the result should be JSON, even if the arguments cannot be parsed. The output of a
/// worker process is not read as JSON.
bool wants_json(const std::vector<std::string>& arguments) {
  const auto is_worker = [](const std::string& word) { return word.starts_with("--trial-worker"); };
  return std::ranges::find(arguments, "--json") != arguments.end() &&
         std::ranges::none_of(arguments, is_worker);
}

}  // namespace

// Only a defect or a lack of memory throws before the arguments are parsed.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  namespace cli = quantsearch::cli;
  CLI::App app{
      "quantsearch finds the best way to quantize a float ONNX model.\n\n"
      "  quantsearch inspect model.onnx\n"
      "  quantsearch search model.onnx --calibration data.npz --output result\n"
      "  quantsearch report result"};
  app.formatter(cli::help_formatter());
  app.set_help_flag("-h,--help", "Print this page")->group(cli::kProgramGroup);
  app.name("quantsearch");
  cli::add_about_options(app);
  app.require_subcommand(1);
  app.fallthrough(false);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  cli::Run run;
  cli::add_search_command(app, run, arguments);
  cli::add_quantize_command(app, run);
  cli::add_evaluate_command(app, run);
  cli::add_inspect_command(app, run);
  cli::add_sensitivity_command(app, run);
  cli::add_space_command(app, run);
  cli::add_report_command(app, run);
  cli::add_presets_command(app, run);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    command->get_help_ptr()->group(cli::kMessageGroup);
  app.footer("quantsearch COMMAND --help shows the options of a command.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (app.exit(error) == 0) return cli::kDone;
    if (wants_json(arguments)) cli::print_failure(error.what(), "usage", cli::kBadInput);
    return cli::kBadInput;
  }
  cli::warn_of_unused(app);
  const auto run_chosen = [&run] {
    cli::choose_runtime();
    return run();
  };
  return cli::run_command(run_chosen, wants_json(arguments));
}
