#pragma once

// Where a written configuration came from, and whether another run has the same inputs.

#include <cstdint>
#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

/// A file of samples or labels.
struct DataOrigin {
  std::string file;            // as the user wrote it; empty: the data came from code
  std::int64_t available = 0;  // samples in the file, of which a limit may leave fewer; 0: unknown
  bool operator==(const DataOrigin&) const = default;
};

/// "100 of the 1000 samples of 'data.npz'".
[[nodiscard]] std::string to_string(const DataOrigin& origin, std::int64_t samples);

/// The inputs of a run that builds a model from a written configuration.
struct RunInputs {
  std::string model_file;
  DataOrigin calibration;
  ModelOrigin origin;
};

/// One sentence for each input that is not the one in `provenance`, which a search has written
/// (the key `provenance` of best_config.yaml). A null value has nothing to compare.
[[nodiscard]] std::vector<std::string> differences_from(const Value& provenance,
                                                        const RunInputs& now);
/// The same for versions of the program and of the runtime, which may change the last bits.
[[nodiscard]] std::vector<std::string> version_differences(const Value& provenance);

}  // namespace quantsearch
