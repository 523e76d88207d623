#include "evaluate/tasks/ssd_decoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

enum class BoxFormat { corners, corners_y_first, center, corner_and_size };

const std::vector<std::string> kFormats = {"xyxy", "yxyx", "cxcywh", "xywh"};

BoxFormat format_of(const TaskOptions& options, const char* absent) {
  const std::string name =
      options.has("box_format") ? options.choice("box_format", kFormats) : absent;
  const auto found = std::ranges::find(kFormats, name);
  return static_cast<BoxFormat>(found - kFormats.begin());
}

Box box_of(std::span<const float> numbers, BoxFormat format, PixelSize unit) {
  const std::array<double, 4> n = {numbers[0], numbers[1], numbers[2], numbers[3]};
  Box box;
  switch (format) {
    case BoxFormat::corners:
      box = from_corners(n[0], n[1], n[2], n[3]);
      break;
    case BoxFormat::corners_y_first:
      box = from_corners(n[1], n[0], n[3], n[2]);
      break;
    case BoxFormat::center:
      box = from_center(n[0], n[1], n[2], n[3]);
      break;
    case BoxFormat::corner_and_size:
      box = {.x = n[0], .y = n[1], .width = n[2], .height = n[3]};
      break;
  }
  return {.x = box.x * unit.width,
          .y = box.y * unit.height,
          .width = box.width * unit.width,
          .height = box.height * unit.height};
}

/// The outputs of the key 'outputs'. Throws InvalidInput unless they are as many as `roles`.
std::vector<std::string> named_outputs(const TaskOptions& options, const Model& model,
                                       const std::string& roles, std::size_t count) {
  std::vector<std::string> names = options.texts("outputs");
  if (names.size() != count) {
    options.refuse("outputs",
                   fmt::format("got {} names, expected {}: [{}]", names.size(), count, roles));
  }
  for (const std::string& name : names) require_output(options, model, name);
  return names;
}

/// Throws InvalidInput unless the sample is a matrix of `columns` (0: any number), with or without
/// a first axis of 1. Returns the number of rows.
std::size_t rows_of(const TaskOptions& options, const std::string& output, const Sample& sample,
                    std::int64_t columns) {
  const Shape& shape = sample.shape;
  const std::size_t rank = columns == 1 ? 1 : 2;
  const bool is_plain = shape.size() == rank;
  const bool is_one = shape.size() == rank + 1 && shape[0] == 1;
  const bool fits = columns <= 1 || (!shape.empty() && shape.back() == columns);
  if ((is_plain || is_one) && fits) return static_cast<std::size_t>(shape[is_one ? 1 : 0]);
  throw InvalidInput(fmt::format(
      "{}output '{}' has shape {} for one sample, expected {}; name the right 'outputs'",
      options.prefix(), output, to_string(shape),
      columns == 1   ? "[1, boxes]"
      : columns == 4 ? "[1, boxes, 4]"
                     : "[1, boxes, classes]"));
}

void require_equal_rows(const TaskOptions& options, const std::vector<std::string>& outputs,
                        std::size_t boxes, std::size_t others) {
  if (boxes == others) return;
  throw InvalidInput(fmt::format(
      "{}output '{}' has {} boxes and output '{}' {} rows, expected as many; name the right "
      "'outputs'",
      options.prefix(), outputs[0], boxes, outputs[1], others));
}

class SsdDecoder final : public Decoder {
 public:
  SsdDecoder(const TaskOptions& options, const Model& model, PixelSize input)
      : options_(options),
        outputs_(named_outputs(options, model, "boxes, scores", 2)),
        format_(format_of(options, "xyxy")),
        activation_(options.choice("activation", {"none", "softmax", "sigmoid"})),
        unit_(unit_of(options, input)),
        least_score_(least_score(options)),
        suppression_(suppression(options)) {
    if (options.has("background")) background_ = options.integer("background", 0, 0);
    read_priors();
  }
  [[nodiscard]] const std::vector<std::string>& outputs() const override { return outputs_; }

  [[nodiscard]] std::vector<Detection> decode(const SampleOutputs& outputs) const override {
    const std::size_t count = rows_of(options_, outputs_[0], outputs[0], 4);
    require_equal_rows(options_, outputs_, count, rows_of(options_, outputs_[1], outputs[1], 0));
    if (priors_ && count != priors_->size()) {
      throw InvalidInput(fmt::format("{}output '{}' has {} boxes, expected {}, one for each prior",
                                     options_.prefix(), outputs_[0], count, priors_->size()));
    }
    const std::size_t classes = row_length(outputs[1].shape);
    std::vector<Detection> found;
    std::vector<double> scores(classes);
    for (std::size_t row = 0; row < count; ++row) {
      activate(outputs[1].values.subspan(row * classes, classes), scores);
      std::optional<Box> box;
      for (std::size_t column = 0; column < classes; ++column) {
        if (background_ == static_cast<std::int64_t>(column)) continue;
        if (!(scores[column] > least_score_)) continue;
        if (!box) box = box_at(row, outputs[0].values.subspan(row * 4, 4));
        found.push_back({*box, scores[column], category_of(column)});
      }
    }
    return suppress(std::move(found), suppression_);
  }

