#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

void run_samples(const Session& session, const DataSource& data, ThreadPool& pool,
                 const RunSamplesOptions& options,
                 const std::function<void(std::int64_t first_sample, std::int64_t count,
                                          const Batch& outputs, int worker)>& consume) {
  if (options.batch < 1) {
    throw InvalidInput(fmt::format("run samples: batch is {}, expected at least 1", options.batch));
  }
  const std::int64_t samples = data.size();
  const std::int64_t batch =
      session.stacks_samples()
          ? std::max<std::int64_t>(1, std::min(options.batch, data.largest_batch()))
          : 1;
  const std::int64_t runs = (samples + batch - 1) / batch;
  pool.parallel_for(
      runs,
      [&](std::int64_t run, int worker) {
        const std::int64_t first = run * batch;
        const std::int64_t count = std::min(batch, samples - first);
        const Batch outputs = session.run(data.read(first, count), options.token);
        consume(first, count, outputs, worker);
      },
      options.token);
}

}  // namespace quantsearch
