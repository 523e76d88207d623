// Average precision of detectors, against annotations or against the boxes of the float model.

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "evaluate/tasks/annotations.h"
#include "evaluate/tasks/builtin_tasks.h"
#include "evaluate/tasks/coco_score.h"
#include "evaluate/tasks/decoders.h"
#include "evaluate/tasks/named_truth.h"
#include "evaluate/tasks/resizing.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

/// Height and width of the samples: of the input with four axes, channels first or last.
PixelSize input_size(const TaskOptions& options, const DataSource& samples) {
  for (const auto& [name, tensor] : samples.read(0, 1)) {
    const Shape& shape = tensor.shape();
    if (shape.size() != 4) continue;
    const bool channels_last = shape[3] <= 4 && shape[1] > 4;
    return {.height = static_cast<double>(shape[channels_last ? 1 : 2]),
            .width = static_cast<double>(shape[channels_last ? 2 : 3])};
  }
  throw InvalidInput(fmt::format(
      "{}no input of the samples has four axes, expected images [1, channels, height, width] or "
      "[1, height, width, channels]",
      options.prefix()));
}

class Detections final : public SamplePredictions<std::vector<Detection>> {
 public:
  Detections(const Decoder& decoder, std::int64_t samples)
      : SamplePredictions(samples), decoder_(decoder) {}

  void add(std::int64_t first, std::int64_t count, const Batch& outputs) override {
    std::vector<Tensor> tensors;
    for (const std::string& name : decoder_.outputs())
      tensors.push_back(to_float32(outputs.at(name)));
    for (std::int64_t i = 0; i < count; ++i) {
      SampleOutputs sample;
      for (const Tensor& tensor : tensors) sample.push_back(sample_of(tensor, i, count));
      entry(first + i) = decoder_.decode(sample);
    }
  }

 private:
  const Decoder& decoder_;
};

class DetectionTask final : public BasicTask {
 public:
  DetectionTask(const TaskOptions& options, const TaskData& data, PixelSize input,
                std::unique_ptr<const Decoder> decoder)
      : BasicTask({.scores = coco_score_names(),
                   .outputs = decoder->outputs(),
                   .truth_file = options.text("annotations")},
                  named_task_key(options, data, {"annotations", "priors"}, "annotations")),
        options_(options),
        samples_(data.samples->size()),
        decoder_(std::move(decoder)),
        agreement_score_(options.number("agreement_score", 0.25, 0, 1)) {
    const Resizing resizing(options, data.samples, input);
    if (!has_truth()) return;
    read_truth(*data.samples, data.first_in_truth);
    for (std::size_t sample = 0; sample < images_.size(); ++sample)
      placings_.push_back(resizing.placing(static_cast<std::int64_t>(sample), images_[sample]));
  }

  [[nodiscard]] std::unique_ptr<Predictions> predictions() const override {
    return std::make_unique<Detections>(*decoder_, samples_);
  }

  [[nodiscard]] std::map<std::string, double> score(const Predictions& of_model,
                                                    const Predictions& of_float) const override {
    const auto& found = Detections::of(of_model);
    std::map<std::string, double> scores =
        has_truth() ? against_annotations(found) : against_float(found, Detections::of(of_float));
    if (!scores.empty()) return scores;
    if (has_truth()) {
      options_.refuse("annotations", fmt::format("{} has no box for the {} samples, expected at "
                                                 "least one",
                                                 truth(), samples_));
    }
    throw InvalidInput(fmt::format(
        "{}the float model finds no box with a score of {} or more in {} samples, expected at "
        "least one; use data with objects, lower 'agreement_score', or check the 'decoder'",
        options_.prefix(), agreement_score_, samples_));
  }

