#pragma once

// How boxes in a sample are taken back to the image that it was made of.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "evaluate/tasks/annotations.h"
#include "evaluate/tasks/boxes.h"
#include "evaluate/tasks/decoders.h"
#include "evaluate/tasks/task_options.h"
#include "quantsearch/data.h"

namespace quantsearch {

/// A point (x, y) of the image is at (x * scale_x + left, y * scale_y + top) of the sample.
struct BoxPlacing {
  PixelSize image;
  double scale_x = 1;
  double scale_y = 1;
  double left = 0;
  double top = 0;

  /// Cut off at the borders of the image.
  [[nodiscard]] Box in_image(const Box& box) const;
};

/// By the key `resize`, or by what the data say of their own images.
class Resizing {
 public:
  /// `input`: the size of samples that say nothing. Throws InvalidInput when the key contradicts
  /// the data.
  Resizing(const TaskOptions& options, std::shared_ptr<const DataSource> samples, PixelSize input);

  /// For an annotated image; absent when boxes are as they are in the sample. Throws InvalidInput
  /// when it was resized and nothing says how, and for annotations of another image.
  [[nodiscard]] std::optional<BoxPlacing> placing(std::int64_t sample,
                                                  const AnnotatedImage& image) const;

 private:
  void require_agreement(std::int64_t sample, const ImagePlacing& known) const;
  [[nodiscard]] BoxPlacing placing_of_file(std::int64_t sample, const AnnotatedImage& image,
                                           const ImagePlacing& known) const;
  void require_size(const AnnotatedImage& image) const;

  TaskOptions options_;
  std::shared_ptr<const DataSource> samples_;
  PixelSize input_;
  std::string resize_;
};

}  // namespace quantsearch
