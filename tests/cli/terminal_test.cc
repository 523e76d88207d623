// What the commands write on a terminal of a given width.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::run_quantsearch;
using testing::RunResult;

using Words = std::vector<std::string>;

const std::string kModels = std::string(QUANTSEARCH_SOURCE_DIR) + "/tests/data/";
const std::string kPhotos = std::string(QUANTSEARCH_SOURCE_DIR) + "/examples/fashion_mnist/";

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void expect_width(const std::string& text, std::size_t width) {
  EXPECT_FALSE(text.empty());
  for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), width) << line;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

/// The text with one blank in place of each break and of each run of blanks.
std::string unbroken(const std::string& text) {
  std::string joined;
  std::istringstream words(text);
  for (std::string word; words >> word;) joined += word + ' ';
  return joined;
}

RunResult short_search(const std::filesystem::path& folder, const Words& more) {
  Words arguments = {"search",
                     kModels + "resnet8.onnx",
                     "--calibration",
                     kPhotos + "calibration_100.npz",
                     "--limit",
                     "10",
                     "--evaluation",
                     kPhotos + "evaluation_2000.npz",
                     "--output",
                     "out",
                     "--config",
                     "config.yaml",
                     "--no-latency",
                     "--evaluation-limit",
                     "20"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_quantsearch(arguments, folder);
}

void write_small_space(const std::filesystem::path& folder) {
  write_file_atomically(
      folder / "config.yaml",
      "search_space: {calibrate_method: [MinMax, Percentile], weight_type: QInt8, "
      "per_channel: [true, false], nodes_to_exclude: [[/fc/Gemm]]}\n");
}

TEST(Terminal, EveryHelpPageFitsItsWidth) {
  for (const Words& page : std::vector<Words>{{"--help"},
                                              {"search", "--help"},
                                              {"quantize", "--help"},
                                              {"evaluate", "--help"},
                                              {"inspect", "--help"},
                                              {"sensitivity", "--help"},
                                              {"space", "--help"},
                                              {"report", "--help"},
                                              {"presets", "--help"}}) {
    const RunResult plain = run_quantsearch(page, "/");
    EXPECT_EQ(plain.exit_code, 0);
    EXPECT_NE(plain.out.find("\nUsage: quantsearch"), std::string::npos) << plain.out;
    EXPECT_NE(plain.out.find("-h, --help"), std::string::npos) << plain.out;
    expect_width(plain.out, 80);
    for (const std::size_t width : {60U, 120U})
      expect_width(run_quantsearch(page, "/", {.columns = std::to_string(width)}).out, width);
  }
}

TEST(Terminal, TheListOfPresetsFitsItsWidth) {
  const RunResult result = run_quantsearch({"presets"}, "/");
  expect_width(result.out, 80);
  EXPECT_NE(result.out.find("\nS16S16_MIXED_S8S8_ADAROUND  int16 symmetric, "), std::string::npos)
      << result.out;
}

TEST(Terminal, HelpShowsWhatTheCommandUsesWithItsDefaults) {
  const std::string search = unbroken(run_quantsearch({"search", "--help"}, "/").out);
  for (const char* part :
       {"Input: MODEL Float model (.onnx) (required) --calibration DATA", "--metric NAME What is",
        "(default: auto; with --config: L2)",
        "--time-limit SECONDS Stop after this many seconds; -1 is off (default: 600; with "
        "--config: off)",
        "--no-latency Do not time candidates beside the float model --",
        "--log FILE Log file, to which lines are added (default: auto_search.log)"}) {
    EXPECT_NE(search.find(part), std::string::npos) << part << '\n' << search;
  }
  const std::string inspect = run_quantsearch({"inspect", "--help"}, "/").out;
  EXPECT_NE(inspect.find("--config FILE"), std::string::npos) << inspect;
  for (const char* unused : {"--seed", "--jobs", "--threads", "--memory", "--log", "--verbose"})
    EXPECT_EQ(inspect.find(unused), std::string::npos) << unused;
}

TEST(Terminal, AnOptionWithoutEffectIsTakenWithAWarning) {
  Words arguments = {"inspect", kModels + "resnet8.onnx", "--threads", "1", "--seed", "3"};
  const RunResult result = run_quantsearch(arguments, "/");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.error,
            "warning: inspect does not use --threads\nwarning: inspect does not use --seed\n");
  arguments.emplace_back("--quiet");
  EXPECT_EQ(run_quantsearch(arguments, "/").error, "");
}

TEST(Terminal, ASearchSaysItsConstantsOnceAndFitsItsWidth) {
  const TemporaryFolder folder;
  write_small_space(folder.path());
  const RunResult result = short_search(folder.path(), {});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  expect_width(result.out, 80);
  const std::size_t end = result.out.find("\n\n");  // the summary after it is a text of its own
  const std::string trials = result.out.substr(0, end);
  EXPECT_TRUE(
      trials.starts_with("every trial: nodes_to_exclude=[\"/fc/Gemm\"] weight_type=QInt8\n"))
      << trials;
  EXPECT_EQ(count_of(trials, "weight_type"), 1U) << trials;
  EXPECT_EQ(count_of(trials, "nodes_to_exclude"), 1U) << trials;
  EXPECT_EQ(count_of(trials, "\ntrial "), 4U) << trials;
  EXPECT_EQ(count_of(trials, "CalibrationMethod."), 0U) << trials;
  EXPECT_EQ(count_of(result.out.substr(end), "weight_type"), 1U) << result.out;

  const RunResult report = run_quantsearch({"report", "out"}, folder.path());
  expect_width(report.out, 80);
  EXPECT_EQ(count_of(report.out, "weight_type"), 1U) << report.out;
  expect_width(run_quantsearch({"report", "out"}, folder.path(), {.columns = "50"}).out, 50);
  const RunResult space = run_quantsearch(
      {"space", kModels + "resnet8.onnx", "--config", "config.yaml", "--list"}, folder.path());
  expect_width(space.out, 80);
  EXPECT_EQ(count_of(space.out, "weight_type"), 1U) << space.out;
}

