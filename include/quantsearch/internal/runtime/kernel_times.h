#pragma once

// The times of the single kernels of a model, from the profile of ONNX Runtime.

#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"

namespace quantsearch {

struct KernelTime {
  /// Of the executed node. The runtime makes it of the names of the nodes or tensors that the
  /// kernel computes, with additions of its own; it is empty or a number for nodes of the runtime.
  std::string name;
  std::string op_type;
  double seconds = 0;  // median over the runs
  bool operator==(const KernelTime&) const = default;
};

struct KernelTimeOptions {
  int threads = 1;
  int least_runs = 5;
  double seconds = 0.1;    // of all runs, at least, unless there are most_runs
  int most_runs = 10'000;  // the profile of a small model takes longer to read than to make
  CancellationToken token = {};
};

/// The kernels of the fully optimized model, on the CPU, in the order in which they run. Nodes in
/// bodies are part of the node that owns the body. Throws what open_session() and run() throw.
[[nodiscard]] std::vector<KernelTime> kernel_times(const Model& model, const Batch& input,
                                                   const KernelTimeOptions& options = {});

/// The kernels of such a profile (a list of events in JSON); the first `skipped_runs` runs do not
/// count. Throws InvalidInput when `profile` is not one.
[[nodiscard]] std::vector<KernelTime> read_profile(const std::string& profile, int skipped_runs);

}  // namespace quantsearch
