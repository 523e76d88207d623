// Measures the time of the pipeline for several numbers of layers and samples: a chain of 3x3 Convs
// with Relus, 16 channels, on 16x16 images, with two threads. Each row uses a new pipeline, so that
// nothing is shared. The time per layer and sample is constant when the cost is linear in both.
//   chain_bench

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "guarded_main.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {
namespace {

constexpr int kChannels = 16;
constexpr int kSide = 16;
constexpr int kRounds = 3;  // the least time of this many rounds is reported

Tensor random_values(const Shape& shape, double deviation, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  RandomStream random(seed);
  for (float& value : values) value = static_cast<float>(deviation * random.normal());
  return Tensor::of<float>(shape, values);
}

ValueInfo images(const std::string& name) {
  const std::vector<Dimension> shape = {{.size = {}, .symbol = "batch"},
                                        {.size = kChannels, .symbol = ""},
                                        {.size = kSide, .symbol = ""},
                                        {.size = kSide, .symbol = ""}};
  return {.name = name, .type = DataType::float32, .dimensions = shape, .extra = ""};
}

Node node(const std::string& op_type, const std::string& name,
          const std::vector<std::string>& inputs, const std::string& output) {
  Node made;
  made.op_type = op_type;
  made.name = name;
  made.inputs = inputs;
  made.outputs = {output};
  return made;
}

Model chain(int layers) {
  Model model;
  model.ir_version = 8;
  model.opsets = {{"", 17}};
  Graph& graph = model.graph;
  graph.name = "chain";
  graph.inputs = {images("x")};
  // This deviation keeps the magnitude of values constant through Relus.
  const double deviation = std::sqrt(2.0 / (9 * kChannels));
  std::string tensor = "x";
  for (int layer = 0; layer < layers; ++layer) {
    const std::string name = fmt::format("conv{}", layer);
    const Tensor weight =
        random_values({kChannels, kChannels, 3, 3}, deviation, static_cast<std::uint64_t>(layer));
    graph.initializers.push_back(
        {.name = name + ".weight", .tensor = std::make_shared<const Tensor>(weight)});
    Node conv = node("Conv", name, {tensor, name + ".weight"}, name + ".out");
    conv.set_attribute("pads", std::vector<std::int64_t>{1, 1, 1, 1});
    graph.nodes.push_back(conv);
    tensor = name + ".relu";
    graph.nodes.push_back(node("Relu", name + "_relu", {name + ".out"}, tensor));
  }
  graph.outputs = {images(tensor)};
  check_model(model);
  return model;
}

double seconds_of(const Model& model, const std::shared_ptr<const DataSource>& data,
                  const std::string& config) {
  double least = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    ThreadPool pool(2);
    const Stopwatch watch;
    Pipeline pipeline(model, data, pool, ByteBudget(std::int64_t{1} << 30), {});
    (void)pipeline.build(resolve(settings_from(parse_yaml(config, "chain_bench"))), {});
    least = std::min(least, watch.seconds());
  }
  return least;
}

struct Row {
  const char* name;
  const char* config;
};

constexpr Row kRows[] = {
    {"quantize", "{preset: A8W8}"},
    {"gptq",
     "{preset: A8W8, include_fast_ft: true, extra_options: {FastFinetune: {OptimAlgorithm: "
     "gptq}}}"},
    {"adaround, 200 iterations",
     "{preset: A8W8, include_fast_ft: true, extra_options: {FastFinetune: {NumIterations: 200}}}"},
};

void measure(int layers, std::int64_t samples) {
  const Model model = chain(layers);
  const auto data =
      in_memory_data({{"x", random_values({samples, kChannels, kSide, kSide}, 1, 7)}});
  fmt::print("| {} | {} |", layers, samples);
  for (const Row& row : kRows) fmt::print(" {:.3f} |", seconds_of(model, data, row.config));
  fmt::print("\n");
  std::fflush(stdout);
}

int run() {
  fmt::print("| layers | samples |");
  for (const Row& row : kRows) fmt::print(" {}, s |", row.name);
  fmt::print("\n|---|---|---|---|---|\n");
  for (const int layers : {8, 16, 32, 64}) measure(layers, 64);
  for (const std::int64_t samples : {128, 256, 512}) measure(16, samples);
  return 0;
}

}  // namespace
}  // namespace quantsearch

int main() {
  return quantsearch::bench::guarded_main("chain_bench", [] { return quantsearch::run(); });
}
