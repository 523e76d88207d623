// study FILE TRIALS: minimises a function of named parameters with TPE until the study in FILE (an
// SQLite database) has TRIALS trials. A second run continues the study of the first one. The
// program links quantsearch::search.

#include <quantsearch/base/error.h>
#include <quantsearch/optimizers.h>
#include <quantsearch/search/model_sampler.h>
#include <quantsearch/search/study.h>
#include <quantsearch/storage.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <string>

namespace {

quantsearch::TrialOutcome run_trial(const quantsearch::TrialRequest& request) {
  const double rate = request.point.at("rate").as_double();
  const double layers = request.point.at("layers").as_double();
  const bool is_gelu = request.point.at("activation").as_string() == "gelu";
  quantsearch::TrialSuccess success;
  success.value =
      std::pow(std::log10(rate) + 2, 2) + 0.1 * std::pow(layers - 3, 2) + (is_gelu ? 0 : 0.2);
  return success;
}

quantsearch::Study search(const std::string& file, std::int64_t trials) {
  const quantsearch::Space space({
      {.name = "rate",
       .choices = {},
       .range = quantsearch::FloatRange{.low = 1e-5, .high = 1, .log = true}},
      {.name = "layers", .choices = {1, 2, 3, 4, 5, 6, 7, 8}},
      {.name = "activation", .choices = {"relu", "tanh", "gelu"}},
  });
  // Every point is valid, and every parameter has an effect in it.
  const auto normalize = [](const quantsearch::Point& point) { return point; };
  const auto make_optimizer = [](quantsearch::Domain domain) {
    return quantsearch::tpe_optimizer(std::move(domain), {.seed = 1});
  };
  const auto sampler = quantsearch::model_sampler(space, normalize, make_optimizer);
  // The fingerprint says what the trials depend on. A study with another one is not continued.
  const auto store = quantsearch::sqlite_store(
      file, {.name = "training",
             .objective_names = {"loss"},
             .distributions = quantsearch::distributions_of(space),
             .fingerprint = quantsearch::Value::Map{{"data", "example"}, {"seed", 1}}});
  quantsearch::SearchOptions options;
  options.jobs = 2;  // trials at the same time
  options.stop.iteration_limit = trials;
  return quantsearch::optimize(*sampler, run_trial, options, *store);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  try {
    const quantsearch::Study study = search(arguments[1], std::stoll(arguments[2]));
    const auto best = static_cast<std::size_t>(study.best.value());
    std::cout << study.trials.size() << " trials, best " << study.trials[best].value.value()
              << " at " << quantsearch::to_string(study.trials[best].point) << '\n';
  } catch (const quantsearch::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
