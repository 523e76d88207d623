#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/media/sample_maker.h"
#include "support/budgets.h"
#include "support/messages.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

// Images of one channel, 6 x 8 pixels; the "detector" gives them back as rows of centre, size and
// scores of two classes, for eight boxes.
constexpr std::int64_t kDetectorRows = 6;
constexpr std::int64_t kDetectorBoxes = 8;

/// Multiplies the rows by these factors.
Model detector(const std::vector<float>& factors) {
  testing::ModelBuilder builder;
  builder.input("image", {-1, 1, kDetectorRows, kDetectorBoxes});
  builder.constant("shape", Tensor::of<std::int64_t>({3}, {0, kDetectorRows, kDetectorBoxes}));
  const std::string rows = builder.node("Reshape", {"image", "shape"}, {}, "rows");
  builder.weight("factors", {kDetectorRows, 1}, factors);
  builder.output(builder.node("Mul", {rows, "factors"}, {}, "boxes"),
                 {-1, kDetectorRows, kDetectorBoxes});
  return builder.build();
}

const std::vector<float> kExact = {1, 1, 1, 1, 1, 1};

/// Column `at` of a sample.
void put(std::vector<float>& values, std::size_t sample, std::size_t at,
         const std::array<float, 6>& box) {
  for (std::size_t row = 0; row < box.size(); ++row) values[(sample * 6 + row) * 8 + at] = box[row];
}

/// Two images with a box each: of class 0 around (3, 2), of class 1 around (5, 4).
std::shared_ptr<const DataSource> two_images() {
  std::vector<float> values(2 * 6 * 8);
  put(values, 0, 1, {3, 2, 4, 2, 0.9F, 0});
  put(values, 1, 6, {5, 4, 2, 2, 0, 0.8F});
  return in_memory_data({{"image", Tensor::of<float>({2, 1, 6, 8}, values)}});
}

std::map<std::string, double> detection_scores(const std::string& yaml, const Model& candidate,
                                               std::int64_t first_in_truth = 0) {
  const Model float_model = detector(kExact);
  const auto data = two_images();
  ThreadPool pool(2);
  const ByteBudget budget(testing::kPlenty);
  const Reference reference(
      float_model, data, std::nullopt, pool, budget,
      {.batch = 0,
       .task = make_task(
           read_task(parse_yaml(yaml, "test")),
           {.float_model = float_model, .samples = data, .first_in_truth = first_in_truth})});
  return evaluate(candidate, reference, pool, {.metrics = {}}).metrics;
}

std::string detection_refusal(const std::string& yaml, std::int64_t first_in_truth = 0) {
  try {
    (void)detection_scores(yaml, detector(kExact), first_in_truth);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class Annotated {
 public:
  explicit Annotated(const std::string& json) {
    write_file_atomically(folder_.path() / "boxes.json", json);
  }
  [[nodiscard]] std::string file() const { return (folder_.path() / "boxes.json").string(); }
  [[nodiscard]] std::string yaml(const std::string& more = "") const {
    return "{task: detection, decoder: yolov8, annotations: " + file() + more + "}";
  }

 private:
  TemporaryFolder folder_;
};

constexpr const char* kTruth = R"({
  "images": [{"id": 9, "width": 8, "height": 6}, {"id": 4, "width": 8, "height": 6}],
  "categories": [{"id": 30}, {"id": 10}],
  "annotations": [{"image_id": 9, "category_id": 10, "bbox": [1, 1, 4, 2]},
                  {"image_id": 4, "category_id": 30, "bbox": [4, 3, 2, 2], "area": 4}]})";

TEST(Detection, ComparesWithTheFloatModelsBoxes) {
  const auto same = detection_scores("{task: detection, decoder: yolov8}", detector(kExact));
  EXPECT_DOUBLE_EQ(same.at("map"), 1);
  EXPECT_DOUBLE_EQ(same.at("map_small"), 1);
  EXPECT_FALSE(same.contains("map_large"));
  // The second class is lost.
  const auto half =
      detection_scores("{task: detection, decoder: yolov8}", detector({1, 1, 1, 1, 1, 0}));
  EXPECT_DOUBLE_EQ(half.at("map"), 0.5);
  // Boxes of three quarters of the height overlap by 0.75: the thresholds 0.5 to 0.75.
  const auto flat =
      detection_scores("{task: detection, decoder: yolov8}", detector({1, 1, 1, 0.75F, 1, 1}));
  EXPECT_DOUBLE_EQ(flat.at("map"), 0.6);
}

