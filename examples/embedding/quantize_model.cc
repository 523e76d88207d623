// quantize_model MODEL CALIBRATION EVALUATION FOLDER: quantizes a model with one configuration and
// scores it, then searches for a better configuration. The results are written to FOLDER. The
// program links quantsearch::quantsearch.

#include <quantsearch/autosearch.h>
#include <quantsearch/base/error.h>
#include <quantsearch/pipeline/pipeline.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>

namespace {

constexpr const char* kSearch = R"(
search_space:
  activation_type: [QUInt8, QInt8]
  calibrate_method: [MinMax, Percentile]
search_metric: top1
search_stop_condition: {iteration_limit: 3}
)";

struct Inputs {
  quantsearch::Model model;
  std::shared_ptr<const quantsearch::DataSource> calibration;
  quantsearch::LoadedData evaluation;  // with labels
};

Inputs load(char** files) {
  Inputs inputs;
  inputs.model = quantsearch::load_model(files[0]);
  inputs.calibration = quantsearch::open_data(files[1], inputs.model, {.limit = 20}).source;
  inputs.evaluation = quantsearch::open_data(files[2], inputs.model, {.limit = 100});
  return inputs;
}

void quantize(const Inputs& inputs, quantsearch::ThreadPool& pool,
              const quantsearch::ByteBudget& budget, const std::filesystem::path& file) {
  quantsearch::Pipeline pipeline(inputs.model, inputs.calibration, pool, budget, {});
  const quantsearch::Settings settings =
      quantsearch::settings_from(quantsearch::parse_yaml("preset: U8S8_CPU", "program"));
  const quantsearch::Candidate candidate = pipeline.build(quantsearch::resolve(settings), {});
  const quantsearch::Model& quantized = candidate.quantized->model;
  quantsearch::save_model(quantized, file);

  const quantsearch::Reference reference(inputs.model, inputs.evaluation.source,
                                         inputs.evaluation.labels, pool, budget, {});
  quantsearch::EvaluateOptions options;
  options.metrics = {quantsearch::Metric::rel_l2, quantsearch::Metric::top1};
  const quantsearch::Scores scores = quantsearch::evaluate(quantized, reference, pool, options);
  std::cout << "quantized: " << scores.size_bytes << " bytes, rel_l2 "
            << scores.metrics.at("rel_l2") << ", top1 " << scores.metrics.at("top1") << '\n';
}

void search(const Inputs& inputs, quantsearch::ThreadPool& pool,
            const quantsearch::ByteBudget& budget, const std::filesystem::path& folder) {
  quantsearch::AutoSearchConfig config =
      quantsearch::parse_search_config(quantsearch::parse_yaml(kSearch, "program"));
  config.output.output_folder = folder;
  quantsearch::SearchInput input;
  input.model = inputs.model;
  input.model_name = "model";
  input.calibration = inputs.calibration;
  input.evaluation = inputs.evaluation.source;
  input.labels = inputs.evaluation.labels;
  quantsearch::SearchEnvironment environment;
  environment.pool = &pool;
  environment.budget = budget;
  environment.on_trial = [](const quantsearch::Trial& trial) {
    std::cout << "trial " << trial.number << ": " << quantsearch::to_string(trial.point) << '\n';
  };
  const quantsearch::SearchResult result = quantsearch::auto_search(config, input, environment);
  std::cout << "best of " << result.study.trials.size() << " is trial " << result.best.value()
            << ", written to best.onnx\n";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  try {
    const Inputs inputs = load(arguments + 1);
    quantsearch::ThreadPool pool;  // all cores
    const quantsearch::ByteBudget budget(std::int64_t{1} << 30);
    const std::filesystem::path folder = arguments[4];
    std::filesystem::create_directories(folder);
    quantize(inputs, pool, budget, folder / "one.onnx");
    search(inputs, pool, budget, folder / "search");
  } catch (const quantsearch::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
