// What a user gets for input that cannot be used: the whole message, exit code 2, and nothing
// written.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "data/numpy_files.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using testing::ModelBuilder;
using testing::npy;
using testing::patch_file;
using testing::run_quantsearch;
using testing::RunResult;
using testing::sample_values;
using testing::small_model;
using testing::write_arrays;
using testing::write_model;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct BadInput {
  std::string name;
  std::function<void()> spoil;  // in the folder that holds model.onnx and data.npz
  std::string message;
  std::vector<std::string> more = {};  // arguments
};

void PrintTo(const BadInput& input, std::ostream* stream) { *stream << input.name; }

void write_samples(std::vector<float> values) {
  write_arrays("data.npz", {{"x", Tensor::of<float>({6, 4}, values)}});
}

void write_samples_with(std::size_t place, float value) {
  std::vector<float> values = sample_values();
  values[place] = value;
  write_samples(values);
}

void write_config(const std::string& yaml) { write_file_atomically("config.yaml", yaml); }

void write_labels(std::int64_t count) {
  write_file_atomically("labels.npy",
                        npy(Tensor::of<std::int64_t>(
                            {count}, std::vector<std::int64_t>(static_cast<std::size_t>(count)))));
}

const std::vector<std::string> kWithConfig = {"--config", "config.yaml"};

/// The folder's content becomes the working directory of the process and back again.
class InFolder {
 public:
  explicit InFolder(const fs::path& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  ~InFolder() { fs::current_path(before_); }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  fs::path before_;
};

class BadInputOfSearch : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadInputOfSearch, IsRefusedByOneSentenceAndNothingIsWritten) {
  const TemporaryFolder folder;
  {
    const InFolder inside(folder.path());
    write_model("model.onnx", small_model());
    write_samples(sample_values());
    GetParam().spoil();
  }
  const auto before = content_of(folder.path());
  std::vector<std::string> arguments = {"search",   "model.onnx",   "--calibration",
                                        "data.npz", "--evaluation", "data.npz"};
  if (std::ranges::find(GetParam().more, "--output") == GetParam().more.end())
    arguments.insert(arguments.end(), {"--output", "out"});
  arguments.insert(arguments.end(), GetParam().more.begin(), GetParam().more.end());
  const RunResult result = run_quantsearch(arguments, folder.path());
  EXPECT_EQ(result.error, "quantsearch: " + GetParam().message + "\n");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(content_of(folder.path()), before);
}

std::string name_of(const ::testing::TestParamInfo<BadInput>& info) { return info.param.name; }

void truncate_model() {
  const std::string content = read_file("model.onnx");
  write_file_atomically("model.onnx", content.substr(0, content.size() / 2));
}

/// Small tensors stay in the model's file, so this one is not.
void write_external_model() {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.random_weight("w", {4, 300}, 1, 7);
  builder.output(builder.node("MatMul", {"x", "w"}, {}, "product"), {-1, 300});
  save_model(builder.build(), "model.onnx", {.external_data = ExternalData::always});
}

void write_cycle() {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.node("Add", {"x", "second_out"}, {}, "first");
  builder.output(builder.node("Relu", {"first_out"}, {}, "second"), {-1, 4});
  write_model("model.onnx", builder.build_unchecked());
}

void write_dangling_input() {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.output(builder.node("Add", {"x", "shift"}, {}, "sum"), {-1, 4});
  write_model("model.onnx", builder.build_unchecked());
}

void write_duplicate_name() {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.node("Relu", {"x"}, {}, "twice");
  builder.output(builder.node("Sigmoid", {"x"}, {}, "twice"), {-1, 4});
  write_model("model.onnx", builder.build_unchecked());
}

