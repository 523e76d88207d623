// A classifier and a folder of images, through all commands.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::run_quantsearch;
using testing::RunResult;

Model image_classifier() {
  ModelBuilder builder;
  builder.input("image", {-1, 3, 32, 32});
  builder.random_weight("kernel", {4, 3, 3, 3}, 0.3F, 1);
  builder.random_weight("matrix", {4, 2}, 0.5F, 2);
  const std::string feature = builder.node("Relu", {builder.node("Conv", {"image", "kernel"})});
  const std::string pooled = builder.node("GlobalAveragePool", {feature});
  const std::string flat = builder.node("Flatten", {pooled});
  builder.output(builder.node("MatMul", {flat, "matrix"}), {-1, 2});
  return builder.build();
}

class ImagesOf : public ::testing::Test {
 protected:
  ImagesOf() {
    testing::write_model(folder_.path() / "model.onnx", image_classifier());
    add("cat.jpg", "cat/1.jpg");
    add("cat.webp", "cat/2.webp");
    add("turned_6.jpg", "cat/3.jpg");
    add("woman.png", "woman/1.png");
    add("full_chroma.jpg", "woman/2.jpg");
    add("progressive.jpg", "woman/3.jpg");
  }
  void add(const std::string& source, const std::string& name) const {
    const std::filesystem::path file = folder_.path() / "photos" / name;
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::copy_file(testing::kSource / "tests/media/files" / source, file);
  }
  RunResult run(const std::vector<std::string>& arguments) const {
    return run_quantsearch(arguments, folder_.path());
  }
  TemporaryFolder folder_;
};

TEST_F(ImagesOf, ASearchJudgesByTheSubFoldersAndItsConfigurationMakesTheModelAgain) {
  const RunResult search = run({"search", "model.onnx", "--calibration", "photos", "--preprocess",
                                "{preset: imagenet, crop_share: 1}", "--iteration-limit", "2",
                                "--no-latency", "--json"});
  ASSERT_TRUE(search.exit_code == 0 || search.exit_code == 3) << search.error;
  const Value results = parse_json(search.out, "search");
  EXPECT_NE(results.find("float")->find("scores")->find("top1"), nullptr);
  const std::filesystem::path output = folder_.path() / "quantsearch_output";
  const Value config = load_config_file(output / "best_config.yaml");
  EXPECT_EQ(config.find("preprocess")->find("crop_share")->as_double(), 1);
  const RunResult again = run({"quantize", "model.onnx", "--calibration", "photos", "--config",
                               "quantsearch_output/best_config.yaml", "--output", "again.onnx"});
  ASSERT_EQ(again.exit_code, 0) << again.error;
  EXPECT_EQ(read_file(folder_.path() / "again.onnx"), read_file(output / "best.onnx"));
}

TEST_F(ImagesOf, EvaluateAndSensitivityTakeTheSameFolder) {
  const RunResult made = run({"quantize", "model.onnx", "--calibration", "photos", "--preprocess",
                              "imagenet", "--output", "out.onnx"});
  ASSERT_EQ(made.exit_code, 0) << made.error;
  const RunResult scored = run({"evaluate", "model.onnx", "out.onnx", "--data", "photos",
                                "--preprocess", "imagenet", "--json"});
  ASSERT_EQ(scored.exit_code, 0) << scored.error;
  EXPECT_EQ(parse_json(scored.out, "evaluate").find("samples")->as_int(), 6);
  const RunResult ranked =
      run({"sensitivity", "model.onnx", "--calibration", "photos", "--preprocess", "imagenet"});
  EXPECT_EQ(ranked.exit_code, 0) << ranked.error;
}

/// Eight boxes of a centre, a size and a class, somewhere in the image.
Model image_detector() {
  ModelBuilder builder;
  builder.input("image", {-1, 3, 32, 32});
  builder.random_weight("matrix", {3, 40}, 0.5F, 3);
  builder.constant("shape", Tensor::of<std::int64_t>({3}, {0, 5, 8}));
  const std::string flat = builder.node("Flatten", {builder.node("GlobalAveragePool", {"image"})});
  const std::string values = builder.node("Sigmoid", {builder.node("MatMul", {flat, "matrix"})});
  builder.output(builder.node("Reshape", {values, "shape"}), {-1, 5, 8});
  return builder.build();
}