TEST(Detection, ComparesWithAnnotations) {
  const Annotated truth(kTruth);
  const auto scores = detection_scores(truth.yaml(), detector(kExact));
  EXPECT_DOUBLE_EQ(scores.at("map"), 1);  // class 0 is category 10, class 1 is category 30
  EXPECT_DOUBLE_EQ(
      detection_scores(truth.yaml(", categories: [30, 10]"), detector(kExact)).at("map"), 0);
}

/// The truth of kTruth, in the other order and with an image that no sample is of.
constexpr const char* kNamedTruth = R"({
  "images": [{"id": 4, "width": 8, "height": 6, "file_name": "b.jpg"},
             {"id": 7, "width": 8, "height": 6, "file_name": "c.jpg"},
             {"id": 9, "width": 8, "height": 6, "file_name": "val/a.jpg"}],
  "categories": [{"id": 30}, {"id": 10}],
  "annotations": [{"image_id": 9, "category_id": 10, "bbox": [1, 1, 4, 2]},
                  {"image_id": 4, "category_id": 30, "bbox": [4, 3, 2, 2], "area": 4}]})";

TEST(Detection, FilesFindTheirAnnotationsByName) {
  const Annotated truth(kNamedTruth);
  const auto task_over = [&](const std::vector<std::string>& names) {
    const std::shared_ptr<const DataSource> data = with_names(two_images(), names);
    const Model float_model = detector(kExact);
    return std::pair(make_task(read_task(parse_yaml(truth.yaml(), "test")),
                               {.float_model = float_model, .samples = data}),
                     data);
  };
  const auto map_of = [&](const std::vector<std::string>& names) {
    const auto [task, data] = task_over(names);
    const Model model = detector(kExact);
    ThreadPool pool(2);
    const Reference reference(model, data, std::nullopt, pool, ByteBudget(testing::kPlenty),
                              {.batch = 0, .task = task});
    return evaluate(model, reference, pool, {.metrics = {}}).metrics.at("map");
  };
  EXPECT_DOUBLE_EQ(map_of({"val/a.jpg", "b.jpg"}), 1);
  EXPECT_DOUBLE_EQ(map_of({"a.jpg", "photos/b.jpg"}), 1);  // in another folder
  EXPECT_DOUBLE_EQ(map_of({"b.jpg", "a.jpg"}), 0);
  EXPECT_NE(task_over({"a.jpg", "b.jpg"}).first->key(), task_over({"b.jpg", "a.jpg"}).first->key());
  EXPECT_EQ(message_of([&] {
              (void)task_over({"a.jpg", "d.jpg"});
            }),
            "evaluator detection: 'annotations': '" + truth.file() +
                "' has no image whose 'file_name' is that of 'd.jpg' alone, expected one for each "
                "file of the data");
}

TEST(Detection, TakesResizingBack) {
  // The image has twice the width and 8 pixels of height: a scale of 1/2 and a border of one pixel
  // above.
  const Annotated boxed(R"({"images": [{"id": 1, "width": 16, "height": 8},
                                       {"id": 2, "width": 16, "height": 8}],
    "categories": [{"id": 0}, {"id": 1}],
    "annotations": [{"image_id": 1, "category_id": 0, "bbox": [2, 0, 8, 4]}]})");
  EXPECT_DOUBLE_EQ(detection_scores(boxed.yaml(", resize: letterbox"), detector(kExact)).at("map"),
                   1);
  EXPECT_LT(detection_scores(boxed.yaml(", resize: letterbox_corner"), detector(kExact)).at("map"),
            0.5);
  const Annotated stretched(R"({"images": [{"id": 1, "width": 16, "height": 6},
                                           {"id": 2, "width": 16, "height": 6}],
    "categories": [{"id": 0}, {"id": 1}],
    "annotations": [{"image_id": 1, "category_id": 0, "bbox": [2, 1, 8, 2]}]})");
  EXPECT_DOUBLE_EQ(
      detection_scores(stretched.yaml(", resize: stretch"), detector(kExact)).at("map"), 1);
}

/// Two photos of 16 x 8 pixels, letterboxed into 8 x 6: a scale of 1/2 and a border of one pixel
/// above.
const ImagePlacing kLetterboxed{.image = {.height = 8, .width = 16},
                                .sample = {.height = 6, .width = 8},
                                .scale_x = 0.5,
                                .scale_y = 0.5,
                                .top = 1,
                                .how = "resize: letterbox, place: center"};

class Photos {
 public:
  explicit Photos(const ImagePlacing& placing)
      : data_(with_names(two_images(), {"a.jpg", "b.jpg"}, {placing, placing})) {}

