#include <CLI/CLI.hpp>

#include <cstdio>
#include <string>

#include "common.h"
#include "quantsearch/runtime.h"
#include "quantsearch/version.h"

int main(int argc, char** argv) {
  namespace cli = quantsearch::cli;
  CLI::App app{
      "quantsearch finds the best way to quantize a float ONNX model.\n\n"
      "  quantsearch search model.onnx --calibration data.npz     search, and keep the best models\n"
      "  quantsearch quantize model.onnx --calibration data.npz --output int8.onnx"};
  app.name("quantsearch");
  app.set_version_flag("--version", [] {
    return "quantsearch " + std::string(quantsearch::kVersion) + " with " + quantsearch::runtime_version();
  });
  app.require_subcommand(1);
  app.fallthrough(false);
  cli::Run run;
  cli::add_search_command(app, run, {argv + 1, argv + argc});
  cli::add_quantize_command(app, run);
  cli::add_evaluate_command(app, run);
  cli::add_inspect_command(app, run);
  cli::add_space_command(app, run);
  cli::add_report_command(app, run);
  cli::add_presets_command(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? cli::kDone : cli::kBadInput;
  }
  return cli::run_command(run);
}