TEST_F(ImagesOf, BoxesAreTakenBackAsThePreprocessSays) {
  testing::write_model(folder_.path() / "detector.onnx", image_detector());
  std::string images;
  for (const char* const name :
       {"cat/1.jpg", "cat/2.webp", "cat/3.jpg", "woman/1.png", "woman/2.jpg", "woman/3.jpg"}) {
    images += std::string(images.empty() ? "" : ", ") +
              "{\"id\": " + std::to_string(images.size()) + ", \"file_name\": \"" + name + "\"}";
  }
  write_file_atomically(folder_.path() / "truth.json",
                        "{\"images\": [" + images + R"(], "categories": [{"id": 0}],
      "annotations": [{"image_id": 0, "category_id": 0, "bbox": [1, 1, 4, 4]}]})");
  const auto evaluated = [&](const std::string& more) {
    return run({"evaluate", "detector.onnx", "detector.onnx", "--data", "photos", "--preprocess",
                "yolo", "--evaluator",
                "{task: detection, decoder: yolov8, annotations: truth.json" + more + "}"});
  };
  EXPECT_EQ(evaluated("").exit_code, 0) << evaluated("").error;
  EXPECT_EQ(evaluated(", resize: letterbox").exit_code, 0);
  const RunResult contradicted = evaluated(", resize: stretch");
  EXPECT_EQ(contradicted.exit_code, 2);
  EXPECT_TRUE(contradicted.error.ends_with(
      "\nquantsearch: evaluator detection: 'resize': got 'stretch', and the preprocess of the data "
      "has 'resize: letterbox, place: center', which puts 'cat/1.jpg' of 150 x 100 pixels "
      "elsewhere; leave 'resize' out, the preprocess says it\n"))
      << contradicted.error;
}

TEST_F(ImagesOf, RemarksOnFilesAreWarnings) {
  for (int i = 0; i < 5; ++i) add("cat.png", "woman/more" + std::to_string(i) + ".png");
  write_file_atomically(folder_.path() / "photos/cat/broken.jpg", "GIF89a");
  const RunResult made = run({"quantize", "model.onnx", "--calibration", "photos", "--preprocess",
                              "imagenet", "--output", "out.onnx"});
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_EQ(made.error,
            "warning: data: left out 1 of 12 files in 'photos', which cannot be decoded: "
            "'cat/broken.jpg' (it is no JPEG, PNG or WebP file)\n");
}

TEST_F(ImagesOf, BadPreprocessIsOneSentenceAndExitsWith2) {
  const auto fault = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"quantize", "model.onnx", "--calibration",
                                          "photos",   "--output",   "out.onnx"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const RunResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2);
    return result.error;
  };
  EXPECT_EQ(fault({}),
            "quantsearch: data: folder 'photos' holds images, which the model takes as they were "
            "scaled in its training; give that as preprocess: imagenet, clip, yolo, paddleocr, "
            "paddleocr_det or a mapping (docs/data.md)\n");
  EXPECT_EQ(fault({"--preprocess", "imagent"}),
            "quantsearch: --preprocess: unknown preset 'imagent'; nearest known: 'imagenet'; or "
            "give a mapping of keys (docs/data.md)\n");
  EXPECT_EQ(fault({"--preprocess", "{preset: imagenet, colors: gray, mean: 0.5, std: 0.5}"}),
            "quantsearch: preprocess: the model's input 'image' float32 [?, 3, 32, 32] takes 3 "
            "channels and 'colors: gray' gives 1; set 'colors: RGB'\n");
  write_file_atomically(folder_.path() / "config.yaml", "preprocess: {preset: yolo, pad: 3}\n");
  EXPECT_EQ(
      fault({"--config", "config.yaml"}),
      "quantsearch: configuration: 'preprocess': unknown key 'pad'; nearest known: 'pad_value', "
      "'std'\n");
}

}  // namespace
}  // namespace quantsearch
