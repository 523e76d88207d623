// The command `sensitivity` as a user calls it, on the shipped model with its real images.

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::run_quantsearch;
using testing::RunResult;

const std::string kModel = std::string(QUANTSEARCH_SOURCE_DIR) + "/tests/data/resnet8.onnx";
const std::string kCalibration =
    std::string(QUANTSEARCH_SOURCE_DIR) + "/examples/fashion_mnist/calibration_100.npz";

RunResult sensitivity(const TemporaryFolder& folder, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"sensitivity", kModel, "--calibration", kCalibration,
                                        "--limit",     "8",    "--samples",     "4"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_quantsearch(arguments, folder.path());
}

Value json_of(const RunResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.error;
  return parse_json(result.out, "sensitivity");
}

TEST(SensitivityCommand, RanksAllLayersAndAddsThemUp) {
  const TemporaryFolder folder;
  const Value report = json_of(sensitivity(folder, {"--json"}));
  EXPECT_EQ(report.find("samples")->as_int(), 4);
  EXPECT_GT(report.find("quantized_rel_l2")->as_double(), 0);
  EXPECT_LT(report.find("share_run")->as_double(), 1);
  const Value::List& layers = report.find("layers")->as_list();
  ASSERT_GT(layers.size(), 5U);
  double sum = 0;
  for (std::size_t at = 0; at < layers.size(); ++at) {
    const double added = layers[at].find("added_noise")->as_double();
    if (at > 0) {
      EXPECT_LE(added, layers[at - 1].find("added_noise")->as_double());
    }
    sum += added;
  }
  EXPECT_DOUBLE_EQ(report.find("total")->find("added_noise")->as_double(), sum);
}

TEST(SensitivityCommand, PrintsATableWithTheTotalAtItsEnd) {
  const TemporaryFolder folder;
  const RunResult result = sensitivity(folder, {"--top", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(result.out.find("4 samples; with all layers quantized the outputs have rel_l2 "), 0U);
  const std::size_t rest = result.out.find("  the other ");
  const std::size_t total = result.out.find("  all ");
  const std::size_t kinds = result.out.find("  kind\n");
  EXPECT_LT(rest, total);
  EXPECT_LT(total, kinds);
  EXPECT_LT(kinds, result.out.find("\nnodes_to_exclude: [\""));
  EXPECT_LT(kinds, result.out.find("\nnode_formats: {\""));
}

TEST(SensitivityCommand, TimesOperatorsUnlessToldNotTo) {
  const TemporaryFolder folder;
  EXPECT_NE(sensitivity(folder, {}).out.find("  ms saved  layer\n"), std::string::npos);
  EXPECT_EQ(sensitivity(folder, {"--no-latency"}).out.find("ms saved"), std::string::npos);
  const Value timed = json_of(sensitivity(folder, {"--json", "--latency-threads", "2"}));
  EXPECT_NE(timed.find("total")->find("ms_saved"), nullptr);
  const Value npu = json_of(sensitivity(folder, {"--json", "--preset", "XINT8"}));
  EXPECT_EQ(npu.find("total")->find("ms_saved"), nullptr);
}

TEST(SensitivityCommand, PrintsLinesThatQuantizeTakes) {
  const TemporaryFolder folder;
  const RunResult result = sensitivity(folder, {"--top", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  for (const std::string key : {"nodes_to_exclude: ", "node_formats: "}) {
    const std::size_t begin = result.out.find(key);
    std::size_t end = result.out.find('\n', begin);
    while (result.out.compare(end, 2, "\n ") == 0) end = result.out.find('\n', end + 1);
    const std::string line = result.out.substr(begin, end - begin);
    write_file_atomically(folder.path() / "config.yaml", "quantization_config:\n  " + line + "\n");
    const RunResult quantized =
        run_quantsearch({"quantize", kModel, "--calibration", kCalibration, "--limit", "8",
                         "--config", "config.yaml", "--output", "out.onnx", "--overwrite"},
                        folder.path());
    EXPECT_EQ(quantized.exit_code, 0) << line << quantized.error;
  }
}

TEST(SensitivityCommand, GivesTheSameForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  const RunResult one = sensitivity(folder, {"--threads", "1", "--no-latency"});
  EXPECT_EQ(one.exit_code, 0) << one.error;
  EXPECT_EQ(one.out, sensitivity(folder, {"--threads", "4", "--no-latency"}).out);
  // With little memory fewer inner tensors are kept, and more of the models is run.
  EXPECT_EQ(one.out, sensitivity(folder, {"--memory", "64K", "--no-latency"}).out);
}

TEST(SensitivityCommand, TakesAConfigurationOrAPreset) {
  const TemporaryFolder folder;
  const RunResult both = sensitivity(folder, {"--config", "a.yaml", "--preset", "U8S8_CPU"});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_EQ(both.error,
            "quantsearch: sensitivity: got both --config and --preset, expected one; a "
            "configuration file may name a preset itself\n");
  const Value wide = json_of(sensitivity(folder, {"--json", "--preset", "INT16_CNN_DEFAULT"}));
  const Value narrow = json_of(sensitivity(folder, {"--json"}));
  // With 16 bits of both, the noise is smaller by far whatever the weights are rounded to.
  EXPECT_LT(wide.find("quantized_rel_l2")->as_double(),
            narrow.find("quantized_rel_l2")->as_double() / 10);
}

TEST(SensitivityCommand, SaysThatNothingIsQuantized) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.yaml",
                        "quantization_config: {op_types_to_quantize: [ConvTranspose]}\n");
  const RunResult result = sensitivity(folder, {"--config", "config.yaml"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error.find("quantsearch: quantize: there is nothing to quantize in the model ("),
            0U)
      << result.error;
  EXPECT_EQ(result.out, "");
}

TEST(SensitivityCommand, StopsAtASignal) {
  const TemporaryFolder folder;
  const int process = testing::start_quantsearch(
      {"sensitivity", kModel, "--calibration", kCalibration, "--samples", "100", "--log", "log"},
      folder.path());
  // The log is opened after the command has begun to listen to signals.
  while (!std::filesystem::exists(folder.path() / "log")) std::this_thread::yield();
  kill(process, SIGINT);
  EXPECT_EQ(testing::wait_for(process), 130);
}

TEST(SensitivityCommand, ExplainsItsColumns) {
  const TemporaryFolder folder;
  const RunResult result = run_quantsearch({"sensitivity", "--help"}, folder.path());
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.out.find("rel_l2 of the outputs when this layer alone is quantized"),
            std::string::npos);
}

}  // namespace
}  // namespace quantsearch
