#include "evaluate/tasks/embeddings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>
#include <string>

namespace quantsearch {
namespace {

using Numbers = std::vector<double>;

double pearson(const Numbers& a, const Numbers& b) { return correlation(a, b); }
double spearman(const Numbers& a, const Numbers& b) { return rank_correlation(a, b); }

TEST(Ranks, EqualValuesShareTheMeanOfTheirRanks) {
  EXPECT_EQ(ranks_of(Numbers{10, 30, 20}), (Numbers{0, 2, 1}));
  EXPECT_EQ(ranks_of(Numbers{5, 1, 5, 9}), (Numbers{1.5, 0, 1.5, 3}));
}

TEST(Correlation, HandValues) {
  EXPECT_DOUBLE_EQ(pearson({1, 2, 3}, {2, 4, 6}), 1);
  EXPECT_DOUBLE_EQ(pearson({1, 2, 3}, {6, 4, 2}), -1);
  // Deviations (-1.5, -0.5, 0.5, 1.5) and (-1, 0, 2, -1): products sum to 1, squares to 5 and 6.
  EXPECT_NEAR(pearson({1, 2, 3, 4}, {1, 2, 4, 1}), 1 / std::sqrt(30.0), 1e-12);
}

TEST(Correlation, OfRanksIgnoresTheScale) {
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3, 4}, {1, 10, 100, 1000}), 1);
  // 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15)
  EXPECT_NEAR(spearman({1, 2, 3, 4}, {1, 3, 2, 4}), 0.8, 1e-12);
}

TEST(Correlation, OfConstantsIsOneOnlyWhenBothAre) {
  EXPECT_EQ(pearson({1, 1}, {2, 2}), 1);
  EXPECT_EQ(pearson({1, 1}, {2, 3}), 0);
}

class Pooled {
 public:
  explicit Pooled(const std::string& yaml, bool has_mask = false) {
    Value value = parse_yaml(yaml, "test");
    value.set("task", "retrieval");
    model_.graph.outputs.push_back(
        {.name = "hidden", .type = DataType::float32, .dimensions = {}, .extra = {}});
    std::map<std::string, Tensor> arrays = {{"ids", Tensor::of<float>({1, 3}, {1, 2, 3})}};
    if (has_mask) arrays["attention_mask"] = Tensor::of<std::int64_t>({1, 3}, {1, 1, 0});
    for (const auto& [name, tensor] : arrays)
      model_.graph.inputs.push_back(
          {.name = name, .type = tensor.type(), .dimensions = {}, .extra = {}});
    pooling_.emplace(TaskOptions(read_task(value)),
                     TaskData{.float_model = model_, .samples = in_memory_data(arrays)});
  }
  /// Three tokens: (3, 4), (3, 4) and (-6, 0).
  [[nodiscard]] Embedding of_tokens() const {
    const std::vector<float> values = {3, 4, 3, 4, -6, 0};
    return pooling_->embed({.values = values, .shape = {1, 3, 2}}, 0);
  }

 private:
  Model model_;
  std::optional<Pooling> pooling_;
};

TEST(Pooling, MakesOneVectorOfLengthOne) {
  EXPECT_EQ(Pooled("{}").of_tokens(), (Embedding{0, 1}));  // the mean is (0, 8 / 3)
  EXPECT_EQ(Pooled("pooling: first").of_tokens(), (Embedding{0.6F, 0.8F}));
  EXPECT_EQ(Pooled("pooling: last").of_tokens(), (Embedding{-1, 0}));
  EXPECT_EQ(Pooled("pooling: max").of_tokens(), (Embedding{0.6F, 0.8F}));
  EXPECT_EQ(Pooled("pooling: none").of_tokens().size(), 6U);
}

TEST(Pooling, LeavesOutTokensThatTheMaskDoes) {
  EXPECT_EQ(Pooled("{}", true).of_tokens(), (Embedding{0.6F, 0.8F}));
  EXPECT_EQ(Pooled("pooling: last", true).of_tokens(), (Embedding{0.6F, 0.8F}));
}

}  // namespace
}  // namespace quantsearch