  [[nodiscard]] std::shared_ptr<const Task> task(const std::string& yaml) const {
    const Model model = detector(kExact);
    return make_task(read_task(parse_yaml(yaml, "test")), {.float_model = model, .samples = data_});
  }
  [[nodiscard]] double map(const std::string& yaml) const {
    const Model model = detector(kExact);
    ThreadPool pool(2);
    const Reference reference(model, data_, std::nullopt, pool, ByteBudget(testing::kPlenty),
                              {.batch = 0, .task = task(yaml)});
    return evaluate(model, reference, pool, {.metrics = {}}).metrics.at("map");
  }
  [[nodiscard]] std::string refusal(const std::string& yaml) const {
    return message_of([&] { (void)map(yaml); });
  }

 private:
  std::shared_ptr<const DataSource> data_;
};

/// Annotations of photos of this size, with a box of the first.
std::string annotations_of(int width, int height, const std::string& box) {
  const std::string size =
      "\"width\": " + std::to_string(width) + ", \"height\": " + std::to_string(height);
  return R"({"images": [{"id": 1, "file_name": "a.jpg", )" + size +
         R"(}, {"id": 2, "file_name": "b.jpg", )" + size +
         R"(}], "categories": [{"id": 0}, {"id": 1}],
         "annotations": [{"image_id": 1, "category_id": 0, "bbox": )" +
         box + "}]}";
}

TEST(Detection, TakesTheResizingOfPhotosFromTheirPreprocess) {
  const Annotated truth(annotations_of(16, 8, "[2, 0, 8, 4]"));
  const Photos photos(kLetterboxed);
  EXPECT_DOUBLE_EQ(photos.map(truth.yaml()), 1);
  EXPECT_DOUBLE_EQ(photos.map(truth.yaml(", resize: letterbox")), 1);
  // Annotated at twice the size of the files.
  const Annotated larger(annotations_of(32, 16, "[4, 0, 16, 8]"));
  EXPECT_DOUBLE_EQ(photos.map(larger.yaml()), 1);
  // Cut out of the photo, as a preprocess for classifiers does.
  ImagePlacing cut = kLetterboxed;
  cut.left = -1;
  const Annotated moved(annotations_of(16, 8, "[4, 0, 8, 4]"));
  EXPECT_DOUBLE_EQ(Photos(cut).map(moved.yaml()), 1);
  // Other boxes of the same samples are not taken from the cache.
  EXPECT_NE(Photos(cut).task(truth.yaml())->key(), photos.task(truth.yaml())->key());
}

TEST(Detection, TheLetterboxOfYoloIsThatOfTheKey) {
  const auto maker =
      sample_maker(parse_preprocess("yolo"), {.name = "image", .dimensions = {1, 3, 60, 80}});
  std::vector<std::string> names;
  std::vector<ImagePlacing> placings;
  for (int height = 10; height < 200; height += 3) {
    for (int width = 10; width < 200; ++width) {
      names.push_back(std::to_string(height) + "x" + std::to_string(width));
      placings.push_back(maker->placing({.height = height, .width = width}));
    }
  }
  const Tensor images(DataType::float32, {std::ssize(names), 1, 6, 8});
  const Model model = detector(kExact);
  EXPECT_NO_THROW((void)make_task(
      read_task(parse_yaml("{task: detection, decoder: yolov8, resize: letterbox}", "test")),
      {.float_model = model,
       .samples = with_names(in_memory_data({{"image", images}}), names, placings)}));
}

TEST(Detection, AResizingThatThePreprocessContradictsIsRefused) {
  const Photos photos(kLetterboxed);
  EXPECT_EQ(photos.refusal("{task: detection, decoder: yolov8, resize: letterbox_corner}"),
            "evaluator detection: 'resize': got 'letterbox_corner', and the preprocess of the data "
            "has 'resize: letterbox, place: center', which puts 'a.jpg' of 16 x 8 pixels "
            "elsewhere; leave 'resize' out, the preprocess says it");
  EXPECT_TRUE(photos.refusal("{task: detection, decoder: yolov8, resize: none}")
                  .starts_with("evaluator detection: 'resize': got 'none'"));
  const Annotated turned(annotations_of(8, 16, "[2, 0, 8, 4]"));
  EXPECT_EQ(photos.refusal(turned.yaml()),
            "evaluator detection: 'annotations': image 1 of '" + turned.file() +
                "' is 8 x 16 pixels and 'a.jpg', turned upright, 16 x 8, expected sides of the "
                "same ratio");
}

/// Four rows of corners, score and class, and those of them with a score above 0.5.
Model with_kept_rows(float factor) {
  testing::ModelBuilder builder;
  builder.input("image", {1, 1, 4, 6});
  builder.constant("shape", Tensor::of<std::int64_t>({2}, {4, 6}));
  builder.weight("factor", {1}, {factor});
  const std::string rows = builder.node("Reshape", {"image", "shape"}, {}, "rows");
  const std::string scaled = builder.node("Mul", {rows, "factor"}, {}, "scaled");
  builder.constant("column", Tensor::of<std::int64_t>({1}, {4}));
  builder.constant("line", Tensor::of<std::int64_t>({1}, {4}));
  const std::string column =
      builder.node("Gather", {rows, "column"}, {{.name = "axis", .value = std::int64_t{1}}});
  const std::string scores = builder.node("Reshape", {column, "line"});
  builder.weight("least", {1}, {0.5F});
  const std::string is_kept = builder.node("Greater", {scores, "least"});
  builder.output(scaled, {4, 6});
  builder.output(builder.node("Compress", {scaled, is_kept},
                              {{.name = "axis", .value = std::int64_t{0}}}, "kept"));
  return builder.build();
}

TEST(Detection, ReadsOutputsWhoseSizeDependsOnTheData) {
  const Model float_model = with_kept_rows(1);
  std::vector<float> values(2 * 4 * 6);
  const std::vector<float> box = {1, 1, 5, 5, 0.9F, 3};
  std::ranges::copy(box, values.begin() + 6);        // the second row of the first sample
  std::ranges::copy(box, values.begin() + 24 + 18);  // the last row of the second one
  const auto data = in_memory_data({{"image", Tensor::of<float>({2, 1, 4, 6}, values)}});
  ThreadPool pool(2);
  const ByteBudget budget(testing::kPlenty);
  const Reference reference(
      float_model, data, std::nullopt, pool, budget,
      {.batch = 0,
       .task = make_task(
           read_task(parse_yaml("{task: detection, decoder: nms, output: kept_out}", "test")),
           {.float_model = float_model, .samples = data})});
  EXPECT_EQ(reference.output_names(), std::vector<std::string>{"scaled_out"});
  EXPECT_EQ(reference.skipped_outputs(), std::vector<std::string>{"kept_out"});
  EXPECT_TRUE(reference.unused_outputs().empty());
  const auto scores = [&](float factor) {
    return evaluate(with_kept_rows(factor), reference, pool, {.metrics = {Metric::l2}}).metrics;
  };
  EXPECT_DOUBLE_EQ(scores(1).at("map"), 1);
  EXPECT_EQ(scores(1).at("L2"), 0);
  // A class of 1.5 is another one, and the boxes are too large.
  EXPECT_DOUBLE_EQ(scores(1.5F).at("map"), 0);
}

TEST(Detection, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(detection_refusal("{task: detection}").substr(0, 51),
            "evaluator detection: got no 'decoder', expected one");
  EXPECT_EQ(detection_refusal("{task: detection, decoder: yolov8, agreement_score: 0.95}"),
            "evaluator detection: the float model finds no box with a score of 0.95 or more in 2 "
            "samples, expected at least one; use data with objects, lower 'agreement_score', or "
            "check the 'decoder'");
  const Annotated truth(kTruth);
  EXPECT_EQ(detection_refusal(truth.yaml(), 1),
            "evaluator detection: 'annotations': '" + truth.file() +
                "' has 2 images, expected 3 or more, one for each sample in the order of the "
                "samples");
  EXPECT_EQ(detection_refusal(truth.yaml(", categories: [10]")),
            "evaluator detection: 'categories': the model finds class 1 and there are 1 "
            "categories, expected one for each class; list their ids by class");
  const Annotated larger(R"({"images": [{"id": 1, "width": 16, "height": 8}, {"id": 2}],
                             "categories": [], "annotations": []})");
  EXPECT_EQ(detection_refusal(larger.yaml()),
            "evaluator detection: 'resize': image 1 of '" + larger.file() +
                "' is 16 x 8 pixels and the model's input 8 x 6, expected how it was resized: "
                "stretch, letterbox or letterbox_corner");
  const Annotated broken(R"({"images": [{"id": 1}], "categories": [{"id": 1}],
                             "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1]}]})");
  EXPECT_EQ(detection_refusal(broken.yaml()),
            "annotations: entry 0 of 'annotations' in '" + broken.file() +
                "' has no 'bbox' of four numbers: x, y, width and height");
}

}  // namespace
}  // namespace quantsearch
