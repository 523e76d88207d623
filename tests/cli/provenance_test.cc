// What written files say about where they came from.

#include <gtest/gtest.h>

#include "cli/run_command.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/model.h"
#include "quantsearch/version.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

const std::string kSources = QUANTSEARCH_SOURCE_DIR;
const std::string kFloat = kSources + "/tests/data/resnet8.onnx";
const std::string kOther = kSources + "/tests/data/mobilenet_hard.onnx";
const std::string kImages = kSources + "/examples/fashion_mnist/calibration_100.npz";
const std::string kJudging = kSources + "/examples/fashion_mnist/evaluation_2000.npz";

RunResult search_with(const fs::path& folder, const std::string& limit,
                      const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"search",
                                        kFloat,
                                        "--calibration",
                                        kImages,
                                        "--limit",
                                        limit,
                                        "--evaluation",
                                        kJudging,
                                        "--output",
                                        "out",
                                        "--seed",
                                        "7",
                                        "--no-latency",
                                        "--evaluation-limit",
                                        "20",
                                        "--iteration-limit",
                                        "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_quantsearch(arguments, folder);
}

RunResult quantize_with(const fs::path& folder, const std::string& model,
                        const std::string& limit) {
  return run_quantsearch(
      {"quantize", model, "--calibration", kImages, "--limit", limit, "--config",
       "out/best_config.yaml", "--output", "again.onnx", "--overwrite", "--no-check"},
      folder);
}

void expect_provenance(const Value& provenance) {
  EXPECT_EQ(provenance.find("quantsearch")->as_string(), kVersion);
  EXPECT_TRUE(provenance.find("runtime")->as_string().starts_with("ONNX Runtime "));
  EXPECT_EQ(provenance.find("processor")->as_string(), to_string(this_processor()));
  const std::string& command = provenance.find("command_line")->as_string();
  EXPECT_TRUE(command.starts_with("quantsearch search " + kFloat + " --calibration")) << command;
  EXPECT_EQ(provenance.find("model")->find("file")->as_string(), kFloat);
  EXPECT_EQ(provenance.find("calibration")->find("file")->as_string(), kImages);
  EXPECT_EQ(provenance.find("calibration")->find("samples")->as_int(), 10);
  EXPECT_EQ(provenance.find("calibration")->find("available")->as_int(), 100);
  EXPECT_EQ(provenance.find("evaluation")->find("file")->as_string(), kJudging);
  EXPECT_EQ(provenance.find("evaluation")->find("samples")->as_int(), 20);
  EXPECT_EQ(provenance.find("evaluation")->find("available")->as_int(), 2000);
  EXPECT_EQ(provenance.find("seed")->as_int(), 7);
}

TEST(Provenance, ResultsAndTheBestConfigurationSayWhereTheyCameFrom) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_with(folder.path(), "10").exit_code, 0);
  const Value results = load_config_file(folder.path() / "out" / "results.json");
  const Value config = load_config_file(folder.path() / "out" / "best_config.yaml");
  expect_provenance(*results.find("provenance"));
  expect_provenance(*config.find("provenance"));

  // The fingerprints are those in the written model, and `inspect` shows that of the float model.
  const Model best = load_model(folder.path() / "out" / "best.onnx");
  const Value& provenance = *config.find("provenance");
  EXPECT_EQ(best.metadata.at("quantsearch.float_model"),
            provenance.find("model")->find("fingerprint")->as_string());
  EXPECT_EQ(best.metadata.at("quantsearch.calibration"),
            provenance.find("calibration")->find("fingerprint")->as_string());
  EXPECT_EQ(best.metadata.at("quantsearch.calibration_samples"), "10");
  EXPECT_EQ(best.metadata.at("quantsearch.version"), kVersion);
  const RunResult inspected = run_quantsearch({"inspect", kFloat, "--json"}, "/");
  EXPECT_EQ(parse_json(inspected.out, "inspect").find("fingerprint")->as_string(),
            best.metadata.at("quantsearch.float_model"));
}

TEST(Provenance, AModelNamesNeitherTheMachineNorTheCommand) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_with(folder.path(), "10").exit_code, 0);
  for (const auto& [key, text] : load_model(folder.path() / "out" / "best.onnx").metadata) {
    EXPECT_EQ(text.find('/'), std::string::npos) << key;
    EXPECT_EQ(text.find(this_processor().architecture), std::string::npos) << key;
    EXPECT_EQ(text.find("search"), std::string::npos) << key;
  }
}

TEST(Provenance, TheSameInputsGiveTheSameModelWithoutAWarning) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_with(folder.path(), "10").exit_code, 0);
  const RunResult again = quantize_with(folder.path(), kFloat, "10");
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.error, "");
  EXPECT_EQ(read_file(folder.path() / "again.onnx"),
            read_file(folder.path() / "out" / "best.onnx"));
}

TEST(Provenance, AHoldOutIsNotAnotherSetOfSamples) {
  const TemporaryFolder folder;
  const RunResult searched =
      run_quantsearch({"search", kFloat, "--calibration", kImages, "--limit", "20", "--holdout",
                       "0.5", "--output", "out", "--no-latency", "--iteration-limit", "2"},
                      folder.path());
  ASSERT_EQ(searched.exit_code, 0) << searched.error;
  EXPECT_EQ(quantize_with(folder.path(), kFloat, "20").error, "");
  EXPECT_EQ(read_file(folder.path() / "again.onnx"),
            read_file(folder.path() / "out" / "best.onnx"));
}

TEST(Provenance, QuantizeWarnsOfAnotherLimitOrModel) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_with(folder.path(), "10").exit_code, 0);
  EXPECT_EQ(quantize_with(folder.path(), kFloat, "12").error,
            "warning: quantize: 'out/best_config.yaml': the configuration was found with 10 of the "
            "100 samples of '" +
                kImages + "', and this model is calibrated with 12 of the 100 samples of '" +
                kImages + "'; it will not be the model that was found\n");
  const std::string of_model = quantize_with(folder.path(), kOther, "10").error;
  EXPECT_TRUE(of_model.starts_with(
      "warning: quantize: 'out/best_config.yaml': the configuration was found for '" + kFloat +
      "', and '" + kOther + "' is another model\n"))
      << of_model;
}

TEST(Provenance, AResumeWithOtherDataNamesFilesAndCounts) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_with(folder.path(), "10").exit_code, 0);
  const RunResult other = search_with(folder.path(), "12", {"--resume"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(
      other.error.find("belongs to another search: 'calibration' is 12 of the 100 samples of '" +
                       kImages + "', was 10 of the 100 samples of '" + kImages + "'; "),
      std::string::npos)
      << other.error;
  const Model best = load_model(folder.path() / "out" / "best.onnx");
  EXPECT_EQ(other.error.find(best.metadata.at("quantsearch.calibration")), std::string::npos)
      << other.error;
}

}  // namespace
}  // namespace quantsearch
