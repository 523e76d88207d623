// What ONNX Runtime alone needs for the trials of a search: each distinct model of the space of
// CONFIG is opened and run over the evaluation samples, on as many threads as the search has, each
// with a model of its own. Making the models is not timed. Prints the number of models, the seconds
// and the seconds of processor time.
//
//   runtime_loop_bench CONFIG MODEL CALIBRATION SAMPLES EVALUATION SAMPLES THREADS

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <set>
#include <string>
#include <vector>

#include "guarded_main.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/internal/trials/executor.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {
namespace {

std::vector<Model> distinct_models(const AutoSearchConfig& config, const Model& model,
                                   const std::shared_ptr<const DataSource>& calibration,
                                   ThreadPool& pool) {
  constexpr std::int64_t kEverything = std::int64_t{1} << 62;
  Pipeline pipeline(model, calibration, pool, ByteBudget(physical_memory_bytes() / 2), {});
  std::vector<Model> models;
  std::set<Key> seen;
  for (const Point& point : plan_space(config, model, kEverything).first) {
    const Candidate made = pipeline.build(resolve(settings_of(config.base, point)), {});
    if (seen.insert(made.key).second) models.push_back(made.quantized->model);
  }
  return models;
}

struct Spent {
  double seconds = 0;
  double processor = 0;  // of all threads
};

Spent spent_by_runtime(const std::vector<Model>& models, const std::vector<Batch>& batches,
                       ThreadPool& pool) {
  const Stopwatch watch;
  const std::clock_t start = std::clock();
  pool.parallel_for(static_cast<std::int64_t>(models.size()), [&](std::int64_t index, int) {
    const auto session = open_session(models[static_cast<std::size_t>(index)], {.threads = 1});
    for (const Batch& batch : batches) (void)session->run(batch, {});
  });
  return {.seconds = watch.seconds(),
          .processor = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC};
}

void run(char** arguments) {
  const AutoSearchConfig config = parse_search_config(load_config_file(arguments[1]));
  const Model model = load_model(arguments[2]);
  const auto data = [&](const char* file, const char* samples) {
    return open_data(file, model, {.limit = std::stoll(samples)}).source;
  };
  const auto calibration = data(arguments[3], arguments[4]);
  const auto evaluation = data(arguments[5], arguments[6]);
  ThreadPool pool(std::stoi(arguments[7]));
  const std::vector<Model> models = distinct_models(config, model, calibration, pool);
  // As many samples a run as a search takes of a model with small inputs (Reference).
  constexpr std::int64_t kStack = 8;
  std::vector<Batch> batches;
  const std::int64_t step = std::min(kStack, evaluation->largest_batch());
  for (std::int64_t first = 0; first < evaluation->size(); first += step)
    batches.push_back(evaluation->read(first, std::min(step, evaluation->size() - first)));
  const Spent spent = spent_by_runtime(models, batches, pool);
  fmt::print("{} {:.4f} {:.4f}\n", models.size(), spent.seconds, spent.processor);
}

}  // namespace
}  // namespace quantsearch

int main(int count, char** arguments) {
  if (count != 8) {
    fmt::print(stderr,
               "usage: runtime_loop_bench CONFIG MODEL CALIBRATION SAMPLES EVALUATION SAMPLES "
               "THREADS\n");
    return 2;
  }
  return quantsearch::bench::guarded_main("runtime_loop_bench", [&] {
    quantsearch::run(arguments);
    return 0;
  });
}
