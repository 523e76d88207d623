// The use case of smoothing: a transformer whose normalized channels differ much in magnitude.

#include <gtest/gtest.h>

#include <cmath>

#include "quantsearch/base/random.h"
#include "quantsearch/pipeline/pipeline.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

using testing::kSource;

Initializer& constant(Model& model, std::string_view name) {
  for (Initializer& initializer : model.graph.initializers)
    if (initializer.name == name) return initializer;
  throw std::runtime_error("no initializer " + std::string(name));
}

/// Multiplies value i by factor(i).
template <typename Factor>
void multiply(Model& model, std::string_view name, const Factor& factor) {
  Initializer& found = constant(model, name);
  Tensor tensor = *found.tensor;
  const auto values = tensor.mutable_values<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(values[i] * factor(i));
  found.tensor = std::make_shared<const Tensor>(std::move(tensor));
}

/// Returns tinyvit with each channel between a LayerNormalization and a MatMul scaled by 1/16 to 16
/// and the weights scaled inversely, so that the function stays the same.
Model tinyvit_with_outliers() {
  Model model = load_model(kSource / "tests/data/tinyvit.onnx");
  RandomStream stream(1);
  const GraphIndex index(model.graph);
  for (const Node& norm : model.graph.nodes) {
    if (!norm.is("LayerNormalization") || index.consumers(norm.outputs[0]).size() != 1) continue;
    const Node& reader =
        model.graph.nodes[static_cast<std::size_t>(index.consumers(norm.outputs[0])[0])];
    if (!reader.is("MatMul")) continue;
    std::vector<double> scales;
    for (std::int64_t channel = 0; channel < index.initializer(norm.input(1))->size(); ++channel)
      scales.push_back(std::exp2(8 * stream.uniform() - 4));
    const auto columns = static_cast<std::size_t>(index.initializer(reader.input(1))->shape()[1]);
    multiply(model, norm.input(1), [&](std::size_t i) { return scales[i]; });
    multiply(model, norm.input(2), [&](std::size_t i) { return scales[i]; });
    multiply(model, reader.input(1), [&](std::size_t i) { return 1 / scales[i / columns]; });
  }
  return model;
}

TEST(Smoothing, RestoresTheAccuracyOfATransformerWithOutliers) {
  const Model model = tinyvit_with_outliers();
  const auto images =
      open_data(kSource / "examples/fashion_mnist/calibration_100.npz", model, {.limit = 32})
          .source;
  ThreadPool pool(2);
  const ByteBudget budget(std::int64_t{1} << 28);
  const Reference reference(model, images, std::nullopt, pool, budget, {.batch = 0});
  Pipeline pipeline(model, images, pool, budget, {});
  const auto noise = [&](const std::string& options) {
    const Settings settings =
        settings_from(parse_yaml("{activation_type: QInt8, " + options + "}", "test"));
    Candidate candidate = pipeline.build(resolve(settings), {});
    return pipeline.score(candidate, reference, {.metrics = {Metric::rel_l2}}).metrics.at("rel_l2");
  };
  const double plain = noise("include_sq: false");
  for (const char* alpha : {"0.5", "auto"}) {
    EXPECT_LT(noise(std::string("include_sq: true, extra_options: {SmoothAlpha: ") + alpha + "}"),
              plain / 10)
        << alpha;
  }
}

}  // namespace
}  // namespace quantsearch
