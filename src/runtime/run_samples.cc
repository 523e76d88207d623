#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

bool run_samples(const Session& session, const DataSource& data, ThreadPool& pool,
                 const RunSamplesOptions& options, const ConsumeOutputs& consume) {
  if (options.batch < 1) {
    throw InvalidInput(fmt::format("run samples: batch is {}, expected at least 1", options.batch));
  }
  const std::int64_t end = options.end.value_or(data.size());
  const std::int64_t batch =
      options.fixed_runs ? options.batch
      : session.stacks_samples()
          ? std::max<std::int64_t>(1, std::min(options.batch, data.largest_batch()))
          : 1;
  const std::int64_t runs = (end - options.begin + batch - 1) / batch;
  std::atomic<bool> goes_on = true;
  const auto run_one = [&](std::int64_t run, int worker) {
    if (!goes_on) return;
    const std::int64_t position = options.begin + run * batch;
    const std::int64_t first = options.sample_at ? options.sample_at(position) : position;
    const std::int64_t count = std::min(batch, end - position);
    const Batch outputs = session.run(data.read(first, count), options.token);
    if (!consume(first, count, outputs, worker)) goes_on = false;
  };
  pool.parallel_for(runs, run_one, options.token);
  return goes_on;
}

}  // namespace quantsearch
