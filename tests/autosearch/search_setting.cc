#include "autosearch/search_setting.h"

namespace quantsearch::testing {

AutoSearchConfig parse(const std::string& yaml) {
  return parse_search_config(parse_yaml(yaml, "test"));
}

SearchSetting::SearchSetting(const std::string& yaml, const std::filesystem::path& model,
                             std::int64_t judging) {
  const std::filesystem::path images = kSource / "examples/fashion_mnist";
  config = parse(yaml);
  input.model = load_model(model);
  input.model_name = model.filename().string();
  input.calibration = open_data(images / "calibration_100.npz", input.model, {.limit = 32}).source;
  const LoadedData evaluation =
      open_data(images / "evaluation_2000.npz", input.model, {.limit = judging});
  input.evaluation = evaluation.source;
  input.labels = evaluation.labels;
}

SearchResult SearchSetting::run(const std::filesystem::path& output) {
  ThreadPool pool(threads);
  config.output.output_folder = output;
  SearchEnvironment environment{.pool = &pool, .budget = ByteBudget(std::int64_t{1} << 30)};
  adjust(environment);
  return auto_search(config, input, environment);
}

double score_of(const Trial& trial, const std::string& name) {
  return trial.details.find("scores")->find(name)->as_double();
}

const Trial& best_of(const SearchResult& result) {
  return result.study.trials.at(static_cast<std::size_t>(result.best.value()));
}

}  // namespace quantsearch::testing