INSTANTIATE_TEST_SUITE_P(
    Model, BadInputOfSearch,
    ::testing::Values(
        BadInput{"Missing", [] { fs::remove("model.onnx"); },
                 "load: file 'model.onnx' does not exist, expected an .onnx model"},
        BadInput{"Folder",
                 [] {
                   fs::remove("model.onnx");
                   fs::create_directory("model.onnx");
                 },
                 "load: 'model.onnx' is a folder, expected a file"},
        BadInput{"Empty", [] { write_file_atomically("model.onnx", ""); },
                 "load: model 'model.onnx': it is empty, expected an ONNX model; copy or export it "
                 "again"},
        BadInput{"Truncated", truncate_model,
                 "load: model 'model.onnx': it is truncated after 143 bytes, expected the whole of "
                 "an ONNX model; copy or export it again"},
        BadInput{"NotOnnx",
                 [] { write_file_atomically("model.onnx", "{\"layers\": [1, 2, 3]}\n"); },
                 "load: model 'model.onnx': it is not an ONNX model (its 22 bytes do not parse); "
                 "export it as ONNX"},
        BadInput{"ExternalDataMissing",
                 [] {
                   write_external_model();
                   fs::remove("model.onnx.data");
                 },
                 "load: model 'model.onnx': initializer 'w': external file 'model.onnx.data' is "
                 "missing from the model's folder '.'; copy it there"},
        BadInput{"ExternalDataTooShort",
                 [] {
                   write_external_model();
                   fs::resize_file("model.onnx.data", 8);
                 },
                 "load: model 'model.onnx': initializer 'w': external file 'model.onnx.data' has 8 "
                 "bytes, expected 4800 bytes at offset 0; copy it again"},
        BadInput{"ExternalPathLeavesTheFolder",
                 [] {
                   write_external_model();
                   patch_file("model.onnx", "model.onnx.data", "../el.onnx.data");
                 },
                 "load: model 'model.onnx': initializer 'w': external file '../el.onnx.data' is "
                 "outside the model's folder '.', expected a file in it; export the model again "
                 "with its data beside it"},
        BadInput{"Cycle", write_cycle,
                 "load: model 'model.onnx': graph 'graph' has a cycle: Add 'first' -> Relu "
                 "'second' -> Add 'first', expected none; export the model again"},
        BadInput{"DanglingInput", write_dangling_input,
                 "load: model 'model.onnx': input 'shift' of Add 'sum' in graph 'graph' is made by "
                 "no node, input or initializer, expected one of them; export the model again"},
        BadInput{"DuplicateName", write_duplicate_name,
                 "load: model 'model.onnx': name 'twice_out' is defined twice in graph 'graph', "
                 "the second time by Sigmoid 'twice'; give one of the two another name"},
        BadInput{"WrongSizedInitializer",
                 [] {
                   patch_file("model.onnx", std::string("\x08\x04\x08\x03\x10\x01", 6),
                              std::string("\x08\x04\x08\x02\x10\x01", 6));
                 },
                 "load: model 'model.onnx': initializer 'w': got 48 bytes of raw_data, expected 32 "
                 "for float32 [4, 2]; fix its shape or export it again"},
        BadInput{"NanInAWeight",
                 [] {
                   write_model("model.onnx",
                               small_model({1, 2, kNan, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3}));
                 },
                 "check: the model holds weights that are not finite: weight 'w': 1 NaN; expected "
                 "finite numbers, correct them or export the model again"},
        BadInput{"InfinityInAWeight",
                 [] {
                   write_model("model.onnx",
                               small_model({1, 2, 3, 4, -kInfinity, 6, 7, 8, 9, kInfinity, 11, 12},
                                           {1, 2, 3}));
                 },
                 "check: the model holds weights that are not finite: weight 'w': 2 infinite; "
                 "expected finite numbers, correct them or export the model again"},
        BadInput{
            "NothingToQuantize",
            [] {
              ModelBuilder builder;
              builder.input("x", {-1, 4});
              const std::string softmax = builder.node("Softmax", {"x"}, {}, "shares");
              builder.output(builder.node("Erf", {softmax}, {}, "bend"), {-1, 4});
              write_model("model.onnx", builder.build_unchecked());
            },
            "quantize: there is nothing to quantize in the model (Erf (1): ONNX Runtime's CPU "
            "provider has no integer kernel for it; extra_op_types_to_quantize can add it; Softmax "
            "(1): ONNX Runtime's integer kernel for it is slower than float; "
            "extra_op_types_to_quantize can add it), expected at least one operator; change the "
            "exclusions or add operator types with extra_op_types_to_quantize"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Data, BadInputOfSearch,
    ::testing::Values(
        BadInput{"Missing", [] { fs::remove("data.npz"); },
                 "data: file 'data.npz' does not exist, expected an .npz or .npy file, or a folder "
                 "of test_data_set_*"},
        BadInput{"NotAnArray", [] { write_file_atomically("data.npz", "0.5, 0.25\n"); },
                 "data: 'data.npz' is neither an .npz nor an .npy file; write it with numpy.savez "
                 "or numpy.save"},
        BadInput{"MissingArray",
                 [] {
                   ModelBuilder builder;
                   builder.input("a", {-1, 2});
                   builder.input("b", {-1, 2});
                   builder.output(builder.node("MatMul", {"a", "b"}, {}, "product"), {-1, 2});
                   write_model("model.onnx", builder.build_unchecked());
                   write_arrays("data.npz", {{"a", Tensor::of<float>({1, 2}, {1, 2})}});
                 },
                 "data: 'data.npz' lacks an array 'b': it has 'a' float32 [1, 2], the model takes "
                 "'a' float32 [batch, 2], 'b' float32 [batch, 2]; save one array for each input "
                 "under its name"},
        BadInput{"WrongName",
                 [] {
                   const Tensor values = Tensor::of<float>({6, 4}, sample_values());
                   write_arrays("data.npz", {{"x", values}, {"mask", values}});
                 },
                 "data: 'data.npz' has an array 'mask' that is no input: it has 'mask' float32 [6, "
                 "4], 'x' float32 [6, 4], the model takes 'x' float32 [batch, 4]; save one array "
                 "for each input under its name"},
        BadInput{"WrongShape",
                 [] {
                   write_arrays("data.npz", {{"x", Tensor::of<float>({8, 3}, sample_values())}});
                 },
                 "data: array 'x' of 'data.npz' is float32 [8, 3], the model's input 'x' takes "
                 "float32 [batch, 4]; bring every sample to that shape as in the model's training"},
        BadInput{
            "WrongType",
            [] {
              write_arrays("data.npz", {{"x", Tensor::of<std::int32_t>({1, 4}, {1, 2, 3, 4})}});
            },
            "data: array 'x' of 'data.npz' is int32 [1, 4], the model's input 'x' takes float32 "
            "[batch, 4]; scale the values as in the model's training and save them as float32"},
        BadInput{"NoSamples",
                 [] {
                   write_arrays("data.npz", {{"x", Tensor(DataType::float32, {0, 4})}});
                 },
                 "data: array 'x' of 'data.npz' has no samples, expected at least one"},
        BadInput{"Nan", [] { write_samples_with(9, kNan); },
                 "data: array 'x' of 'data.npz' holds NaN in sample 2, expected finite numbers; "
                 "fix or remove the sample"},
        BadInput{"Infinity", [] { write_samples_with(9, kInfinity); },
                 "data: array 'x' of 'data.npz' holds an infinite value in sample 2, expected "
                 "finite numbers; fix or remove the sample"},
        BadInput{
            "LabelsOfTheWrongLength",
            [] { write_labels(5); },
            "labels: array 'labels' of 'labels.npy' has 5 labels, expected 6, one for each sample",
            {"--labels", "labels.npy"}},
        BadInput{"LabelsOfNeitherLength",
                 [] { write_labels(5); },
                 "labels: array 'labels' of 'labels.npy' has 5 labels, expected 6, one for each "
                 "sample, or 2, one for each sample within the limit",
                 {"--labels", "labels.npy", "--evaluation-limit", "2"}}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Configuration, BadInputOfSearch,
    ::testing::Values(
        BadInput{"Missing", [] {},
                 "configuration: file 'config.yaml' does not exist, expected a YAML or JSON file",
                 kWithConfig},
        BadInput{"NotYaml", [] { write_config("search_space: [unclosed"); },
                 "configuration 'config.yaml' is not valid YAML: line 1, column 1: end of sequence "
                 "flow not found",
                 kWithConfig},
        BadInput{"UnknownKey", [] { write_config("search_metrik: L2"); },
                 "configuration: unknown key 'search_metrik'; nearest known: 'search_metric'",
                 kWithConfig},
        BadInput{"UnknownOption", [] { write_config("search_space: {activation_typ: [QInt8]}"); },
                 "configuration: unknown key 'activation_typ'; nearest known: 'activation_type'",
                 kWithConfig},
        BadInput{"UnknownValue", [] { write_config("search_space: {activation_type: [QInt9]}"); },
                 "configuration: 'activation_type': unknown value 'QInt9'; nearest known: 'QInt8', "
                 "'QUInt8', 'QInt16'",
                 kWithConfig},
        BadInput{"UnknownMetric",
                 [] {},
                 "--metric: unknown metric 'L3'; nearest known: 'L1', 'L2', 'kl'",
                 {"--metric", "L3"}},
        BadInput{
            "EqualizationSteps",
            [] { write_config("search_space: {extra_options: {CLESteps: [1, 0]}}"); },
            "configuration: 'extra_options.CLESteps': got 0, expected an integer in [1, 10000], "
            "or -1 for as many as it takes",
            kWithConfig},
        BadInput{"SmoothAlpha",
                 [] { write_config("search_space: {extra_options: {SmoothAlpha: [0.5, 2]}}"); },
                 "configuration: 'extra_options.SmoothAlpha': got 2, expected a number in [0, 1] "
                 "or 'auto'",
                 kWithConfig},
        BadInput{"FineTuningElsewhere",
                 [] {
                   write_config(
                       "search_space: {extra_options: {FastFinetune: {OptimDevice: 'cuda:0'}}}");
                 },
                 "configuration: 'extra_options.FastFinetune.OptimDevice: \"cuda:0\"' is refused: "
                 "fine-tuning "
                 "runs on the CPU; leave it out or give \"cpu\"",
                 kWithConfig},
        BadInput{"MixedPrecisionWithoutALimit",
                 [] { write_config("search_space: {include_auto_mp: true}"); },
                 "search: none of the 1 points of the space is valid: include_auto_mp needs a "
                 "limit: L2Target, Top1AccTarget, Top1RareTarget, MetricThreshold, NumTarget, "
                 "MaxShare or MaxBytes of AutoMixprecision (1 points); widen the space or change "
                 "the base configuration",
                 kWithConfig},
        BadInput{"ContinuousGrid",
                 [] {
                   write_config(
                       "search_space: {include_fast_ft: [true], extra_options: {FastFinetune: "
                       "{LearningRate: "
                       "{type: float, low: 0.01, high: 0.1, log: true}}}}");
                 },
                 "search: a grid cannot walk the real numbers of "
                 "'extra_options.FastFinetune.LearningRate'; give a step, list the "
                 "values, or use random or model-based search",
                 kWithConfig},
        BadInput{"UnknownAlgorithmOnTheCommandLine",
                 [] {},
                 "--algorithm: unknown search algorithm 'NSGA'; nearest known: 'NSGAII'",
                 {"--algorithm", "NSGA"}},
        BadInput{
            "AdvancedSearchOfSeveralSpaces",
            [] {
              write_config(
                  "advanced_fastft_search: true\nsearch_space: [{include_fast_ft: true}, "
                  "{per_channel: true}]");
            },
            "search: advanced_fastft_search takes one search space, got 2; leave out the others",
            kWithConfig},
        BadInput{"AdvancedSearchWithTheJointParameter",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nsearch_space: {include_fast_ft: true, "
                       "extra_options: {FastFinetune: "
                       "{NumIterLR: [[100, 0.1], [200, 0.01]]}}}");
                 },
                 "search: advanced_fastft_search varies NumIterations and LearningRate by "
                 "themselves; leave out the joint NumIterLR",
                 kWithConfig},
        BadInput{"AdvancedSearchOfAnotherParameter",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nsearch_space: {include_fast_ft: true, "
                       "extra_options: {FastFinetune: "
                       "{NumIterations: [10, 20], DataSize: [10, 20]}}}");
                 },
                 "search: advanced_fastft_search varies NumIterations and LearningRate only, got "
                 "several values of "
                 "'extra_options.FastFinetune.DataSize'; give one",
                 kWithConfig},
        BadInput{"AdvancedSearchWithoutFinetuning",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nsearch_space: {per_channel: [true, false]}");
                 },
                 "search: advanced_fastft_search needs a space with 'include_fast_ft: [true]', or "
                 "'include_fast_ft: true' in "
                 "quantization_config",
                 kWithConfig},
        BadInput{"AdvancedSearchAgainstTheMetric",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nadvanced_fastft_params: {direction: "
                       "minimize}\nsearch_metric: cos\n"
                       "search_space: {include_fast_ft: true, extra_options: {FastFinetune: "
                       "{NumIterations: [10, 20]}}}");
                 },
                 "search: advanced_fastft_params asks to minimize 'cos', of which more is better; "
                 "leave out 'direction'",
                 kWithConfig},
        BadInput{"NoValidPoint",
                 [] {
                   write_config(
                       "search_space: {calibrate_method: [NonOverflow, PowerOfTwoMethod.MinMSE], "
                       "per_channel: [true]}");
                 },
                 "search: none of the 2 points of the space is valid: power-of-two methods need "
                 "per-tensor weights (per_channel: false) (2 points); widen the space or change "
                 "the base configuration",
                 kWithConfig}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Folders, BadInputOfSearch,
    ::testing::Values(
        BadInput{"OutputIsAFile", [] { write_file_atomically("out", "mine"); },
                 "search: output folder 'out' cannot be made: a file of that name exists; choose "
                 "another with --output"},
        BadInput{"OutputBelowAFile",
                 [] { write_file_atomically("notes", "mine"); },
                 "search: output folder 'notes/out' cannot be made: Not a directory; choose "
                 "another with --output",
                 {"--output", "notes/out"}},
        BadInput{"OutputOnAReadOnlySystem",
                 [] {},
                 "search: output folder '/proc/quantsearch' cannot be made: No such file or "
                 "directory; choose another with --output",
                 {"--output", "/proc/quantsearch"}},
        BadInput{"OutputHoldsASearch",
                 [] {
                   fs::create_directory("out");
                   write_file_atomically("out/results.json", "{}");
                 },
                 "search: output folder 'out' already holds a search; add --resume to continue it, "
                 "--overwrite to replace it, or choose another folder"},
        BadInput{"LogBelowAFile",
                 [] { write_file_atomically("notes", "mine"); },
                 "log: 'notes/log' cannot be opened for writing: Not a directory; choose another "
                 "file with --log",
                 {"--log", "notes/log"}},
        BadInput{"CacheFolderOfAnother",
                 [] {
                   fs::create_directory("cache");
                   write_file_atomically("cache/thesis.txt", "mine");
                   write_config("search_cache_dir: cache");
                 },
                 "data: the cache folder 'cache' is neither empty nor one of quantsearch (it "
                 "has no '.quantsearch_cache'); give an empty or a new one",
                 kWithConfig}),
    name_of);

