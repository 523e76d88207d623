#include "quantsearch/evaluate/task.h"

#include <gtest/gtest.h>

#include "data/numpy_files.h"
#include "evaluate/tasks/task_case.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::scaled_by;
using testing::TaskCase;
using Map = std::map<std::string, double>;

TEST(Task, NamesAreChecked) {
  const auto message = [](const std::string& yaml) {
    try {
      (void)read_task(parse_yaml(yaml, "test"));
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message("{task: detectoin}"), "unknown task 'detectoin'; nearest known: 'detection'");
  EXPECT_EQ(message("{task: text, blanc: 1}"),
            "evaluator text: unknown key 'blanc'; nearest known: 'blank'");
  EXPECT_EQ(message("{}"), "got no 'task', expected the name of one");
}

TEST(Task, EachHasScoresAndKeysWithAMeaning) {
  ASSERT_EQ(all_tasks().size(), 6U);
  for (const TaskInfo& task : all_tasks()) {
    EXPECT_FALSE(task.scores.empty()) << task.name;
    EXPECT_FALSE(task.meaning.empty()) << task.name;
    for (const TaskKey& key : task.keys) EXPECT_FALSE(key.meaning.empty()) << key.name;
  }
}

TEST(Task, ScoresFollowTheKeys) {
  const TaskConfig config = read_task(parse_yaml("{task: classification, k: [3]}", "test"));
  EXPECT_EQ(scores_of(config), std::vector<std::string>{"accuracy_top3"});
}

TEST(Classification, ComparesWithTheFloatModelsClass) {
  // The candidate negates the last two logits, so it loses the second and the third sample; in the
  // third the float model's class is its last.
  const TaskCase test{.yaml = "{task: classification, k: [1, 3]}",
                      .samples = Tensor::of<float>({3, 4}, {9, 1, 2, 3,  //
                                                            1, 2, 9, 3,  //
                                                            3, 2, 1, 9})};
  const auto [of_float, of_candidate] = test.scores(scaled_by(1, {1, 4}, 2));
  EXPECT_EQ(of_float.metrics, (Map{{"accuracy_top1", 1}, {"accuracy_top3", 1}}));
  // (1, 2, -9, -3): class 2 is the last; (3, 2, -1, -9): class 3 is.
  EXPECT_EQ(of_candidate.metrics, (Map{{"accuracy_top1", 1.0 / 3}, {"accuracy_top3", 1.0 / 3}}));
}

TEST(Classification, ComparesWithLabels) {
  const TaskCase test{.yaml = "{task: classification, k: 1}",
                      .samples = Tensor::of<float>({2, 3}, {1, 2, 3, 3, 2, 1}),
                      .labels = Labels{2, 1}};
  EXPECT_EQ(test.scores(scaled_by(1, {1, 3})).first.metrics, (Map{{"accuracy_top1", 0.5}}));
}

// One sample of three steps with three classes, the blank first.
const std::vector<float> kSaysAB = {0, 9, 1, 9, 0, 0, 0, 1, 9};  // classes 1, blank, 2

TEST(Text, ComparesWithTheFloatModelsText) {
  const TaskCase test{.yaml = "{task: text}", .samples = Tensor::of<float>({1, 3, 3}, kSaysAB)};
  const auto [of_float, of_candidate] = test.scores(scaled_by(1, {1, 3, 3}, 2));
  EXPECT_EQ(of_float.metrics, (Map{{"text_accuracy", 1}, {"character_accuracy", 1}}));
  // The last class is never the largest now: classes 1, blank, 1.
  EXPECT_EQ(of_candidate.metrics, (Map{{"text_accuracy", 0}, {"character_accuracy", 0.5}}));
}

TEST(Text, ComparesWithTexts) {
  const TemporaryFolder folder;
  const std::string charset = (folder.path() / "charset.txt").string();
  const std::string texts = (folder.path() / "texts.txt").string();
  write_file_atomically(charset, "a\nb\n");
  write_file_atomically(texts, "ignored\nab\nabcd\n");
  std::vector<float> both = kSaysAB;
  both.insert(both.end(), kSaysAB.begin(), kSaysAB.end());
  const TaskCase test{.yaml = "{task: text, charset: " + charset + ", texts: " + texts + "}",
                      .samples = Tensor::of<float>({2, 3, 3}, both),
                      .first_in_truth = 1};
  const Map expected = {{"text_accuracy", 0.5}, {"character_accuracy", 1 - 2.0 / 6}};
  EXPECT_EQ(test.scores(scaled_by(1, {1, 3, 3})).first.metrics, expected);
}

TEST(Text, WhatDoesNotFitIsRefused) {
  const TaskCase shape{.yaml = "{task: text}", .samples = Tensor::of<float>({1, 3, 3, 1}, kSaysAB)};
  EXPECT_EQ(shape.refusal(),
            "evaluator text: output 'y_out' has shape [1, 3, 3, 1] for one sample, expected scores "
            "[1, steps, classes] or [steps, 1, classes], or classes [1, steps]");
  const TaskCase empty{.yaml = "{task: text}", .samples = Tensor::of<float>({1, 1, 3}, {9, 0, 0})};
  EXPECT_EQ(empty.refusal(),
            "evaluator text: every text of the float model's own predictions is empty, expected "
            "characters; check the data and 'blank'");
  const TemporaryFolder folder;
  const std::string texts = (folder.path() / "texts.txt").string();
  write_file_atomically(texts, "ab\n");
  const TaskCase no_charset{.yaml = "{task: text, texts: " + texts + "}",
                            .samples = Tensor::of<float>({1, 3, 3}, kSaysAB)};
  EXPECT_EQ(no_charset.refusal(),
            "evaluator text: 'texts': cannot be decoded without 'charset', a file with the "
            "character of each class");
}

TEST(Segmentation, ComparesWithTheFloatModelsClasses) {
  // Two classes, 1 x 2 pixels; the candidate negates the second column.
  const TaskCase test{.yaml = "{task: segmentation}",
                      .samples = Tensor::of<float>({1, 2, 1, 2}, {3, 1, 1, 3})};
  const auto [of_float, of_candidate] = test.scores(scaled_by(1, {1, 2, 1, 2}, 1));
  EXPECT_EQ(of_float.metrics, (Map{{"miou", 1}, {"pixel_accuracy", 1}}));
  // The truth is (0, 1), the candidate says (0, 0): 1 of 2 for class 0, 0 of 1 for class 1.
  EXPECT_EQ(of_candidate.metrics, (Map{{"miou", 0.25}, {"pixel_accuracy", 0.5}}));
}

TEST(Segmentation, ASingleChannelHasAThreshold) {
  const TaskCase test{.yaml = "{task: segmentation, threshold: 0}",
                      .samples = Tensor::of<float>({1, 1, 1, 2}, {3, -1})};
  const auto [of_float, of_candidate] = test.scores(scaled_by(-1, {1, 1, 1, 2}));
  EXPECT_EQ(of_float.metrics.at("miou"), 1);
  EXPECT_EQ(of_candidate.metrics.at("pixel_accuracy"), 0);
}

TEST(Retrieval, ComparesWithTheFloatModelsNeighbours) {
  // On the float model's plane 0 and 1 are near, and 2 and 3; the candidate turns the second axis.
  const TaskCase test{.yaml = "{task: retrieval, k: 1}",
                      .samples = Tensor::of<float>({4, 2}, {1, 0, 1, 0.1F, 0, 1, 0.1F, 1})};
  const auto [of_float, of_candidate] = test.scores(scaled_by(1, {1, 2}, 1));
  EXPECT_EQ(of_float.metrics.at("recall_at_1"), 1);
  EXPECT_NEAR(of_float.metrics.at("rank_agreement"), 1, 1e-12);
  EXPECT_EQ(of_candidate.metrics.at("recall_at_1"), 1);  // a reflection keeps all angles
}

TEST(Retrieval, FindsLabels) {
  const TaskCase test{.yaml = "{task: retrieval, k: 1}",
                      .samples = Tensor::of<float>({4, 2}, {1, 0, 1, 0.1F, 0, 1, 0.1F, 1}),
                      .labels = Labels{7, 7, 8, 9}};
  // The queries with label 8 and 9 have nothing to find.
  EXPECT_EQ(test.scores(scaled_by(1, {1, 2})).first.metrics.at("recall_at_1"), 1);
}

TEST(Similarity, OrdersPairsLikeTheFloatModel) {
  const std::vector<float> pairs = {1, 0, 1, 0.1F,  // nearly equal
                                    1, 0, 1, 1,     // half a right angle
                                    1, 0, 0, 1};    // a right angle
  const TaskCase test{.yaml = "{task: similarity}", .samples = Tensor::of<float>({6, 2}, pairs)};
  const auto [of_float, of_candidate] = test.scores(scaled_by(3, {1, 2}));
  EXPECT_NEAR(of_float.metrics.at("spearman"), 1, 1e-12);
  EXPECT_NEAR(of_candidate.metrics.at("pearson"), 1, 1e-12);  // a scale changes no angle
}

TEST(Similarity, NeedsPairs) {
  const TaskCase test{.yaml = "{task: similarity}",
                      .samples = Tensor::of<float>({5, 1}, {1, 2, 3, 4, 5})};
  EXPECT_EQ(test.refusal(),
            "evaluator similarity: got 5 samples from number 0, expected at least 3 pairs of "
            "samples one after the other");
}

TEST(Similarity, GoldScoresOfAnArrayAreInTheOrderOfThePairs) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "scores.npy").string();
  write_file_atomically(file, testing::npy(Tensor::of<float>({3}, {5, 3, 1})));
  const TaskCase test{
      .yaml = "{task: similarity, scores: " + file + "}",
      .samples = Tensor::of<float>({6, 2}, {1, 0, 1, 0.1F, 1, 0, 1, 1, 1, 0, 0, 1})};
  EXPECT_NEAR(test.scores(scaled_by(1, {1, 2})).first.metrics.at("spearman"), 1, 1e-12);
}

}  // namespace
}  // namespace quantsearch
