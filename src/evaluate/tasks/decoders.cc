#include "evaluate/tasks/decoders.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "evaluate/tasks/ssd_decoder.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

/// What all decoders of YOLO outputs share.
struct YoloOptions {
  std::string prefix;
  std::vector<std::string> outputs;
  double least_score = 0;
  PixelSize unit;  // of one unit of a box, in pixels
  SuppressionOptions suppression;
};

/// A matrix inside an output: `rows` boxes with `columns` numbers each.
struct Rows {
  const float* values;
  std::int64_t rows;
  std::int64_t columns;
  bool is_transposed;  // [columns, rows] in memory

  [[nodiscard]] double at(std::int64_t row, std::int64_t column) const {
    return values[is_transposed ? column * rows + row : row * columns + column];
  }
};

[[noreturn]] void refuse_shape(const YoloOptions& options, const Sample& sample,
                               const std::string& expected) {
  throw InvalidInput(fmt::format(
      "{}output '{}' has shape {} for one sample, expected {}; choose another 'decoder' or "
      "'output', or export the model with its box decoding",
      options.prefix, options.outputs.front(), to_string(sample.shape), expected));
}

Box scaled(const Box& box, PixelSize unit) {
  return {.x = box.x * unit.width,
          .y = box.y * unit.height,
          .width = box.width * unit.width,
          .height = box.height * unit.height};
}

/// YOLOv5, v6 and v7: [1, boxes, 5 + classes], a row of centre, size, objectness and the scores of
/// classes given an object.
class ObjectnessDecoder final : public Decoder {
 public:
  explicit ObjectnessDecoder(YoloOptions options) : options_(std::move(options)) {}
  [[nodiscard]] const std::vector<std::string>& outputs() const override {
    return options_.outputs;
  }

  [[nodiscard]] std::vector<Detection> decode(const SampleOutputs& outputs) const override {
    constexpr std::int64_t kBeforeClasses = 5;
    const Sample& sample = outputs.front();
    const bool fits = sample.shape.size() == 3 && sample.shape[2] > kBeforeClasses;
    if (!fits) refuse_shape(options_, sample, "[1, boxes, 5 + classes]");
    const Rows rows{sample.values.data(), sample.shape[1], sample.shape[2], false};
    std::vector<Detection> found;
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      const double objectness = rows.at(row, 4);
      if (!(objectness > options_.least_score)) continue;
      const Box box =
          from_center(rows.at(row, 0), rows.at(row, 1), rows.at(row, 2), rows.at(row, 3));
      for (std::int64_t column = kBeforeClasses; column < rows.columns; ++column) {
        const double score = objectness * rows.at(row, column);
        if (score > options_.least_score)
          found.push_back({scaled(box, options_.unit), score, column - kBeforeClasses});
      }
    }
    return suppress(std::move(found), options_.suppression);
  }

 private:
  YoloOptions options_;
};

/// YOLOv8, v9 and v11: [1, 4 + classes, boxes], or transposed; centre, size and the scores of
/// classes.
class AnchorFreeDecoder final : public Decoder {
 public:
  explicit AnchorFreeDecoder(YoloOptions options) : options_(std::move(options)) {}
  [[nodiscard]] const std::vector<std::string>& outputs() const override {
    return options_.outputs;
  }

  [[nodiscard]] std::vector<Detection> decode(const SampleOutputs& outputs) const override {
    constexpr std::int64_t kBeforeClasses = 4;
    const Sample& sample = outputs.front();
    const bool fits =
        sample.shape.size() == 3 && std::min(sample.shape[1], sample.shape[2]) > kBeforeClasses;
    if (!fits) refuse_shape(options_, sample, "[1, 4 + classes, boxes] or [1, boxes, 4 + classes]");
    // There are more boxes than classes in every model of this family.
    const bool is_transposed = sample.shape[1] < sample.shape[2];
    const Rows rows{sample.values.data(), sample.shape[is_transposed ? 2 : 1],
                    sample.shape[is_transposed ? 1 : 2], is_transposed};
    std::vector<Detection> found;
    for (std::int64_t column = kBeforeClasses; column < rows.columns; ++column) {
      for (std::int64_t row = 0; row < rows.rows; ++row) {
        const double score = rows.at(row, column);
        if (!(score > options_.least_score)) continue;
        const Box box =
            from_center(rows.at(row, 0), rows.at(row, 1), rows.at(row, 2), rows.at(row, 3));
        found.push_back({scaled(box, options_.unit), score, column - kBeforeClasses});
      }
    }
    return suppress(std::move(found), options_.suppression);
  }