/// `quantize` and `evaluate` with the same folder: what is theirs alone.
class BadInputOfOtherCommands : public ::testing::Test {
 protected:
  BadInputOfOtherCommands() {
    const InFolder inside(folder_.path());
    write_model("model.onnx", small_model());
    write_samples(sample_values());
    write_labels(6);
  }

  void expect_refused(const std::vector<std::string>& arguments, const std::string& message) const {
    const auto before = content_of(folder_.path());
    const RunResult result = run_quantsearch(arguments, folder_.path());
    EXPECT_EQ(result.error, "quantsearch: " + message + "\n");
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(content_of(folder_.path()), before);
  }

  TemporaryFolder folder_;
};

TEST_F(BadInputOfOtherCommands, QuantizeNamesWeightsThatAreNotFinite) {
  write_model(folder_.path() / "model.onnx",
              small_model({1, 2, kNan, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3}));
  expect_refused({"quantize", "model.onnx", "--calibration", "data.npz", "--output", "int8.onnx"},
                 "check: the model holds weights that are not finite: weight 'w': 1 NaN; expected "
                 "finite numbers, correct them or "
                 "export the model again");
}

TEST_F(BadInputOfOtherCommands, QuantizeSaysWhereItCannotWrite) {
  expect_refused(
      {"quantize", "model.onnx", "--calibration", "data.npz", "--output", "nowhere/int8.onnx"},
      "quantize: file 'nowhere/int8.onnx' cannot be written: No such file or directory; choose "
      "another file with --output");
}

TEST_F(BadInputOfOtherCommands, EvaluateCountsLabelsWithAndWithoutTheLimit) {
  const std::vector<std::string> arguments = {"evaluate",   "model.onnx", "model.onnx", "--data",
                                              "data.npz",   "--limit",    "2",          "--labels",
                                              "labels.npy", "--metric",   "top1"};
  EXPECT_EQ(run_quantsearch(arguments, folder_.path()).exit_code, 0);
  write_file_atomically(folder_.path() / "labels.npy",
                        npy(Tensor::of<std::int64_t>({3}, {0, 1, 2})));
  expect_refused(arguments,
                 "labels: array 'labels' of 'labels.npy' has 3 labels, expected 6, one for each "
                 "sample, or 2, one for each "
                 "sample within the limit");
}

}  // namespace
}  // namespace quantsearch
