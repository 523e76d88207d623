#include <gtest/gtest.h>

#include <limits>

#include "data/numpy_files.h"
#include "quantsearch/base/error.h"
#include "quantsearch/data.h"
#include "quantsearch/data/fixed_data.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using testing::npy;
using testing::random_tensor;
using testing::zip;

struct InputOf {
  std::string name;
  std::vector<std::int64_t> shape;
  DataType type = DataType::float32;
};

Model model_with(const std::vector<InputOf>& inputs) {
  ModelBuilder builder;
  for (const InputOf& input : inputs) {
    builder.input(input.name, input.shape, input.type);
    builder.output(builder.node("Identity", {input.name}), input.shape, input.type);
  }
  return builder.build();
}

std::string npz(const std::map<std::string, Tensor>& arrays) {
  std::vector<testing::ZipPart> parts;
  for (const auto& [name, array] : arrays) {
    parts.push_back({.name = name + ".npy", .content = npy(array), .deflate = true});
  }
  return zip(parts);
}

class OpenData : public ::testing::Test {
 protected:
  LoadedData open(const std::string& content, const Model& model,
                  const DataOptions& options = {}) const {
    write_file_atomically(file_, content);
    return open_data(file_, model, options);
  }
  std::string message_of(const std::string& content, const Model& model) const {
    write_file_atomically(file_, content);
    return message_at(file_, model);
  }
  std::string message_at(const std::filesystem::path& path, const Model& model) const {
    try {
      (void)open_data(path, model);
    } catch (const Error& error) {
      return relative(error.what());
    }
    return "no error";
  }
  std::string relative(std::string message) const {
    const std::string prefix = folder_.path().string() + "/";
    for (auto place = message.find(prefix); place != std::string::npos;
         place = message.find(prefix)) {
      message.erase(place, prefix.size());
    }
    return message;
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "d.npz";
};

TEST_F(OpenData, ArraysAreMatchedByNameAndRowsAreSamples) {
  const Tensor a = random_tensor({4, 3}, 1);
  const Tensor b = random_tensor({4, 2, 2}, 2);
  const auto data =
      open(npz({{"a", a}, {"b", b}}), model_with({{"a", {-1, 3}}, {"b", {-1, 2, 2}}}));
  EXPECT_EQ(data.source->size(), 4);
  EXPECT_EQ(data.source->largest_batch(), 4);
  EXPECT_EQ(data.source->read(1, 2), (Batch{{"a", a.rows(1, 2)}, {"b", b.rows(1, 2)}}));
  EXPECT_FALSE(data.labels);
  EXPECT_EQ(data.source->content_key(), in_memory_data({{"a", a}, {"b", b}})->content_key());
}

TEST_F(OpenData, ASingleArrayFeedsASingleInputWhateverItsName) {
  const Tensor values = random_tensor({2, 3}, 1);
  EXPECT_EQ(open(npz({{"arr_0", values}}), model_with({{"x", {-1, 3}}})).source->read(0, 2).at("x"),
            values);
  EXPECT_EQ(open(npy(values), model_with({{"x", {-1, 3}}})).source->read(0, 2).at("x"), values);
}

TEST_F(OpenData, ALongDeflatedArrayIsDecodedInTheCacheFolder) {
  const Tensor values(DataType::float32, {5, 1 << 20});  // 20 MiB
  const std::filesystem::path cache = folder_.path() / "cache";
  {
    const LoadedData data = open(npz({{"x", values}}), model_with({{"x", {-1, 1 << 20}}}),
                                 {.limit = 5, .cache_folder = cache});
    EXPECT_EQ(data.source->read(3, 2).at("x"), values.rows(3, 2));
    EXPECT_TRUE(std::filesystem::exists(cache / ".quantsearch_cache"));
  }
  EXPECT_FALSE(std::filesystem::exists(cache));
}

TEST_F(OpenData, IgnoresArraysOfFixedInputs) {
  const Tensor values = random_tensor({2, 3}, 1);
  const Tensor rates = Tensor::of<std::int64_t>({2}, {16000, 8000});
  const Model model = model_with({{"x", {-1, 3}}});
  write_file_atomically(file_, npz({{"x", values}, {"rate", rates}}));
  EXPECT_EQ(open_data(file_, model, {}, {"rate"}).source->read(0, 2), (Batch{{"x", values}}));
  // Without such an array nothing changes.
  write_file_atomically(file_, npz({{"x", values}}));
  EXPECT_EQ(open_data(file_, model, {}, {"rate"}).source->read(0, 2), (Batch{{"x", values}}));
}

TEST_F(OpenData, LabelsAreNotAnInputAndFollowTheLimit) {
  const Tensor values = random_tensor({3, 2}, 1);
  const Tensor labels = Tensor::of<std::uint8_t>({3}, {2, 0, 1});
  const std::string file = npz({{"images", values}, {"labels", labels}});
  EXPECT_EQ(*open(file, model_with({{"x", {-1, 2}}})).labels, (Labels{2, 0, 1}));
  const auto limited = open(file, model_with({{"x", {-1, 2}}}), {.limit = 2});
  EXPECT_EQ(limited.source->size(), 2);
  EXPECT_EQ(limited.available, 3);
  EXPECT_EQ(*limited.labels, (Labels{2, 0}));
  EXPECT_EQ(open(file, model_with({{"x", {-1, 2}}}), {.limit = 100}).source->size(), 3);
}

TEST_F(OpenData, AModelMayHaveAnInputCalledLabels) {
  const Tensor labels = Tensor::of<std::int64_t>({2}, {4, 5});
  const auto data =
      open(npz({{"labels", labels}}), model_with({{"labels", {-1}, DataType::int64}}));
  EXPECT_EQ(data.source->read(0, 2).at("labels"), labels);
  EXPECT_FALSE(data.labels);
}

TEST_F(OpenData, AFixedFirstAxisOfOneTakesOneRowAtATime) {
  const auto data = open(npz({{"x", random_tensor({5, 3}, 1)}}), model_with({{"x", {1, 3}}}));
  EXPECT_EQ(data.source->size(), 5);
  EXPECT_EQ(data.source->largest_batch(), 1);
  EXPECT_EQ(data.source->read(4, 1).at("x").shape(), (Shape{1, 3}));
}

TEST_F(OpenData, AnExtraAxisInFrontHoldsWholeInputs) {
  const Tensor values = random_tensor({5, 4, 3}, 1);
  const auto data = open(npz({{"x", values}}), model_with({{"x", {4, 3}}}));
  EXPECT_EQ(data.source->size(), 5);
  EXPECT_EQ(data.source->largest_batch(), 1);
  EXPECT_EQ(data.source->read(2, 1).at("x"), values.rows(2, 1).reshaped({4, 3}));
  const auto scalars = open(npz({{"x", Tensor::of<float>({2}, {8, 9})}}), model_with({{"x", {}}}));
  EXPECT_EQ(scalars.source->read(1, 1).at("x"), Tensor::scalar(9.0F));
}

TEST_F(OpenData, FloatAndIntegerWidthsAreConverted) {
  const Model floats = model_with({{"x", {-1}}});
  const Tensor expected = Tensor::of<float>({2}, {0.5F, -2});
  for (const DataType type : {DataType::float16, DataType::float32, DataType::float64}) {
    EXPECT_EQ(open(npz({{"x", convert(expected, type)}}), floats).source->read(0, 2).at("x"),
              expected);
  }
  const Model integers = model_with({{"x", {-1}, DataType::int64}});
  EXPECT_EQ(open(npz({{"x", Tensor::of<std::uint8_t>({2}, {3, 255})}}), integers)
                .source->read(0, 2)
                .at("x"),
            Tensor::of<std::int64_t>({2}, {3, 255}));
}

TEST_F(OpenData, InitializersThatAreInputsMayBeLeftOut) {
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.input("w", {2});
  builder.weight("w", {2}, {1, 2});
  builder.output(builder.node("Add", {"x", "w"}), {-1, 2});
  const Model model = builder.build();
  const Tensor values = random_tensor({3, 2}, 1);
  EXPECT_EQ(open(npz({{"any", values}}), model).source->read(0, 1).size(), 1U);
  const auto both = open(npz({{"x", values}, {"w", values}}), model);
  EXPECT_EQ(both.source->read(1, 1).at("w"), values.rows(1, 1).reshaped({2}));
}

TEST_F(OpenData, TheShippedExampleOpensWithItsLabels) {
  const auto example = std::filesystem::path(QUANTSEARCH_SOURCE_DIR) / "examples/fashion_mnist";
  const Model model = load_model(example / "mobilenet_s.onnx");
  const LoadedData data = open_data(example / "evaluation_2000.npz", model);
  EXPECT_EQ(data.source->size(), 2000);
  ASSERT_TRUE(data.labels);
  EXPECT_EQ(data.labels->size(), 2000U);
  EXPECT_EQ(
      open_data(example / "calibration_100.npz", model).source->read(99, 1).begin()->second.shape(),
      (Shape{1, 1, 28, 28}));
}

TEST_F(OpenData, ReportsWrongDataInOneSentenceWithDataAndModel) {
  const Model one = model_with({{"x", {-1, 2}}});
  const Model two = model_with({{"a", {-1, 2}}, {"b", {-1, 2}}});
  const Tensor good = Tensor::of<float>({2, 2}, {1, 2, 3, 4});
  Tensor nan = good;
  nan.mutable_values<float>()[2] = std::numeric_limits<float>::quiet_NaN();
  Tensor infinite = good;
  infinite.mutable_values<float>()[0] = std::numeric_limits<float>::infinity();
  struct Case {
    std::string content;
    Model model;
    std::string message;
  };
  const Case cases[] = {
      {npz({{"a", good}}), two,
       "data: 'd.npz' lacks an array 'b': it has 'a' float32 [2, 2], the model takes 'a' float32 "
       "[batch, 2], 'b' float32 "
       "[batch, 2]; save one array for each input under its name"},
      {npz({{"y", good}, {"x", good}}), one,
       "data: 'd.npz' has an array 'y' that is no input: it has 'x' float32 [2, 2], 'y' float32 "
       "[2, 2], the model takes "
       "'x' float32 [batch, 2]; save one array for each input under its name"},
      {npz({}), one,
       "data: 'd.npz' lacks an array 'x': it has no arrays, the model takes 'x' float32 [batch, "
       "2]; save one array for each input under its name"},
      {npz({{"a", good}, {"b", random_tensor({3, 2}, 1)}}), two,
       "data: array 'a' of 'd.npz' has 2 samples and array 'b' of 'd.npz' has 3, expected as many "
       "in each"},
      {npz({{"x", random_tensor({2, 3}, 1)}}), one,
       "data: array 'x' of 'd.npz' is float32 [2, 3], the model's input 'x' takes float32 [batch, "
       "2]; bring every sample to that shape as in the model's training"},
      {npz({{"x", random_tensor({2, 1, 2, 1}, 1)}}), one,
       "data: array 'x' of 'd.npz' is float32 [2, 1, 2, 1], the model's input 'x' takes float32 "
       "[batch, 2]; bring every sample to that shape as in the model's training"},
      {npz({{"x", Tensor::scalar(1.0F)}}), one,
       "data: array 'x' of 'd.npz' is float32 [], the model's input 'x' takes float32 [batch, 2]; "
       "give it a first axis of "
       "samples"},
      {npz({{"x", Tensor(DataType::uint8, {2, 2})}}), one,
       "data: array 'x' of 'd.npz' is uint8 [2, 2], the model's input 'x' takes float32 [batch, "
       "2]; scale the values as "
       "in the model's training and save them as float32"},
      {npz({{"x", Tensor(DataType::boolean, {2, 2})}}), one,
       "data: array 'x' of 'd.npz' is boolean [2, 2], the model's input 'x' takes float32 [batch, "
       "2]; save the values as "
       "float32"},
      {npz({{"x", Tensor(DataType::float32, {0, 2})}}), one,
       "data: array 'x' of 'd.npz' has no samples, expected at least one"},
      {npz({{"x", random_tensor({8, 3}, 1)}}), model_with({{"x", {4, 3}}}),
       "data: array 'x' of 'd.npz' is float32 [8, 3], the model's input 'x' takes float32 [4, 3], "
       "4 samples in every run; "
       "export the model with an open first axis, or give the array one more axis in front so that "
       "each sample is 4 rows"},
      {npz({{"x", random_tensor({8, 3}, 1)}}), model_with({{"x", {0, 3}}}),
       "data: array 'x' of 'd.npz' is float32 [8, 3], the model's input 'x' takes float32 [0, 3]; "
       "a "
       "first axis of 0 takes no sample, export the model with an open one"},
      {npz({{"y", nan}}), one,
       "data: array 'y' of 'd.npz' holds NaN in sample 1, expected finite numbers; fix or remove "
       "the sample"},
      {npz({{"x", infinite}}), one,
       "data: array 'x' of 'd.npz' holds an infinite value in sample 0, expected finite numbers; "
       "fix or remove the "
       "sample"},
      {npz({{"x", Tensor::of<double>({1, 2}, {1, 1e300})}}), one,
       "data: array 'x' of 'd.npz' holds float64 values beyond the range of float32, which the "
       "model's input takes; scale "
       "the values or change the model's input type"},
      {npz({{"x", Tensor::of<std::int64_t>({2}, {1, 300})}}),
       model_with({{"x", {-1}, DataType::uint8}}),
       "data: array 'x' of 'd.npz' holds int64 values that do not fit uint8, which the model's "
       "input takes; fix the "
       "values or change the model's input type"},
      {npz({{"x", good}, {"labels", Tensor::of<std::int64_t>({1}, {1})}}), one,
       "labels: array 'labels' of 'd.npz' has 1 labels, expected 2, one for each sample"},
  };
  for (const Case& wrong : cases) EXPECT_EQ(message_of(wrong.content, wrong.model), wrong.message);
  EXPECT_THROW((void)open(npz({{"x", good}}), one, {.limit = 0}), InvalidInput);
  EXPECT_THROW((void)open_data(folder_.path() / "none.npz", one), InvalidInput);
}

TEST_F(OpenData, ABackendTestFolderFeedsItsSetsInOrder) {
  const auto node = std::filesystem::path(QUANTSEARCH_DEPS_DIR) / "onnx/testdata/node/test_add";
  ASSERT_TRUE(std::filesystem::exists(node));
  const auto copy = folder_.path() / "sets";
  std::filesystem::create_directories(copy);
  // Sets 2 and 10 come in the order of their numbers, not of their names.
  std::filesystem::copy(node / "test_data_set_0", copy / "test_data_set_10");
  std::filesystem::copy(node / "test_data_set_0", copy / "test_data_set_2");
  std::filesystem::rename(copy / "test_data_set_2" / "input_0.pb", folder_.path() / "first.pb");
  std::filesystem::copy(copy / "test_data_set_2" / "input_1.pb",
                        copy / "test_data_set_2" / "input_0.pb");
  const Model model = load_model(node / "model.onnx");
  const auto x = load_tensor(folder_.path() / "first.pb").tensor;
  const auto y = load_tensor(copy / "test_data_set_2" / "input_1.pb").tensor;
  const LoadedData data = open_data(copy, model);
  EXPECT_EQ(data.source->size(), 2);
  EXPECT_EQ(data.source->largest_batch(), 1);
  // Both tensors of set 2 have the name y, so they are matched by index.
  EXPECT_EQ(data.source->read(0, 1), (Batch{{"x", y}, {"y", y}}));
  EXPECT_EQ(data.source->read(1, 1), (Batch{{"x", x}, {"y", y}}));
}

TEST_F(OpenData, ReportsWrongFoldersInOneSentence) {
  const auto set = folder_.path() / "sets" / "test_data_set_0";
  const Model model = model_with({{"x", {-1, 2}}});
  std::filesystem::create_directories(folder_.path() / "empty");
  EXPECT_EQ(message_at(folder_.path() / "empty", model),
            "data: folder '" + relative((folder_.path() / "empty").string()) +
                "' has no 'test_data_set_0' with input_0.pb, input_1.pb, …, no images and no "
                "sounds; give a folder of one of these, an .npz or an .npy");
  std::filesystem::create_directories(set);
  EXPECT_EQ(message_at(folder_.path() / "sets", model),
            "data: 'sets/test_data_set_0' has no 'input_0.pb'");
  write_file_atomically(set / "input_1.pb", "");
  EXPECT_EQ(message_at(folder_.path() / "sets", model),
            "data: 'sets/test_data_set_0' has 'input_1.pb' but no 'input_0.pb'");
}

}  // namespace
}  // namespace quantsearch
