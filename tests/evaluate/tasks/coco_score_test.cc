#include "evaluate/tasks/coco_score.h"

#include <gtest/gtest.h>

#include <map>

#include "evaluate/tasks/annotations.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

using Truth = std::vector<std::vector<TruthBox>>;
using Found = std::vector<std::vector<Detection>>;

TruthBox truth_box(const Box& box, std::int64_t category = 0, bool is_crowd = false) {
  return {.box = box, .area = box.area(), .category = category, .is_crowd = is_crowd};
}

constexpr Box kSquare{.x = 10, .y = 10, .width = 50, .height = 50};  // medium
constexpr Box kElsewhere{.x = 200, .y = 10, .width = 50, .height = 50};

TEST(CocoScores, OfTheTruthItselfAreOne) {
  const Truth truth = {{truth_box(kSquare)}, {truth_box(kElsewhere, 1)}};
  const Found found = {{{kSquare, 0.9, 0}}, {{kElsewhere, 0.3, 1}}};
  const std::map<std::string, double> expected = {{"map", 1},        {"map50", 1}, {"map75", 1},
                                                  {"map_medium", 1}, {"mar1", 1},  {"mar10", 1},
                                                  {"mar100", 1}};
  const auto scores = coco_scores(truth, found);
  ASSERT_EQ(scores.size(), expected.size());  // there is nothing small or large
  for (const auto& [name, score] : expected) EXPECT_DOUBLE_EQ(scores.at(name), score) << name;
}

TEST(CocoScores, ABoxOfOverlapAHalfCountsAtFiftyOnly) {
  // The overlap is 2500 / (2500 + 2500) with a box of twice the height.
  const Box twice{.x = 10, .y = 10, .width = 50, .height = 100};
  const auto scores = coco_scores({{truth_box(kSquare)}}, {{{twice, 0.9, 0}}});
  EXPECT_DOUBLE_EQ(scores.at("map50"), 1);
  EXPECT_DOUBLE_EQ(scores.at("map75"), 0);
  EXPECT_DOUBLE_EQ(scores.at("map"), 0.1);  // one of ten overlaps
}

TEST(CocoScores, AWrongBoxBeforeTheRightOneHalvesThePrecision) {
  const Truth truth = {{truth_box(kSquare)}};
  EXPECT_NEAR(coco_scores(truth, {{{kElsewhere, 0.9, 0}, {kSquare, 0.8, 0}}}).at("map"), 0.5,
              1e-12);
  EXPECT_NEAR(coco_scores(truth, {{{kElsewhere, 0.7, 0}, {kSquare, 0.8, 0}}}).at("map"), 1, 1e-12);
}

TEST(CocoScores, HalfOfTheObjectsFoundGiveFiftyOneRecallsOfAHundredAndOne) {
  const Truth truth = {{truth_box(kSquare), truth_box(kElsewhere)}};
  const auto scores = coco_scores(truth, {{{kSquare, 0.9, 0}}});
  EXPECT_NEAR(scores.at("map"), 51.0 / 101, 1e-12);  // recalls 0, 0.01, ..., 0.5
  EXPECT_NEAR(scores.at("mar100"), 0.5, 1e-12);
}

TEST(CocoScores, ASecondBoxOfTheSameObjectIsWrong) {
  const Truth truth = {{truth_box(kSquare), truth_box(kElsewhere)}};
  const auto scores =
      coco_scores(truth, {{{kSquare, 0.9, 0}, {kSquare, 0.8, 0}, {kElsewhere, 0.7, 0}}});
  // Precision is 1 up to a recall of 1/2, then 2/3.
  EXPECT_NEAR(scores.at("map50"), (51 + 50 * 2.0 / 3) / 101, 1e-12);
}

TEST(CocoScores, BoxesInACrowdAreNeitherRightNorWrong) {
  const Box region{.x = 0, .y = 0, .width = 300, .height = 300};
  const Truth truth = {{truth_box(kSquare), truth_box(region, 0, true)}};
  const auto scores =
      coco_scores(truth, {{{kElsewhere, 0.99, 0}, {kElsewhere, 0.98, 0}, {kSquare, 0.9, 0}}});
  EXPECT_NEAR(scores.at("map"), 1, 1e-12);
}

TEST(CocoScores, AreasAreThoseOfTheAnnotations) {
  TruthBox thin = truth_box(kSquare);
  thin.area = 100;  // small, in a medium box
  const auto scores = coco_scores({{thin}}, {{{kSquare, 0.9, 0}}});
  EXPECT_TRUE(scores.contains("map_small"));
  EXPECT_FALSE(scores.contains("map_medium"));
}

TEST(CocoScores, AtMostAHundredDetectionsOfACategoryCount) {
  Found found(1);
  for (int i = 0; i < 100; ++i)
    found[0].push_back({{.x = 1000.0 + 100 * i, .y = 0, .width = 50, .height = 50}, 0.9, 0});
  found[0].push_back({kSquare, 0.5, 0});
  EXPECT_DOUBLE_EQ(coco_scores({{truth_box(kSquare)}}, found).at("map"), 0);
}

TEST(CocoScores, WithoutTruthThereAreNone) {
  EXPECT_TRUE(coco_scores({{}, {}}, {{{kSquare, 0.9, 0}}, {}}).empty());
}

/// What record_coco_scores.py has recorded of pycocotools.
class RecordedScores : public ::testing::TestWithParam<const char*> {};

TEST_P(RecordedScores, AreThoseOfPycocotools) {
  const std::filesystem::path file = testing::kSource / "tests/evaluate/tasks" / GetParam();
  const Value recorded = parse_json(read_file(file), file.string());
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "truth.json", to_json(*recorded.find("truth")));
  const Annotations annotations = read_annotations(folder.path() / "truth.json");
  std::map<std::int64_t, std::pair<std::vector<TruthBox>, std::vector<Detection>>> by_id;
  for (const AnnotatedImage& image : annotations.images) by_id[image.id].first = image.boxes;
  for (const Value& row : recorded.find("detections")->as_list()) {
    const Value::List& n = row.as_list();
    by_id.at(n[0].as_int())
        .second.push_back({.box = {.x = n[2].as_double(),
                                   .y = n[3].as_double(),
                                   .width = n[4].as_double(),
                                   .height = n[5].as_double()},
                           .score = n[6].as_double(),
                           .category = n[1].as_int()});
  }
  Truth truth;
  Found found;
  for (auto& [id, boxes] : by_id) {
    truth.push_back(boxes.first);
    found.push_back(boxes.second);
  }
  const auto scores = coco_scores(truth, found);
  const Value::Map& expected = recorded.find("scores")->as_map();
  ASSERT_EQ(scores.size(), expected.size());
  for (const auto& [name, score] : expected)
    EXPECT_NEAR(scores.at(name), score.as_double(), 1e-9) << name;
}

INSTANTIATE_TEST_SUITE_P(Pycocotools, RecordedScores,
                         ::testing::Values("coco_random.json", "coco_detector.json"));

}  // namespace
}  // namespace quantsearch
