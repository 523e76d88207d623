#pragma once

// Gold scores of pairs of samples that are named by their files.

#include <cstddef>
#include <vector>

#include "evaluate/tasks/task_options.h"
#include "quantsearch/data.h"

namespace quantsearch {

/// Two samples and their gold score.
struct GoldPair {
  std::size_t first = 0;
  std::size_t second = 0;
  double score = 0;
};

/// True for a file of lines with names.
[[nodiscard]] bool is_pair_text(const std::string& file);

/// Reads the file of the key `scores`, whose lines have the names of two files and a score with
/// tabs between. Lines about other files are left out. Throws InvalidInput for samples without
/// names, a sample that no line names, a line that names one sample and another file, and what is
/// no line.
[[nodiscard]] std::vector<GoldPair> read_named_pairs(const TaskOptions& options,
                                                     const DataSource& samples);

}  // namespace quantsearch
