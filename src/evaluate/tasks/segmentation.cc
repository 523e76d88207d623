// Overlap of classes of pixels, against masks or against the classes of the float model.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "evaluate/sample.h"
#include "evaluate/tasks/builtin_tasks.h"
#include "evaluate/tasks/label_map.h"
#include "evaluate/tasks/masks.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

const std::vector<std::string> kSegmentationScores = {"miou", "pixel_accuracy"};

struct PixelOptions {
  std::string prefix;
  std::string output;
  bool holds_classes = false;  // the output holds classes, not scores
  bool channels_last = false;
  double threshold = 0.5;  // of a single channel
};

/// The class of each pixel of one sample.
class PixelClasses {
 public:
  explicit PixelClasses(PixelOptions options) : options_(std::move(options)) {}
  [[nodiscard]] const std::string& output() const { return options_.output; }

  [[nodiscard]] LabelMap of(const Sample& sample) const {
    const Shape& shape = sample.shape;
    if (options_.holds_classes) return rounded(sample);
    if (shape.size() != 4 || sample.values.empty()) {
      throw InvalidInput(fmt::format(
          "{}output '{}' has shape {} for one sample, expected [1, classes, height, width]; give "
          "'axis: last' for classes on the last axis, or 'axis: none' when the output holds "
          "classes",
          options_.prefix, options_.output, to_string(shape)));
    }
    const std::int64_t classes = shape[options_.channels_last ? 3 : 1];
    const auto pixels = static_cast<std::int64_t>(sample.values.size()) / classes;
    std::vector<std::int64_t> labels;
    labels.reserve(static_cast<std::size_t>(pixels));
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel)
      labels.push_back(class_of(sample, pixel, {.pixels = pixels, .classes = classes}));
    return LabelMap(labels);
  }

 private:
  struct Size {
    std::int64_t pixels;
    std::int64_t classes;
  };
  [[nodiscard]] std::int64_t class_of(const Sample& sample, std::int64_t pixel, Size size) const {
    const auto score = [&](std::int64_t index) {
      const std::int64_t at =
          options_.channels_last ? pixel * size.classes + index : index * size.pixels + pixel;
      return sample.values[static_cast<std::size_t>(at)];
    };
    if (size.classes == 1) return score(0) > options_.threshold ? 1 : 0;
    std::int64_t best = 0;
    for (std::int64_t index = 1; index < size.classes; ++index)
      if (score(index) > score(best)) best = index;
    return best;
  }

  [[nodiscard]] LabelMap rounded(const Sample& sample) const {
    std::vector<std::int64_t> labels;
    labels.reserve(sample.values.size());
    constexpr float kMostClasses = 1e6F;
    for (const float value : sample.values) {
      if (!(value >= 0 && value < kMostClasses)) {
        throw InvalidInput(fmt::format("{}output '{}' holds {}, expected classes from 0",
                                       options_.prefix, options_.output, value));
      }
      labels.push_back(std::llround(value));
    }
    return LabelMap(labels);
  }

  PixelOptions options_;
};

class PixelPredictions final : public SamplePredictions<LabelMap> {
 public:
  PixelPredictions(const PixelClasses& classes, std::int64_t samples)
      : SamplePredictions(samples), classes_(classes) {}
  void add(std::int64_t first, std::int64_t count, const Batch& outputs) override {
    const Tensor values = to_float32(outputs.at(classes_.output()));
    for (std::int64_t i = 0; i < count; ++i)
      entry(first + i) = classes_.of(sample_of(values, i, count));
  }

 private:
  const PixelClasses& classes_;
};

PixelOptions pixel_options(const TaskOptions& options, const Model& model) {
  const std::string axis = options.choice("axis", {"channels", "last", "none"});
  return {.prefix = options.prefix(),
          .output = only_output(options, model),
          .holds_classes = axis == "none",
          .channels_last = axis == "last",
          .threshold = options.number("threshold", 0.5, -1e30, 1e30)};
}

class SegmentationTask final : public BasicTask {
 public:
  SegmentationTask(const TaskOptions& options, const TaskData& data, const PixelOptions& pixels)
      : BasicTask({.scores = kSegmentationScores,
                   .outputs = {pixels.output},
                   .truth_file = options.text("masks")},
                  named_task_key(options, data, {"masks"}, "masks")),
        options_(options),
        samples_(data.samples),
        classes_(pixels),
        ignored_(options.integer("ignore", 255, -1)) {
    if (has_truth()) truth_ = read_masks(options_, *data.samples, data.first_in_truth);
  }

  [[nodiscard]] std::unique_ptr<Predictions> predictions() const override {
    return std::make_unique<PixelPredictions>(classes_, samples_->size());
  }

  [[nodiscard]] std::map<std::string, double> score(const Predictions& of_model,
                                                    const Predictions& of_float) const override {
    const std::vector<LabelMap>& found = PixelPredictions::of(of_model);
    const std::vector<LabelMap>& expected = has_truth() ? truth_ : PixelPredictions::of(of_float);
    // A class of the float model is never ignored.
    Confusion confusion(has_truth() ? ignored_ : -1);
    for (std::size_t sample = 0; sample < found.size(); ++sample) {
      if (found[sample].size() != expected[sample].size()) {
        throw InvalidInput(fmt::format(
            "{}the model gives {} pixels for sample {} and the truth has {}, expected masks of the "
            "size of output '{}'",
            options_.prefix(), found[sample].size(), named(sample), expected[sample].size(),
            classes_.output()));
      }
      confusion.add(expected[sample], found[sample]);
    }
    if (confusion.pixels() == 0)
      options_.refuse("ignore", fmt::format("every pixel of {} is ignored", truth()));
    return {{"miou", confusion.mean_overlap()}, {"pixel_accuracy", confusion.accuracy()}};
  }

 private:
  /// The name of a sample's file, or its number.
  [[nodiscard]] std::string named(std::size_t sample) const {
    const std::string name = samples_->sample_name(static_cast<std::int64_t>(sample));
    return name.empty() ? std::to_string(sample) : "'" + name + "'";
  }

  TaskOptions options_;
  std::shared_ptr<const DataSource> samples_;
  PixelClasses classes_;
  std::int64_t ignored_;
  std::vector<LabelMap> truth_;
};

std::shared_ptr<const Task> make_segmentation(const TaskOptions& options, const TaskData& data) {
  return std::make_shared<const SegmentationTask>(options, data,
                                                  pixel_options(options, data.float_model));
}

}  // namespace

BuiltinTask segmentation_task() {
  return {{.name = "segmentation",
           .meaning = "mean intersection over union of the classes of pixels",
           .scores = kSegmentationScores,
           .keys = {{"output", "the output with the scores of each pixel", "the only one"},
                    {"axis",
                     "where the classes are: channels ([n, classes, height, width]), last, or none "
                     "when the output holds classes",
                     "channels"},
                    {"threshold", "of a single channel: above it a pixel has class 1", "0.5"},
                    {"masks",
                     "array [n, height, width] of integers in the order of the samples; for a "
                     "folder of images also a folder of .png or .npy files, or an .npz with an "
                     "array for each, of the same names; without it the float model's classes are "
                     "the truth",
                     "none"},
                    {"ignore", "class in the masks that counts for nothing; -1 is none", "255"}}},
          make_segmentation};
}

}  // namespace quantsearch