 private:
  void read_truth(const DataSource& samples, std::int64_t first) {
    const Annotations annotations = read_annotations(options_.text("annotations"));
    if (have_names(samples)) {
      take_by_name(annotations.images, samples);
    } else {
      take_in_order(annotations.images, first);
    }
    categories_ = options_.integers("categories");
    if (categories_.empty()) categories_ = annotations.categories;
    // The benchmark counts images by their ids, which matters for detections of equal score.
    order_.resize(images_.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::sort(order_, {}, [this](std::size_t image) { return images_[image].id; });
  }

  void take_in_order(const std::vector<AnnotatedImage>& images, std::int64_t first) {
    const auto available = static_cast<std::int64_t>(images.size());
    if (available < first + samples_) {
      options_.refuse("annotations",
                      fmt::format("{} has {} images, expected {} or more, one for each sample in "
                                  "the order of the samples",
                                  truth(), available, first + samples_));
    }
    images_.assign(images.begin() + first, images.begin() + first + samples_);
  }

  void take_by_name(const std::vector<AnnotatedImage>& images, const DataSource& samples) {
    NamedTruth truth{
        .key = "annotations", .entry = "image whose 'file_name' is that of", .names = {}};
    for (const AnnotatedImage& image : images) truth.names.push_back(image.file_name);
    for (const std::size_t image : entries_of(samples, truth, options_))
      images_.push_back(images[image]);
  }

  [[nodiscard]] std::vector<Detection> in_image(const std::vector<Detection>& found,
                                                const std::optional<BoxPlacing>& placing) const {
    std::vector<Detection> result = found;
    for (Detection& detection : result) {
      const auto index = static_cast<std::size_t>(detection.category);
      if (index >= categories_.size()) {
        options_.refuse("categories",
                        fmt::format("the model finds class {} and there are {} categories, "
                                    "expected one for each class; list their ids by class",
                                    index, categories_.size()));
      }
      detection.category = categories_[index];
      if (placing) detection.box = placing->in_image(detection.box);
    }
    return result;
  }

  [[nodiscard]] std::map<std::string, double> against_annotations(
      const std::vector<std::vector<Detection>>& found) const {
    std::vector<std::vector<TruthBox>> truth;
    std::vector<std::vector<Detection>> detections;
    for (const std::size_t image : order_) {
      truth.push_back(images_[image].boxes);
      detections.push_back(in_image(found[image], placings_[image]));
    }
    return coco_scores(truth, detections);
  }

  /// The float model's detections of some confidence are the truth.
  [[nodiscard]] std::map<std::string, double> against_float(
      const std::vector<std::vector<Detection>>& found,
      const std::vector<std::vector<Detection>>& of_float) const {
    std::vector<std::vector<TruthBox>> truth(of_float.size());
    for (std::size_t image = 0; image < of_float.size(); ++image) {
      for (const Detection& detection : of_float[image]) {
        if (detection.score < agreement_score_) continue;
        truth[image].push_back(
            {.box = detection.box, .area = detection.box.area(), .category = detection.category});
      }
    }
    return coco_scores(truth, found);
  }

  TaskOptions options_;
  std::int64_t samples_;
  std::unique_ptr<const Decoder> decoder_;
  double agreement_score_;
  std::vector<AnnotatedImage> images_;  // of the samples
  std::vector<std::optional<BoxPlacing>> placings_;
  std::vector<std::int64_t> categories_;  // ids by class
  std::vector<std::size_t> order_;        // samples in the order of the images' ids
};

std::shared_ptr<const Task> make_detection(const TaskOptions& options, const TaskData& data) {
  const PixelSize input = input_size(options, *data.samples);
  return std::make_shared<const DetectionTask>(options, data, input,
                                               make_decoder(options, data.float_model, input));
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): a table
BuiltinTask detection_task() {
  return {
      {.name = "detection",
       .meaning = "mean average precision of boxes by the rules of the COCO benchmark",
       .scores = coco_score_names(),
       .keys =
           {{"decoder",
             "form of the outputs: yolov5, yolov6, yolov7, yolov8, yolov9, yolov10, yolov11, nms "
             "(rows after suppression), ssd (boxes and scores), boxes (boxes, scores and classes "
             "after suppression)",
             "required"},
            {"annotations",
             "COCO JSON; its images belong to the files of a folder by `file_name`, to other "
             "samples by their order; without it the float model's boxes are the truth",
             "none"},
            {"agreement_score", "least score of a box of the float model that is a truth", "0.25"},
            {"output", "the output to decode", "the only one"},
            {"outputs", "for ssd: [boxes, scores]; for boxes: [boxes, scores, classes]", "none"},
            {"categories", "category ids by class index", "the ids of the annotations, ascending"},
            {"resize",
             "how images of another size than the input were resized: stretch, letterbox "
             "(centred), letterbox_corner; of a folder of images the preprocess says it",
             "none"},
            {"normalized", "boxes are shares of the input's size", "false"},
            {"score", "least score of a detection", "0.001"},
            {"iou", "overlap from which the lesser of two boxes of a class is dropped", "0.65"},
            {"max_detections", "most detections of an image", "300"},
            {"box_format", "for ssd and boxes: xyxy, yxyx, cxcywh or xywh", "xyxy"},
            {"background", "for ssd: the class that is none", "none"},
            {"activation", "for ssd, of the scores: none, softmax or sigmoid", "none"},
            {"priors", "for ssd: array [boxes, 4] of centre and size, when boxes are offsets",
             "none"},
            {"variances", "for ssd with priors: of centre and size", "[0.1, 0.2]"},
            {"first_class", "for boxes: number of the first class, 1 when 0 is the background",
             "0"}}},
      make_detection};
}

}  // namespace quantsearch
