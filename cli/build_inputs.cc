#include "build_inputs.h"

#include <utility>

#include "quantsearch/quantize/quantized_already.h"

namespace quantsearch::cli {

BuildInputs read_inputs(const Configuration& request, const std::string& model_file,
                        const DataOptionsText& calibration, int threads) {
  QuantizationConfig config = resolve(request.settings);
  Model model = fix_inputs(load_model(model_file), request.fixed_inputs);
  if (!config.requantize) require_float_activations(model);
  LoadedData data =
      open_data(calibration, model, request.fixed_inputs,
                {.limit = std::nullopt, .preprocess = request.preprocess, .threads = threads});
  return {.config = std::move(config), .model = std::move(model), .calibration = std::move(data)};
}

}  // namespace quantsearch::cli
