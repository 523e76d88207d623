// What a user gets for models and data that cannot be used: the whole message, exit code 2, and
// nothing written.

#include "cli/bad_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "data/numpy_files.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::BadInput;
using testing::BadInputOfSearch;
using testing::content_of;
using testing::ModelBuilder;
using testing::name_of;
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

void write_samples(std::vector<float> values) {
  write_arrays("data.npz", {{"x", Tensor::of<float>({6, 4}, values)}});
}

void write_samples_with(std::size_t place, float value) {
  std::vector<float> values = sample_values();
  values[place] = value;
  write_samples(values);
}

void write_labels(std::int64_t count) {
  write_file_atomically("labels.npy",
                        npy(Tensor::of<std::int64_t>(
                            {count}, std::vector<std::int64_t>(static_cast<std::size_t>(count)))));
}

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
        BadInput{
            "Missing", [] { fs::remove("data.npz"); },
            "data: file 'data.npz' does not exist, expected an .npz or .npy file, or a folder"},
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
