#pragma once

// Turns the outputs of detectors into detections.

#include <memory>
#include <string>
#include <vector>

#include "evaluate/sample.h"
#include "evaluate/tasks/boxes.h"
#include "evaluate/tasks/task_options.h"

namespace quantsearch {

/// The values of the outputs for one sample, in the order of Decoder::outputs().
using SampleOutputs = std::vector<Sample>;

/// Thread-safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  [[nodiscard]] virtual const std::vector<std::string>& outputs() const = 0;
  /// Detections of one sample, with boxes in pixels of the model's input and class indices. Throws
  /// InvalidInput when an output has another shape.
  [[nodiscard]] virtual std::vector<Detection> decode(const SampleOutputs& outputs) const = 0;
};

/// The height and width of the model's input.
struct PixelSize {
  double height = 0;
  double width = 0;
};

/// The names of the decoders, for the key 'decoder'.
[[nodiscard]] const std::vector<std::string>& decoder_names();
/// Makes the decoder that the keys describe.
[[nodiscard]] std::unique_ptr<const Decoder> make_decoder(const TaskOptions& options,
                                                          const Model& model, PixelSize input);

}  // namespace quantsearch
