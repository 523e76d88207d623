#pragma once

// Runs models. `open_session` uses ONNX Runtime, which is what users deploy;
// `open_reference_session` is a slow and obvious interpreter of a few operators, for unit tests. No
// ONNX Runtime type appears in this header.

#include <cstdint>
#include <filesystem>
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

/// Where sessions run: an execution provider of ONNX Runtime and one of its devices.
struct Device {
  std::string provider = "cpu";  // cpu, cuda or openvino
  // cuda: the number of a card, such as "0"; openvino: a device such as "CPU" or "GPU.1"; cpu:
  // none.
  std::string name = {};
  bool operator==(const Device&) const = default;
};
/// "cpu", "cuda:0", "openvino:CPU".
[[nodiscard]] std::string to_string(const Device& device);
/// What devices whose results can be compared have in common: "cpu", "cuda", "openvino:GPU".
[[nodiscard]] std::string device_kind(const Device& device);
/// Parses "cpu", "cuda:0,1" (the numbers of the cards) or "openvino:CPU". Throws InvalidInput for
/// any other text and for devices of different kinds.
[[nodiscard]] std::vector<Device> parse_devices(const std::string& text);
/// Throws Unsupported when ONNX Runtime lacks the provider that one of the devices needs, naming
/// those that it has, or when the provider does not start. Loads the runtime's library unless all
/// devices are the CPU.
void require_devices(const std::vector<Device>& devices);

/// An execution provider of the runtime's library.
struct ExecutionProvider {
  std::string name;    // such as "CUDAExecutionProvider"
  std::string device;  // how a device of it is written, such as "cuda:0"; empty: not supported here
};
/// The shared library of ONNX Runtime that this process runs on.
struct RuntimeLibrary {
  std::filesystem::path file;
  std::string version;                       // such as "1.29.0"
  std::vector<ExecutionProvider> providers;  // in the runtime's order
};
/// Makes this process run on the library in `place`: a file, the folder of a release of ONNX
/// Runtime (with lib/), or that of a Python package (with capi/). Without this call the process
/// runs on the libonnxruntime.so.1 that it has loaded already, or else on the library that was
/// installed or configured with quantsearch. Must be called before the first session is opened.
/// Throws IoError when there is no library or it cannot be loaded, InvalidInput when it is not ONNX
/// Runtime or the process uses another one already, and Unsupported when it is older than 1.20.
void use_runtime_library(const std::filesystem::path& place);
/// The library of this process, which the call loads. Throws as use_runtime_library() does.
[[nodiscard]] RuntimeLibrary runtime_library();
/// The name and version of the runtime, such as "ONNX Runtime 1.29.0". Throws as runtime_library().
[[nodiscard]] std::string runtime_version();

struct SessionOptions {
  int threads = 1;                     // intra-op threads of one run, >= 1
  bool optimize = true;                // full graph optimization; false: none at all
  std::vector<std::string> taps = {};  // inner tensors returned with the graph outputs
  /// Products of uint8 and int8 are added in 32 bits on every processor. Without this option an
  /// optimized session adds pairs of products in 16 bits, which saturate, on processors that have
  /// no better instruction (x86 without VNNI). The option makes sessions slower on those processors
  /// and changes nothing elsewhere.
  bool exact_products = false;
  /// Not empty: when the session closes, the runtime writes the time of every kernel of every run
  /// to a file whose name begins with this path.
  std::filesystem::path profile = {};
  Device device = {};  // operators that its provider lacks run on the CPU
};

class Session {
 public:
  virtual ~Session() = default;
  /// Returns outputs and taps by name; outputs that are not tensors (sequences, maps, optionals)
  /// are left out. The tensors may outlive the session and the inputs. Thread-safe. Throws
  /// Cancelled soon after `token` is cancelled or its deadline has passed, InvalidInput when the
  /// inputs do not fit the model, IoError when the runtime fails.
  [[nodiscard]] virtual Batch run(const Batch& inputs,
                                  const CancellationToken& token = {}) const = 0;
  /// True when one run may stack samples along the first axis, that is, when the size of that axis
  /// is open in every input and output of the model.
  [[nodiscard]] virtual bool stacks_samples() const { return true; }
};

/// Opens a session of ONNX Runtime. It reads the weights in place and neither serializes nor parses
/// them. Without optimization they stay in place, except those that a kernel repacks; with
/// optimization each session holds one copy in the layout of its kernels. Throws InvalidInput with
/// the runtime's message when the model cannot be loaded or a tap does not exist, and Unsupported
/// when the device cannot be used.
[[nodiscard]] std::unique_ptr<Session> open_session(const Model& model,
                                                    const SessionOptions& options = {});
/// Opens the interpreter for unit tests; there are no threads and no optimization. Throws
/// Unsupported naming the operator when a node has one that it does not implement.
[[nodiscard]] std::unique_ptr<Session> open_reference_session(
    const Model& model, const std::vector<std::string>& taps = {});

/// The graph that ONNX Runtime executes after full optimization, with its internal operators.
/// Throws InvalidInput with the runtime's message when the model cannot be loaded.
[[nodiscard]] Model optimized_model(const Model& model);
/// Operator type -> number of nodes, those of subgraphs included.
[[nodiscard]] std::map<std::string, int> count_operators(const Graph& graph);

/// The types of `tensors` that ONNX Runtime infers, and their shapes as far as it can infer them;
/// unlike libonnx it covers its own operators (com.microsoft). Tensors that are inputs or constants
/// of the graph are left out. Opens a session without optimization. Throws InvalidInput when the
/// model cannot be loaded.
[[nodiscard]] std::vector<ValueInfo> runtime_types(const Model& model,
                                                   const std::vector<std::string>& tensors);

/// The size in bytes of each of `tensors`, by shape inference with the shapes of `inputs`, without
/// running the model. A tensor whose shape depends on values counts as the largest known size.
[[nodiscard]] std::vector<std::int64_t> tensor_sizes(const Model& model, const Batch& inputs,
                                                     const std::vector<std::string>& tensors);

/// True when the first dimension of every input and output has no fixed size, so that samples may
/// be stacked. Both the declared shapes and those that follow from the inputs count (a Reshape may
/// fix the batch).
[[nodiscard]] bool has_dynamic_batch(const Model& model);

struct RunSamplesOptions {
  std::int64_t batch = 1;  // samples per run; reduced to what the source and the session allow
  // Runs have `batch` samples whatever the session and the source allow: the source knows runs, not
  // samples, because it gives inner tensors of runs that have been made.
  bool fixed_runs = false;
  std::int64_t begin = 0;                // positions [begin, end) are run
  std::optional<std::int64_t> end = {};  // absent: as many as there are samples
  /// Maps the first position of a run to its first sample; empty: the position is the sample.
  std::function<std::int64_t(std::int64_t position)> sample_at = {};
  CancellationToken token = {};
};
/// Called once per run, concurrently and in any order, while the outputs are still in the
/// processor's cache. When it returns false, runs that have not begun are left out.
using ConsumeOutputs = std::function<bool(std::int64_t first_sample, std::int64_t count,
                                          const Batch& outputs, int worker)>;
/// Runs samples of `data` over the pool, one run per worker at a time. Returns false when `consume`
/// ended it early. Throws InvalidInput for a batch below 1, Cancelled when `options.token` is
/// cancelled, and whatever the session, the data or `consume` throws.
bool run_samples(const Session& session, const DataSource& data, ThreadPool& pool,
                 const RunSamplesOptions& options, const ConsumeOutputs& consume);

}  // namespace quantsearch
