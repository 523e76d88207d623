#include <gtest/gtest.h>

#include <filesystem>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

TEST(TensorSizes, FollowFromTheShapesOfTheInputs) {
  ModelBuilder builder;
  const std::string input = builder.input("x", {-1, 2, -1, -1});
  const std::string weight = builder.random_weight("w", {4, 2, 3, 3}, 1, 5);
  const std::string hidden = builder.node("Conv", {input, weight});
  builder.output(builder.node("Relu", {hidden}), {-1, 4, -1, -1});
  const Batch inputs{{"x", testing::random_tensor({1, 2, 12, 12}, 1)}};
  EXPECT_EQ(tensor_sizes(builder.build(), inputs, {"x", hidden}),
            (std::vector<std::int64_t>{2 * 144 * 4, 4 * 100 * 4}));
}

TEST(TensorSizes, TakeTheLargestKnownWhereAShapeDependsOnValues) {
  ModelBuilder builder;
  const std::string input = builder.input("x", {-1, 8});
  const std::string where = builder.node("NonZero", {input});
  const std::string found = builder.node("Cast", {where}, {{"to", std::int64_t{1}}});
  builder.output(found, {2, -1});
  const Batch inputs{{"x", testing::random_tensor({1, 8}, 1)}};
  EXPECT_EQ(tensor_sizes(builder.build(), inputs, {found}), std::vector<std::int64_t>{32});
}

class TappedSizesOf : public ::testing::TestWithParam<std::string> {};

TEST_P(TappedSizesOf, AreThoseOfARun) {
  const Model model =
      load_model(std::filesystem::path(QUANTSEARCH_SOURCE_DIR) / "tests/data" / GetParam());
  const Batch inputs{{"input", testing::random_tensor({1, 1, 28, 28}, 1)}};
  std::vector<std::string> names;
  for (const Node& node : model.graph.nodes) names.push_back(node.outputs[0]);
  const Batch outputs = open_session(model, {.taps = names})->run(inputs);
  const std::vector<std::int64_t> sizes = tensor_sizes(model, inputs, names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(sizes[i], static_cast<std::int64_t>(outputs.at(names[i]).bytes().size())) << names[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Models, TappedSizesOf, ::testing::Values("resnet8.onnx", "tinyvit.onnx"),
                         [](const auto& info) {
                           return info.param.substr(0, info.param.find('.'));
                         });

}  // namespace
}  // namespace quantsearch
