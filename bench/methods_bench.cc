// Measures the contribution of each method: prints every row of a file of configurations for one
// model as a Markdown table.
//   methods_bench ROWS.yaml MODEL.onnx CALIBRATION EVALUATION
// The first 100 samples of CALIBRATION are used for calibration and the first 20 of EVALUATION for
// evaluation. `cosine` is the mean over samples; `classes` is the share of positions (rows of the
// last axis) with the same best class as the float model; `rare` is the same share among positions
// where that class is not the float model's most frequent one.

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "guarded_main.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {
namespace {

constexpr std::int64_t kCalibrationSamples = 100;
constexpr std::int64_t kEvaluationSamples = 20;

std::vector<std::int64_t> best_classes(const Model& model, const DataSource& data) {
  const auto session = open_session(model);
  const std::string& name = model.graph.outputs.front().name;
  std::vector<std::int64_t> classes;
  for (std::int64_t sample = 0; sample < data.size(); ++sample) {
    const Tensor output = session->run(data.read(sample, 1)).at(name);
    const auto width = static_cast<std::size_t>(output.shape().back());
    const auto values = output.values<float>();
    for (std::size_t at = 0; at + width <= values.size(); at += width) {
      const auto row = values.subspan(at, width);
      classes.push_back(std::ranges::max_element(row) - row.begin());
    }
  }
  return classes;
}

struct Agreement {
  double all = 0;
  double rare = 0;
};

Agreement agreement(const std::vector<std::int64_t>& expected,
                    const std::vector<std::int64_t>& got) {
  std::map<std::int64_t, int> frequency;
  for (const std::int64_t type : expected) ++frequency[type];
  const auto most =
      std::ranges::max_element(frequency, {}, [](const auto& entry) { return entry.second; });
  int agree = 0;
  int agree_rare = 0;
  int rare = 0;
  for (std::size_t at = 0; at < expected.size(); ++at) {
    const bool is_rare = expected[at] != most->first;
    rare += is_rare ? 1 : 0;
    if (expected[at] != got[at]) continue;
    ++agree;
    agree_rare += is_rare ? 1 : 0;
  }
  return {.all = static_cast<double>(agree) / static_cast<double>(expected.size()),
          .rare = rare == 0 ? 1 : static_cast<double>(agree_rare) / rare};
}

bool is_wide(DataType type) { return type == DataType::int16 || type == DataType::uint16; }

/// Returns how many of the nodes that begin a layer of mixed precision read a tensor with 16 bits.
std::string wide_layers(const Model& model) {
  static const std::set<std::string> kBegin = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
  const GraphIndex index(model.graph);
  int layers = 0;
  int wide = 0;
  const auto reads_wide = [&](const std::string& tensor) {
    const auto producer = index.producer(tensor);
    if (!producer) return false;
    const Node& node = model.graph.nodes[static_cast<std::size_t>(*producer)];
    if (node.op_type != "DequantizeLinear") return false;
    const Tensor* zero_point = index.initializer(node.input(2));
    const Tensor* integers = index.initializer(node.input(0));
    return (zero_point != nullptr && is_wide(zero_point->type())) ||
           (integers != nullptr && is_wide(integers->type()));
  };
  for (const Node& node : model.graph.nodes) {
    if (!kBegin.contains(node.op_type)) continue;
    ++layers;
    if (reads_wide(node.inputs[0]) || reads_wide(node.inputs[1])) ++wide;
  }
  return fmt::format("{} of {}", wide, layers);
}

int run(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: methods_bench ROWS.yaml MODEL.onnx CALIBRATION EVALUATION\n");
    return 2;
  }
  const Value rows = load_config_file(argv[1]);
  ThreadPool pool(2);
  const ByteBudget budget(std::int64_t{2} << 30);
  const Model model = load_model(argv[2]);
  const LoadedData calibration = open_data(argv[3], model, {.limit = kCalibrationSamples});
  const LoadedData evaluation = open_data(argv[4], model, {.limit = kEvaluationSamples});
  const Reference reference(model, evaluation.source, std::nullopt, pool, budget, {.batch = 1});
  const std::vector<std::int64_t> expected = best_classes(model, *evaluation.source);
  Pipeline pipeline(model, calibration.source, pool, budget, {});
  fmt::print(
      "| {} | 16-bit layers | cosine | classes | rare | seconds |\n|---|---|---|---|---|---|\n",
      std::filesystem::path(argv[2]).stem().string());
  const auto cells_of = [&](const Value& row) {
    const Stopwatch watch;
    const Settings settings = settings_from(*row.find("quantization_config"));
    Candidate candidate = pipeline.build(resolve(settings), {});
    const double seconds = watch.seconds();
    const double cosine =
        pipeline.score(candidate, reference, {.metrics = {Metric::cos}}).metrics.at("cos");
    const Model& made = candidate.quantized->model;
    const Agreement agree = agreement(expected, best_classes(made, *evaluation.source));
    return fmt::format("{} | {:.4f} | {:.4f} | {:.4f} | {:.1f}", wide_layers(made), cosine,
                       agree.all, agree.rare, seconds);
  };
  for (const Value& row : rows.as_list()) {
    std::string cells;
    try {
      cells = cells_of(row);
    } catch (const InvalidInput& error) {  // limits that cannot be met are shown in the table
      cells = fmt::format("{} | | | |", error.what());
    }
    fmt::print("| {} | {} |\n", row.find("name")->as_string(), cells);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace quantsearch

int main(int argc, char** argv) {
  return quantsearch::bench::guarded_main("methods_bench",
                                          [&] { return quantsearch::run(argc, argv); });
}
