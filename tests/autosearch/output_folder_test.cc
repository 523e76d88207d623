#include "autosearch/output_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "support/messages.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using Existing = OutputFolder::Existing;

Model tiny_model() {
  testing::ModelBuilder builder;
  builder.output(builder.node("Relu", {builder.input("x", {1, 4})}), {1, 4});
  return builder.build();
}

TEST(OutputFolder, IsCreatedWithItsParents) {
  const TemporaryFolder temporary;
  const OutputFolder output(temporary.path() / "a" / "b", Existing::refuse);
  EXPECT_TRUE(fs::is_directory(temporary.path() / "a" / "b"));
  EXPECT_TRUE(fs::is_empty(temporary.path() / "a" / "b"));
}

TEST(OutputFolder, RefusesToMixWithAnEarlierSearch) {
  const TemporaryFolder temporary;
  OutputFolder(temporary.path(), Existing::refuse).write_results(Value::Map{{"schema", 1}});
  try {
    const OutputFolder again(temporary.path(), Existing::refuse);
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_EQ(std::string(error.what()),
              "search: output folder '" + temporary.path().string() +
                  "' already holds a search; add --resume to continue it, --overwrite to replace "
                  "it, or choose another folder");
  }
  EXPECT_NO_THROW(OutputFolder(temporary.path(), Existing::resume));
  EXPECT_TRUE(fs::exists(temporary.path() / "results.json"));
}

TEST(OutputFolder, ResultsEndWhatIsSaidOfARunningSearch) {
  const TemporaryFolder temporary;
  const OutputFolder output(temporary.path(), Existing::refuse);
  output.write_running(Value::Map{{"schema", 1}});
  EXPECT_TRUE(fs::exists(temporary.path() / "running.json"));
  output.write_results(Value::Map{{"schema", 1}});
  EXPECT_FALSE(fs::exists(temporary.path() / "running.json"));
}

TEST(OutputFolder, OverwritingRemovesOnlyTheFilesOfASearch) {
  const TemporaryFolder temporary;
  const OutputFolder output(temporary.path(), Existing::refuse);
  output.write_best(tiny_model(), Value::Map{{"quantization_config", Value::Map{}}});
  output.write_candidate(3, tiny_model());
  std::ofstream(temporary.path() / "notes.txt") << "mine";
  std::ofstream(temporary.path() / "candidates" / "mine.onnx") << "mine";
  const OutputFolder again(temporary.path(), Existing::overwrite);
  EXPECT_FALSE(fs::exists(temporary.path() / "best.onnx"));
  EXPECT_FALSE(fs::exists(temporary.path() / "best_config.yaml"));
  EXPECT_FALSE(fs::exists(temporary.path() / "candidates" / "0003.onnx"));
  EXPECT_TRUE(fs::exists(temporary.path() / "notes.txt"));
  EXPECT_TRUE(fs::exists(temporary.path() / "candidates" / "mine.onnx"));
}

TEST(OutputFolder, KeepsOnlyTheCandidatesNamed) {
  const TemporaryFolder temporary;
  const OutputFolder output(temporary.path(), Existing::refuse);
  for (const std::int64_t number : {1, 2, 12}) output.write_candidate(number, tiny_model());
  output.keep_candidates({12});
  EXPECT_FALSE(fs::exists(temporary.path() / "candidates" / "0001.onnx"));
  EXPECT_FALSE(fs::exists(temporary.path() / "candidates" / "0002.onnx"));
  EXPECT_TRUE(fs::exists(temporary.path() / "candidates" / "0012.onnx"));
}

TEST(OutputFolder, TheBestModelAndConfigurationReadBack) {
  const TemporaryFolder temporary;
  const OutputFolder output(temporary.path(), Existing::refuse);
  const Settings settings = {{"activation_type", "QInt16"}, {"extra_options.Percentile", 99.99}};
  output.write_best(tiny_model(), Value::Map{{"quantization_config", to_value(settings)}});
  EXPECT_EQ(load_model(temporary.path() / "best.onnx").graph.nodes.size(), 1U);
  const Value file = load_config_file(temporary.path() / "best_config.yaml");
  EXPECT_EQ(settings_from(*file.find("quantization_config")), settings);
}

TEST(OutputFolder, AFileOfTheSameNameIsAnError) {
  const TemporaryFolder temporary;
  std::ofstream(temporary.path() / "file") << "x";
  EXPECT_THROW(OutputFolder(temporary.path() / "file", Existing::refuse), IoError);
}

TEST(OutputFolder, SaysThatItsFolderOfCandidatesCannotBeMade) {
  const TemporaryFolder temporary;
  const OutputFolder output(temporary.path(), Existing::refuse);
  const fs::path candidates = temporary.path() / "candidates";
  std::ofstream(candidates) << "x";
  EXPECT_EQ(message_of<IoError>([&] { (void)output.write_candidate(0, tiny_model()); }),
            "search: folder of candidates '" + candidates.string() +
                "' cannot be made: a file of that name exists; choose another with --output");
}

}  // namespace
}  // namespace quantsearch
