#pragma once

// A quantized model may load but fail to run, because the runtime rewrites nodes between integer
// kernels and sometimes makes an error. Such a model is never delivered: the failing node and its
// neighbours are left float, and the model is built again.

#include <functional>
#include <string>
#include <vector>

#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

/// Returns the labels of the nodes to leave float after a load or run of `quantized` failed with
/// `message`: the node that the message names (or, when the runtime's optimization created that
/// node, the nearest nodes of the model) and the nodes that it reads from and writes to. Empty when
/// the message names no node, or none that is quantized.
[[nodiscard]] std::vector<std::string> nodes_that_do_not_run(const QuantizedModel& quantized,
                                                             const std::string& message);

/// Nodes that were left float after one failure.
struct LeftFloat {
  std::vector<std::string> nodes;
  std::string reason;  // the message of the runtime
};

struct RunnableCandidate {
  Candidate candidate;
  std::vector<LeftFloat> left_float;  // in the order of the attempts; empty when the first ran
};

/// Returns the nodes of all attempts.
[[nodiscard]] std::vector<std::string> all_nodes(const std::vector<LeftFloat>& left_float);
/// Returns the same settings with these nodes excluded, which build a model that runs without
/// further attempts.
[[nodiscard]] Settings with_excluded_nodes(Settings settings,
                                           const std::vector<std::string>& nodes);
/// Returns "a, b stay float, because the quantized model did not run: REASON".
[[nodiscard]] std::string to_string(const LeftFloat& left_float);

/// Builds `settings` and calls `run`, which loads and runs the model and throws when that fails.
/// After a failure that names a node, the model is built again without it, a few times at most.
/// Throws Unsupported when that does not help, and otherwise what `build` and `run` throw.
[[nodiscard]] RunnableCandidate build_runnable(
    const Settings& settings, const std::function<Candidate(const QuantizationConfig&)>& build,
    const std::function<void(Candidate&)>& run);

}  // namespace quantsearch
