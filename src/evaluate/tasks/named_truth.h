#pragma once

// Truths of data whose samples are files are found by the names of the files, because files come in
// an order of their own and damaged ones are left out.

#include <cstddef>
#include <string>
#include <vector>

#include "evaluate/tasks/task_options.h"
#include "quantsearch/data.h"

namespace quantsearch {

[[nodiscard]] bool have_names(const DataSource& samples);

/// The entries of the file of a key, and how messages name one: "line with the name of".
struct NamedTruth {
  std::string key;
  std::string entry;
  std::vector<std::string> names;
};
/// The entry of each sample. Throws InvalidInput naming the sample that has none of its own.
[[nodiscard]] std::vector<std::size_t> entries_of(const DataSource& samples,
                                                  const NamedTruth& truth,
                                                  const TaskOptions& options);

}  // namespace quantsearch
