// quantsearch sensitivity: ranks the layers of a model by the noise that their quantization adds to
// the outputs.

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "build_inputs.h"
#include "help.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/sensitivity_table.h"
#include "sensitivity_text.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

struct SensitivityArguments {
  CommonOptions common;
  std::string model;
  DataOptionsText calibration;
  ConfigurationText configuration;
  FixedInputs fixed;
  std::int64_t samples = SensitivityOptions{}.samples;
  std::size_t top = 20;
  bool is_timed = true;
  int latency_threads = 1;
};

/// Times the model that the report is about.
void add_times_of(SensitivityReport& report, QuantizationConfig config, Pipeline& pipeline,
                  const Batch& sample, const KernelCostOptions& options) {
  config.precision.reset();
  const Explanation made = pipeline.explain(std::move(config), options.token);
  add_times(report, made.float_model->graph,
            kernel_costs(*made.float_model, *made.quantized, sample, options));
}

int run_sensitivity(const SensitivityArguments& arguments) {
  const Configuration request =
      configuration_of(arguments.configuration, arguments.fixed, "sensitivity");
  const auto& [config, model, calibration] =
      read_inputs(request, arguments.model, arguments.calibration, arguments.common.threads);
  Context context(arguments.common, {});
  warn_about(calibration.remarks, context.log());
  Pipeline pipeline(model, calibration.source, context.pool(), context.budget(),
                    {.log = context.log()});
  const Stopwatch watch;
  SensitivityReport report =
      pipeline.sensitivity(config, {.samples = arguments.samples}, context.token());
  if (arguments.is_timed && is_timed_here(config)) {
    add_times_of(report, config, pipeline, calibration.source->read(0, 1),
                 {.threads = arguments.latency_threads, .token = context.token()});
  }
  say(context.log(), LogLevel::info,
      fmt::format(
          "sensitivity: {} models run in {:.1f} s; {:.0f} % of their nodes, the others came "
          "from {} bytes of kept tensors",
          report.models, watch.seconds(), 100 * report.share_run, report.kept_bytes));
  if (arguments.common.json) {
    fmt::print("{}\n", to_json(sensitivity_value(report, arguments.top), 1));
  } else {
    fmt::print("{}", sensitivity_text(report, arguments.top, columns_at(STDOUT_FILENO)));
  }
  return kDone;
}

}  // namespace

void add_sensitivity_command(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<SensitivityArguments>();
  CLI::App* command =
      app.add_subcommand("sensitivity", "Rank the layers by the noise that quantizing them adds");
  command->footer(
      "added noise: rel_l2 of the outputs when this layer alone is quantized\n"
      "removed noise: rel_l2 that vanishes when this layer alone stays float\n"
      "bytes saved: float weights minus integer weights\n"
      "ms saved: time of its operators in float minus that on integers, on this machine, without "
      "conversions between the two\n\n"
      "The last lines can be pasted into quantization_config: the fewest layers that add half of "
      "the noise.\nA layer with much noise and few bytes is the one to leave float, or to give 16 "
      "bits; mixed precision (include_auto_mp) chooses them by a limit on the outputs.");
  add_model_and_calibration(*command, arguments->model, arguments->calibration);
  add_fix_option(*command, arguments->fixed);
  add_configuration_options(*command, arguments->configuration);
  command
      ->add_option("--samples", arguments->samples,
                   "Measure layers on the first N calibration samples, while all of them choose "
                   "the ranges")
      ->check(CLI::PositiveNumber)
      ->option_text("N")
      ->default_str("16")
      ->group(kOutputGroup);
  command
      ->add_option("--top", arguments->top,
                   "Show the N worst layers, and name no more of them in the last lines")
      ->check(CLI::PositiveNumber)
      ->option_text("N")
      ->default_str("20")
      ->group(kOutputGroup);
  command
      ->add_flag_callback(
          "--no-latency", [arguments] { arguments->is_timed = false; }, "Do not time operators")
      ->group(kRunGroup);
  command->add_option("--latency-threads", arguments->latency_threads, "Threads of a timed run")
      ->check(CLI::PositiveNumber)
      ->option_text("N")
      ->default_str("1")
      ->group(kRunGroup);
  add_common_options(*command, arguments->common);
  command->callback(
      [arguments, &run] { run = [arguments] { return run_sensitivity(*arguments); }; });
}

}  // namespace quantsearch::cli