 private:
  YoloOptions options_;
};

/// Models that suppress boxes themselves, and YOLOv10, which needs no suppression: rows of corners,
/// score and class, [1, boxes, 6] or [boxes, 6]; with seven numbers the first is the image and the
/// class comes before the score (YOLOv7).
class FinalBoxesDecoder final : public Decoder {
 public:
  explicit FinalBoxesDecoder(YoloOptions options) : options_(std::move(options)) {}
  [[nodiscard]] const std::vector<std::string>& outputs() const override {
    return options_.outputs;
  }

  [[nodiscard]] std::vector<Detection> decode(const SampleOutputs& outputs) const override {
    const Sample& sample = outputs.front();
    const bool is_matrix = sample.shape.size() == 2;
    const bool is_one = sample.shape.size() == 3 && sample.shape[0] == 1;
    const std::int64_t columns = sample.shape.empty() ? 0 : sample.shape.back();
    if ((!is_matrix && !is_one) || (columns != 6 && columns != 7))
      refuse_shape(options_, sample, "[1, boxes, 6] or [boxes, 7], as after suppression");
    const Rows rows{sample.values.data(), sample.shape[is_matrix ? 0 : 1], columns, false};
    const std::int64_t first = columns == 7 ? 1 : 0;
    std::vector<Detection> found;
    for (std::int64_t row = 0; row < rows.rows; ++row) {
      const double score = rows.at(row, columns == 7 ? 6 : 4);
      const double category = rows.at(row, 5);
      // Rows that are not used have a score of 0 or the class -1.
      if (!(score > options_.least_score) || !(category >= 0)) continue;
      const Box box = from_corners(rows.at(row, first), rows.at(row, first + 1),
                                   rows.at(row, first + 2), rows.at(row, first + 3));
      found.push_back({scaled(box, options_.unit), score, std::llround(category)});
    }
    std::ranges::stable_sort(found, std::greater<>(), &Detection::score);
    found.resize(std::min(found.size(), options_.suppression.most));
    return found;
  }

 private:
  YoloOptions options_;
};

const std::vector<std::string> kObjectness = {"yolov5", "yolov6", "yolov7"};
const std::vector<std::string> kAnchorFree = {"yolov8", "yolov9", "yolov11"};
const std::vector<std::string> kFinal = {"yolov10", "nms"};

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

double least_score(const TaskOptions& options) { return options.number("score", 0.001, 0, 1); }

SuppressionOptions suppression(const TaskOptions& options) {
  const SuppressionOptions absent;
  return {.overlap = options.number("iou", absent.overlap, 0, 1),
          .most = static_cast<std::size_t>(
              options.integer("max_detections", static_cast<std::int64_t>(absent.most), 1))};
}

PixelSize unit_of(const TaskOptions& options, PixelSize input) {
  return options.flag("normalized", false) ? input : PixelSize{.height = 1, .width = 1};
}

const std::vector<std::string>& decoder_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names = kAnchorFree;
    for (const auto* part : {&kObjectness, &kFinal}) {
      names.insert(names.end(), part->begin(), part->end());
    }
    names.emplace_back("ssd");
    names.emplace_back("boxes");
    return names;
  }();
  return kNames;
}

std::unique_ptr<const Decoder> make_decoder(const TaskOptions& options, const Model& model,
                                            PixelSize input) {
  if (!options.has("decoder")) {
    throw InvalidInput(fmt::format("{}got no 'decoder', expected one of {}", options.prefix(),
                                   some_of(decoder_names(), decoder_names().size())));
  }
  const std::string name = options.choice("decoder", decoder_names());
  if (name == "ssd") return make_ssd_decoder(options, model, input);
  if (name == "boxes") return make_boxes_decoder(options, model, input);
  YoloOptions yolo{.prefix = options.prefix(),
                   .outputs = {only_output(options, model)},
                   .least_score = least_score(options),
                   .unit = unit_of(options, input),
                   .suppression = suppression(options)};
  if (is_in(kObjectness, name)) return std::make_unique<ObjectnessDecoder>(std::move(yolo));
  if (is_in(kAnchorFree, name)) return std::make_unique<AnchorFreeDecoder>(std::move(yolo));
  return std::make_unique<FinalBoxesDecoder>(std::move(yolo));
}

}  // namespace quantsearch
