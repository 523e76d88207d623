#pragma once

// A small network for the tests: three Convs with Relus, of which the middle one has a weight whose
// small values a single 8-bit scale cannot represent.

#include <string_view>

#include "quantsearch/precision.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

inline Model network_with_a_hard_layer() {
  ModelBuilder builder;
  std::string tensor = builder.input("x", {-1, 3, 4, 4});
  for (const char* name : {"first", "hard", "last"}) {
    const std::string weight = std::string(name) + ".w";
    if (std::string_view(name) == "hard") {
      // Channel 0 of its input is always 0, so the large weights have no effect but take the range.
      builder.weight(weight, {3, 3, 1, 1},
                     {100, 0.21F, 0.13F, 100, 0.3F, 0.17F, 100, 0.29F, 0.11F});
    } else if (std::string_view(name) == "last") {
      builder.weight(weight, {3, 3, 1, 1},
                     {0.5F, 0.4F, -0.25F, 0.2F, 0.3F, 0.7F, 0.1F, -0.6F, 0.4F});
    } else {
      builder.weight(weight, {3, 3, 1, 1},
                     {-0.5F, -0.2F, -0.1F, 0.3F, 0.6F, 0.2F, 0.4F, 0.1F, 0.7F});
    }
    tensor = builder.node("Conv", {tensor, weight}, {}, name);
    if (std::string_view(name) != "last")
      tensor = builder.node("Relu", {tensor}, {}, std::string(name) + "_relu");
  }
  builder.output(tensor, {-1, 3, 4, 4});
  return builder.build();
}

inline std::shared_ptr<const DataSource> twelve_samples() {
  return in_memory_data({{"x", random_tensor({12, 3, 4, 4}, 5, 0, 1)}});
}

inline CalibrationResult calibration_of(const Model& model, const std::vector<DataType>& types) {
  ThreadPool pool(1);
  const Statistics statistics =
      observe(model, *twelve_samples(), pool, {.tensors = tensors_to_observe(model)});
  CalibrationResult calibration{.ranges = {}, .extremes = extremes_of(statistics)};
  for (const DataType type : types) {
    calibration.ranges[type] =
        choose_ranges(statistics, {.method = RangeMethod::min_max, .type = type}, pool);
  }
  return calibration;
}

inline const NodeFormat kSixteen{
    .activation = DataType::uint16, .weight = DataType::int16, .keep_float = false};
inline const NodeFormat kSixteenActivations{
    .activation = DataType::uint16, .weight = {}, .keep_float = false};
inline const NodeFormat kSixteenWeights{
    .activation = {}, .weight = DataType::int16, .keep_float = false};

}  // namespace quantsearch::testing
