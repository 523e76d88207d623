#pragma once

// A quantized model may load and not run: the runtime rewrites what stands between integer kernels,
// and is at fault now and then. Such a model is never delivered: the node that failed and its
// neighbours are left float, and it is built again.

#include <functional>
#include <string>
#include <vector>

#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

/// Labels of the nodes to leave float because a load or run of `quantized` failed with `message`:
/// the node it names, or the nearest nodes of ours when optimization made that one, and what they
/// read from and write to. Empty when the message names no node, or none that is quantized.
[[nodiscard]] std::vector<std::string> nodes_that_do_not_run(const QuantizedModel& quantized,
                                                             const std::string& message);

/// Nodes that were left float after one failure.
struct LeftFloat {
  std::vector<std::string> nodes;
  std::string reason;  // the runtime's
};

struct RunnableCandidate {
  Candidate candidate;
  std::vector<LeftFloat> left_float;  // in the order of the attempts; empty when the first ran
};

/// Nodes of all attempts.
[[nodiscard]] std::vector<std::string> all_nodes(const std::vector<LeftFloat>& left_float);
/// The same settings with these nodes excluded: they build the model at once.
[[nodiscard]] Settings with_excluded_nodes(Settings settings,
                                           const std::vector<std::string>& nodes);
/// "a, b stay float, because the quantized model did not run: REASON".
[[nodiscard]] std::string to_string(const LeftFloat& left_float);

/// Builds `settings` and calls `run`, which loads and runs the model and throws what that throws. A
/// failure that names a node is answered by building again, a few times. Throws Unsupported when
/// that does not help, and what `build` and `run` throw otherwise.
[[nodiscard]] RunnableCandidate build_runnable(
    const Settings& settings, const std::function<Candidate(const QuantizationConfig&)>& build,
    const std::function<void(Candidate&)>& run);

}  // namespace quantsearch