TEST(Terminal, TheLogSaysTheRemarksOfAPlanOnce) {
  for (const Words& more : std::vector<Words>{{}, {"--isolate", "--jobs", "2"}}) {
    const TemporaryFolder folder;
    write_small_space(folder.path());
    ASSERT_EQ(short_search(folder.path(), more).exit_code, 0);
    const std::string log = read_file(folder.path() / "auto_search.log");
    EXPECT_EQ(count_of(log, " detail plan: excluded by name: /fc/Gemm\n"), 1U) << log;
    EXPECT_EQ(count_of(log, "excluded by name"), 1U) << log;
    EXPECT_EQ(count_of(log, "every trial: "), 1U) << log;
    EXPECT_EQ(count_of(log, "weight_type"), 1U) << log;
  }
}

TEST(Terminal, InspectListsQuantizableOperatorsFirstAndGroupsReasons) {
  const RunResult result = run_quantsearch({"inspect", kModels + "tinyvit.onnx"}, "/");
  EXPECT_EQ(result.exit_code, 0) << result.error;
  expect_width(result.out, 80);
  std::vector<int> quantized;
  bool is_in_table = false;
  for (const std::string& line : lines_of(result.out)) {
    if (is_in_table && line.empty()) break;
    if (is_in_table) quantized.push_back(std::stoi(line.substr(24, 10)));
    is_in_table = is_in_table || line.starts_with("operator ");
  }
  ASSERT_GT(quantized.size(), 3U) << result.out;
  EXPECT_TRUE(std::ranges::is_sorted(quantized, std::greater<>())) << result.out;
  const std::string text = unbroken(result.out);
  // Once for all operators with this reason.
  EXPECT_EQ(count_of(text, "ONNX Runtime's CPU provider has no integer kernel for it"), 1U) << text;
}

TEST(Terminal, InspectCountsShapesAndIndicesTogether) {
  const Words inspect = {"inspect", kModels + "tinyvit.onnx"};
  const RunResult json = run_quantsearch({"inspect", kModels + "tinyvit.onnx", "--json"}, "/");
  const Value described = parse_json(json.out, "inspect");
  int shapes = 0;
  for (const Value& layer : described.find("layers")->as_list())
    shapes += layer.find("computes_integers")->as_bool() ? 1 : 0;
  ASSERT_GT(shapes, 0);
  const std::string text = run_quantsearch(inspect, "/").out;
  const std::string row = "\nshapes and indices               0";
  const std::size_t at = text.find(row);
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_EQ(std::stoi(text.substr(at + row.size(), 10)), shapes) << text;
  EXPECT_NE(unbroken(text).find("shapes and indices, which are integers already"),
            std::string::npos)
      << text;
}

TEST(Terminal, InspectJudgesByTheConfiguration) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.yaml",
                        "quantization_config: {nodes_to_exclude: [/fc/Gemm], op_types_to_quantize: "
                        "[Conv, Gemm]}\n");
  const RunResult result = run_quantsearch(
      {"inspect", kModels + "resnet8.onnx", "--config", "config.yaml"}, folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_NE(result.out.find("\n  Gemm 1: excluded by name\n      /fc/Gemm\n"), std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("\nConv                             9         0\n"), std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("\nRelu                             0         7\n"), std::string::npos)
      << result.out;
  const RunResult both = run_quantsearch(
      {"inspect", kModels + "resnet8.onnx", "--config", "config.yaml", "--preset", "XINT8"},
      folder.path());
  EXPECT_EQ(both.error,
            "quantsearch: inspect: got both --config and --preset, expected one; a configuration "
            "file may name a preset itself\n");
}

TEST(Terminal, QuantizeSensitivityAndEvaluateFitTheirWidth) {
  const TemporaryFolder folder;
  const std::string model = kModels + "mobilenet_hard.onnx";
  const Words data = {"--calibration", kPhotos + "calibration_100.npz", "--limit", "8"};
  Words quantize = {"quantize", model, "--output", "out.onnx"};
  quantize.insert(quantize.end(), data.begin(), data.end());
  expect_width(run_quantsearch(quantize, folder.path()).out, 80);
  Words sensitivity = {"sensitivity", model};
  sensitivity.insert(sensitivity.end(), data.begin(), data.end());
  expect_width(run_quantsearch(sensitivity, folder.path()).out, 80);
  expect_width(run_quantsearch({"evaluate", model, "out.onnx", "--data",
                                kPhotos + "evaluation_2000.npz", "--limit", "8", "--latency"},
                               folder.path())
                   .out,
               80);
}

}  // namespace
}  // namespace quantsearch