 private:
  void read_priors() {
    if (!options_.has("priors")) return;
    const std::string file = options_.text("priors");
    const Tensor array = to_float32(load_array(file, "priors"));
    if (array.shape().size() != 2 || array.shape()[1] != 4)
      options_.refuse("priors", fmt::format("'{}' has shape {}, expected [boxes, 4]: centre and "
                                            "size of each",
                                            file, to_string(array.shape())));
    priors_.emplace();
    const std::span<const float> values = array.values<float>();
    for (std::size_t at = 0; at < values.size(); at += 4)
      priors_->push_back({values[at], values[at + 1], values[at + 2], values[at + 3]});
    if (options_.has("variances")) {
      const std::vector<double> given = options_.numbers("variances");
      if (given.size() != 2) options_.refuse("variances", "expected two, of centre and size");
      variances_ = {given[0], given[1]};
    }
  }

  /// The box at a row: decoded already, or an offset to a prior (equation 2 of the paper, whose
  /// variances are a convention of its implementations).
  [[nodiscard]] Box box_at(std::size_t row, std::span<const float> numbers) const {
    if (!priors_) return box_of(numbers, format_, unit_);
    const std::array<double, 4>& prior = (*priors_)[row];
    const Box box = from_center(prior[0] + numbers[0] * variances_[0] * prior[2],
                                prior[1] + numbers[1] * variances_[0] * prior[3],
                                prior[2] * std::exp(numbers[2] * variances_[1]),
                                prior[3] * std::exp(numbers[3] * variances_[1]));
    return {.x = box.x * unit_.width,
            .y = box.y * unit_.height,
            .width = box.width * unit_.width,
            .height = box.height * unit_.height};
  }

  void activate(std::span<const float> logits, std::vector<double>& scores) const {
    if (activation_ == "none") {
      std::ranges::copy(logits, scores.begin());
      return;
    }
    const bool is_softmax = activation_ == "softmax";
    const double largest = is_softmax ? *std::ranges::max_element(logits) : 0;
    double sum = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      scores[i] = is_softmax ? std::exp(logits[i] - largest) : 1 / (1 + std::exp(-logits[i]));
      sum += scores[i];
    }
    if (!is_softmax) return;
    for (double& score : scores) score /= sum;
  }

  /// Classes are counted without the background.
  [[nodiscard]] std::int64_t category_of(std::size_t column) const {
    const auto index = static_cast<std::int64_t>(column);
    return background_ && index > *background_ ? index - 1 : index;
  }

  TaskOptions options_;
  std::vector<std::string> outputs_;
  BoxFormat format_;
  std::string activation_;
  PixelSize unit_;
  double least_score_;
  SuppressionOptions suppression_;
  std::optional<std::int64_t> background_;
  std::optional<std::vector<std::array<double, 4>>> priors_;
  std::array<double, 2> variances_ = {0.1, 0.2};
};

class BoxesDecoder final : public Decoder {
 public:
  BoxesDecoder(const TaskOptions& options, const Model& model, PixelSize input)
      : options_(options),
        outputs_(named_outputs(options, model, "boxes, scores, classes", 3)),
        format_(format_of(options, "xyxy")),
        unit_(unit_of(options, input)),
        first_class_(options.integer("first_class", 0, 0)),
        least_score_(least_score(options)),
        most_(suppression(options).most) {}
  [[nodiscard]] const std::vector<std::string>& outputs() const override { return outputs_; }

  [[nodiscard]] std::vector<Detection> decode(const SampleOutputs& outputs) const override {
    const std::size_t count = rows_of(options_, outputs_[0], outputs[0], 4);
    for (const std::size_t other : {std::size_t{1}, std::size_t{2}}) {
      require_equal_rows(options_, {outputs_[0], outputs_[other]}, count,
                         rows_of(options_, outputs_[other], outputs[other], 1));
    }
    std::vector<Detection> found;
    for (std::size_t row = 0; row < count; ++row) {
      const double score = outputs[1].values[row];
      const std::int64_t category = std::llround(outputs[2].values[row]) - first_class_;
      if (!(score > least_score_) || category < 0) continue;
      found.push_back(
          {box_of(outputs[0].values.subspan(row * 4, 4), format_, unit_), score, category});
    }
    std::ranges::stable_sort(found, std::greater<>(), &Detection::score);
    found.resize(std::min(found.size(), most_));
    return found;
  }

 private:
  TaskOptions options_;
  std::vector<std::string> outputs_;
  BoxFormat format_;
  PixelSize unit_;
  std::int64_t first_class_;
  double least_score_;
  std::size_t most_;
};

}  // namespace

std::unique_ptr<const Decoder> make_ssd_decoder(const TaskOptions& options, const Model& model,
                                                PixelSize input) {
  return std::make_unique<SsdDecoder>(options, model, input);
}

std::unique_ptr<const Decoder> make_boxes_decoder(const TaskOptions& options, const Model& model,
                                                  PixelSize input) {
  return std::make_unique<BoxesDecoder>(options, model, input);
}

}  // namespace quantsearch
