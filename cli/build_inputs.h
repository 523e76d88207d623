#pragma once

// What a command builds one model of.

#include <string>

#include "common.h"
#include "configuration.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch::cli {

struct BuildInputs {
  QuantizationConfig config;
  Model model;  // with the fixed inputs of the configuration
  LoadedData calibration;
};

/// Refuses invalid settings before it reads the model, and a quantized model before the data are
/// opened. Throws InvalidInput, Unsupported and IoError.
[[nodiscard]] BuildInputs read_inputs(const Configuration& request, const std::string& model_file,
                                      const DataOptionsText& calibration, int threads);

}  // namespace quantsearch::cli
