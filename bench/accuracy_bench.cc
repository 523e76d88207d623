// Prints the accuracy and distance of every row of bench/accuracy.yaml as a Markdown table.
//   accuracy_bench CALIBRATION.npz EVALUATION.npz MODEL.onnx...
// The first 100 samples of CALIBRATION are used for calibration. Top-1 is over all of EVALUATION,
// which contains `labels`; L2 is the mean Euclidean distance of the first output over its first 200
// samples.

#include <fmt/core.h>

#include <cmath>
#include <filesystem>

#include "guarded_main.h"
#include "quantsearch/base/error.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {
namespace {

constexpr std::int64_t kCalibrationSamples = 100;
constexpr std::int64_t kDistanceSamples = 200;
constexpr std::int64_t kBudgetBytes = std::int64_t{1} << 30;

std::vector<double> first_output(const Session& session, const DataSource& data,
                                 const std::string& name, std::int64_t sample) {
  const Batch outputs = session.run(data.read(sample, 1));
  const auto values = outputs.at(name).values<float>();
  return {values.begin(), values.end()};
}

double mean_euclidean_distance(const Model& reference, const Model& candidate,
                               const DataSource& data) {
  const auto float_session = open_session(reference);
  const auto session = open_session(candidate);
  const std::string& name = reference.graph.outputs.front().name;
  const std::int64_t samples = std::min(kDistanceSamples, data.size());
  double sum = 0;
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    const auto expected = first_output(*float_session, data, name, sample);
    const auto got = first_output(*session, data, name, sample);
    double squares = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      squares += (got[i] - expected[i]) * (got[i] - expected[i]);
    }
    sum += std::sqrt(squares);
  }
  return sum / static_cast<double>(samples);
}

/// Returns the cells of one model, row by row.
std::vector<std::string> cells_of(const std::filesystem::path& file,
                                  const std::filesystem::path& calibration_file,
                                  const std::filesystem::path& evaluation_file, const Value& rows) {
  ThreadPool pool(2);
  const ByteBudget budget(kBudgetBytes);
  const Model model = load_model(file);
  const LoadedData calibration = open_data(calibration_file, model, {.limit = kCalibrationSamples});
  const LoadedData evaluation = open_data(evaluation_file, model);
  const Reference reference(model, evaluation.source, evaluation.labels, pool, budget,
                            {.batch = 0});
  const EvaluateOptions options{.metrics = {Metric::top1}};
  std::vector<std::string> cells = {
      fmt::format("{:.4f}", reference.float_scores(options.metrics).metrics.at("top1"))};
  Pipeline pipeline(model, calibration.source, pool, budget, {});
  for (const Value& row : rows.as_list()) {
    const Settings settings = settings_from(*row.find("quantization_config"));
    Candidate candidate = pipeline.build(resolve(settings), {});
    const double top1 = pipeline.score(candidate, reference, options).metrics.at("top1");
    cells.push_back(fmt::format(
        "{:.4f} / {:.3f}", top1,
        mean_euclidean_distance(model, candidate.quantized->model, *evaluation.source)));
  }
  return cells;
}

int run(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: accuracy_bench CALIBRATION.npz EVALUATION.npz MODEL.onnx...\n");
    return 2;
  }
  const Value rows = load_config_file(QUANTSEARCH_SOURCE_DIR "/bench/accuracy.yaml");
  std::string heading = "| top-1 / L2 |";
  std::string rule = "|---|";
  std::vector<std::string> lines = {"| float |"};
  for (const Value& row : rows.as_list()) {
    lines.push_back(fmt::format("| {} |", row.find("name")->as_string()));
  }
  for (int model = 3; model < argc; ++model) {
    heading += fmt::format(" {} |", std::filesystem::path(argv[model]).stem().string());
    rule += "---|";
    const auto cells = cells_of(argv[model], argv[1], argv[2], rows);
    for (std::size_t line = 0; line < lines.size(); ++line)
      lines[line] += fmt::format(" {} |", cells[line]);
  }
  fmt::print("{}\n{}\n", heading, rule);
  for (const std::string& line : lines) fmt::print("{}\n", line);
  return 0;
}

}  // namespace
}  // namespace quantsearch

int main(int argc, char** argv) {
  return quantsearch::bench::guarded_main("accuracy_bench",
                                          [&] { return quantsearch::run(argc, argv); });
}
