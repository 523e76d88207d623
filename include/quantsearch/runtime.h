#pragma once

// Runs models. `open_session` is ONNX Runtime's CPU provider, what users deploy;
// `open_reference_session` a slow and obvious interpreter of few operators, for unit tests. No ONNX
// Runtime type crosses this door.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

/// Where sessions run: the CPU, or a graphics card through ONNX Runtime's CUDA provider.
struct Device {
  std::optional<int> card = {};  // absent: the CPU
  bool operator==(const Device&) const = default;
};
[[nodiscard]] std::string to_string(const Device& device);
/// "cpu", or "cuda:0,1": the numbers of cards. Throws InvalidInput.
[[nodiscard]] std::vector<Device> parse_devices(const std::string& text);
/// Throws Unsupported when ONNX Runtime lacks the provider of one, with those that it has.
void require_devices(const std::vector<Device>& devices);
/// Optimized sessions that this process opens from now on run on it. To be called before any is
/// opened; same errors.
void use_device(const Device& device);

struct SessionOptions {
  int threads = 1;                     // intra-op threads of one run, >= 1
  bool optimize = true;                // full graph optimization; false: none at all
  std::vector<std::string> taps = {};  // inner tensors returned beside the graph outputs
  /// Products of uint8 and int8 are added in 32 bits on every processor. Without it an optimized
  /// session adds pairs of them in 16 bits, which saturate, where the processor has nothing better
  /// (x86 without VNNI). Slower there, no change elsewhere.
  bool exact_products = false;
};

class Session {
 public:
  virtual ~Session() = default;
  /// Outputs and taps by name; outputs that are not tensors (sequences, maps, optionals) are left
  /// out. The tensors may outlive the session and the inputs. Thread-safe. A run is stopped
  /// (Cancelled) soon after `token` is cancelled or past its deadline. Throws InvalidInput when
  /// inputs do not fit the model, IoError when the runtime fails.
  [[nodiscard]] virtual Batch run(const Batch& inputs,
                                  const CancellationToken& token = {}) const = 0;
  /// True when one run may stack samples along the first axis: it is open in every input and output
  /// of the model.
  [[nodiscard]] virtual bool stacks_samples() const { return true; }
};

/// Weights are read in place, neither serialized nor parsed. Without optimization they stay in
/// place (but for those a kernel repacks); with it each session holds one copy, in the layout of
/// the kernels. Throws InvalidInput with the runtime's message when the model cannot be loaded or a
/// tap does not exist.
[[nodiscard]] std::unique_ptr<Session> open_session(const Model& model,
                                                    const SessionOptions& options = {});
/// Throws Unsupported naming an operator it does not know. Ignores threads and optimize.
[[nodiscard]] std::unique_ptr<Session> open_reference_session(
    const Model& model, const std::vector<std::string>& taps = {});

/// The graph ONNX Runtime really executes: what full optimization leaves, with its internal
/// operators.
[[nodiscard]] Model optimized_model(const Model& model);
/// Operator type -> number of nodes.
[[nodiscard]] std::map<std::string, int> count_operators(const Graph& graph);
/// "ONNX Runtime 1.29.0".
[[nodiscard]] std::string runtime_version();

/// Types of `tensors` as ONNX Runtime infers them, and their shapes as far as it knows: it knows
/// operators that libonnx does not (com.microsoft). Those that are inputs or constants of the graph
/// are left out. Opens a session without optimization. Throws InvalidInput when the model cannot be
/// loaded.
[[nodiscard]] std::vector<ValueInfo> runtime_types(const Model& model,
                                                   const std::vector<std::string>& tensors);

/// Bytes of each of `tensors` before the model is run, by shape inference with the shapes of
/// `inputs`. A tensor whose shape depends on values counts as the largest that is known.
[[nodiscard]] std::vector<std::int64_t> tensor_sizes(const Model& model, const Batch& inputs,
                                                     const std::vector<std::string>& tensors);

/// True when the first dimension of every input and output is not a fixed size, neither as declared
/// nor as it follows from the inputs (a Reshape to a fixed batch), so that samples may be stacked.
[[nodiscard]] bool has_dynamic_batch(const Model& model);

struct RunSamplesOptions {
  std::int64_t batch = 1;  // samples per run; reduced to what the source and the session allow
  std::int64_t begin = 0;  // positions [begin, end) are run
  std::optional<std::int64_t> end = {};  // absent: as many as there are samples
  /// The first sample of the run that begins at a position; empty: the position itself.
  std::function<std::int64_t(std::int64_t position)> sample_at = {};
  CancellationToken token = {};
};
/// Called once per run, concurrently and in any order, while the outputs are hot in the cache.
/// False ends the whole: runs that have not begun are left out.
using ConsumeOutputs = std::function<bool(std::int64_t first_sample, std::int64_t count,
                                          const Batch& outputs, int worker)>;
/// Runs samples of `data` over the pool, one run per worker at a time. Returns false when `consume`
/// has ended it.
bool run_samples(const Session& session, const DataSource& data, ThreadPool& pool,
                 const RunSamplesOptions& options, const ConsumeOutputs& consume);

}  // namespace quantsearch
