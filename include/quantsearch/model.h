#pragma once

// An ONNX model as a value. Weights are shared and immutable, so a copy of a Model costs its graph,
// not its weights. What this library does not interpret (functions, type protos of sequences, …) is
// kept as serialized protobuf and written back unchanged. No protobuf type appears in this header.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

struct Graph;

/// Serialized protobuf message of a kind this library does not interpret.
struct Opaque {
  std::string bytes;
  bool operator==(const Opaque&) const = default;
};

struct Attribute {
  using Payload =
      std::variant<std::int64_t, float, std::string, Tensor, std::shared_ptr<const Graph>,
                   std::vector<std::int64_t>, std::vector<float>, std::vector<std::string>, Opaque>;
  std::string name;
  // Opaque: a whole AttributeProto (lists of tensors or graphs, sparse tensors, types, references)
  Payload value;
  bool operator==(const Attribute& other) const;
};

struct Node {
  std::string op_type;
  std::string domain;                // "" is ai.onnx
  std::string name;                  // may be empty
  std::vector<std::string> inputs;   // "" is an omitted optional input
  std::vector<std::string> outputs;  // "" is an omitted optional output
  std::vector<Attribute> attributes;
  // Serialized NodeProto holding only what is not above (doc_string, overload, metadata, …)
  std::string extra;

  bool operator==(const Node& other) const = default;
  /// Null when absent.
  [[nodiscard]] const Attribute* find_attribute(std::string_view attribute) const;
  /// The attribute's value, or `fallback` when it is absent. Throws InvalidInput when it has
  /// another type.
  [[nodiscard]] std::int64_t int_attribute(std::string_view attribute, std::int64_t fallback) const;
  [[nodiscard]] float float_attribute(std::string_view attribute, float fallback) const;
  [[nodiscard]] std::string string_attribute(std::string_view attribute,
                                             std::string fallback) const;
  [[nodiscard]] std::vector<std::int64_t> ints_attribute(std::string_view attribute,
                                                         std::vector<std::int64_t> fallback) const;
  /// Adds or replaces.
  void set_attribute(std::string attribute, Attribute::Payload value);
  void remove_attribute(std::string_view attribute);
  /// Name of input `index`, or "" when it is absent or omitted.
  [[nodiscard]] std::string_view input(std::size_t index) const;
  [[nodiscard]] bool is(std::string_view op) const { return op_type == op && domain.empty(); }
};

/// A fixed size, a symbol ("batch"), or unknown (neither).
struct Dimension {
  std::optional<std::int64_t> size;
  std::string symbol;
  bool operator==(const Dimension&) const = default;
};

struct ValueInfo {
  std::string name;
  DataType type = DataType::undefined;               // undefined: not a tensor, or unknown
  std::optional<std::vector<Dimension>> dimensions;  // nullopt: unknown rank
  // Serialized ValueInfoProto when it holds more than the above (sequence types, denotations, …)
  std::string extra;
  bool operator==(const ValueInfo&) const = default;
};

/// "float32 [batch, 3, 224, 224]".
[[nodiscard]] std::string to_string(const ValueInfo& value);

struct Initializer {
  std::string name;
  std::shared_ptr<const Tensor> tensor;
  bool operator==(const Initializer& other) const;
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<Initializer> initializers;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> values;  // inner tensors, as far as known
  std::string extra;              // serialized GraphProto holding only what is not above

  bool operator==(const Graph& other) const = default;
  /// Null when absent. Linear; use GraphIndex for many look-ups.
  [[nodiscard]] const Tensor* find_initializer(std::string_view name) const;
  /// Searches inputs, outputs and values. Null when absent.
  [[nodiscard]] const ValueInfo* find_value(std::string_view name) const;
};

struct Model {
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t> opsets;  // domain -> version; "" is ai.onnx
  Graph graph;
  std::map<std::string, std::string> metadata;
  // Serialized ModelProto holding only what is not above (producer, doc_string, functions, …)
  std::string extra;

  bool operator==(const Model& other) const = default;
  /// Version of ai.onnx; 0 when it is not imported.
  [[nodiscard]] std::int64_t opset() const;
};

/// Loads and validates a model; external data are memory-mapped. Throws InvalidInput (stage "load",
/// what, where) for a missing, truncated or non-ONNX file, a missing external file or one outside
/// the model's folder, a cycle, a dangling input, a duplicate name, a wrong-sized initializer, and
/// opsets older than 7 or newer than libonnx supports; Unsupported for tensors in segments and
/// sparse tensors above 2 GB; IoError when a file cannot be read.
[[nodiscard]] Model load_model(const std::filesystem::path& file);
/// The same from memory. External data are read from `folder`, and refused when it is empty.
[[nodiscard]] Model parse_model(std::span<const std::byte> bytes,
                                const std::filesystem::path& folder = {});

/// Whether weights go to a file of their own; `automatic` when the model would exceed 2 GB.
enum class ExternalData { automatic, always, never };
struct SaveOptions {
  ExternalData external_data = ExternalData::automatic;
};
/// Writes temporary files and renames them to `file` and, for external data, `file`.data. Equal
/// models give equal bytes. Throws IoError, and InvalidInput for more than 2 GB without external
/// data.
void save_model(const Model& model, const std::filesystem::path& file,
                const SaveOptions& options = {});
/// Protobuf bytes. Throws InvalidInput above 2 GB.
[[nodiscard]] std::string serialize_model(const Model& model);

/// A small proto that declares the initializers of at least `minimum_bytes` external (location =
/// name), and these initializers. With it a runtime can use the weights in place.
struct DetachedModel {
  std::string proto;
  std::vector<Initializer> initializers;
};
[[nodiscard]] DetachedModel detach_initializers(const Model& model, std::int64_t minimum_bytes);

/// Bytes of the model's file, external data included.
[[nodiscard]] std::int64_t serialized_bytes(const Model& model);

/// Hash of everything serialize_model would write (weights by content).
[[nodiscard]] Key content_key(const Model& model);
struct NamedTensor {
  std::string name;
  Tensor tensor;
};
/// Loads a TensorProto file (`input_0.pb`). Throws InvalidInput, Unsupported or IoError as
/// load_model() does.
[[nodiscard]] NamedTensor load_tensor(const std::filesystem::path& file);

/// Runs libonnx's checks of the structure and, for the domains that it knows, of types and shapes.
/// Throws InvalidInput with libonnx's reason.
void check_model(const Model& model);
/// Fills graph.values with what libonnx infers (with data propagation). Unknown operators are
/// skipped. Throws InvalidInput when the model contradicts itself.
[[nodiscard]] Model infer_shapes(Model model);
/// Converts ai.onnx operators to `version`. Throws Unsupported with the operator that cannot be
/// converted, and InvalidInput when `version` is below the model's or above newest_opset().
[[nodiscard]] Model convert_opset(Model model, std::int64_t version);
/// The newest ai.onnx version that libonnx supports.
[[nodiscard]] std::int64_t newest_opset();
/// The IR version of the ONNX release that introduced the opset.
[[nodiscard]] std::int64_t ir_version_for_opset(std::int64_t opset);

/// The producer and the consumers of each tensor of one graph. It is a snapshot, so rebuild it
/// after an edit. Reads inside subgraphs (If, Loop, Scan) count as reads by the node that owns the
/// subgraph.
class GraphIndex {
 public:
  explicit GraphIndex(const Graph& graph);
  /// Index into graph.nodes; nullopt for graph inputs, initializers and unknown names.
  [[nodiscard]] std::optional<int> producer(std::string_view tensor) const;
  /// Node indices in ascending order. A node that reads the tensor several times appears once.
  [[nodiscard]] std::span<const int> consumers(std::string_view tensor) const;
  [[nodiscard]] const Tensor* initializer(std::string_view tensor) const;
  /// The shared initializer (for a new graph that keeps it); null when absent.
  [[nodiscard]] std::shared_ptr<const Tensor> shared_initializer(std::string_view tensor) const;
  [[nodiscard]] bool is_graph_input(std::string_view tensor) const;
  [[nodiscard]] bool is_graph_output(std::string_view tensor) const;
  [[nodiscard]] const ValueInfo* value(std::string_view tensor) const;

 private:
  struct Entry {
    std::optional<int> producer;
    std::vector<int> consumers;
    std::shared_ptr<const Tensor> initializer;
    const ValueInfo* value = nullptr;
    bool is_input = false;
    bool is_output = false;
  };
  [[nodiscard]] const Entry* find(std::string_view tensor) const;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// "Conv 'backbone/conv1'", or "Conv #12" (its index) when the node has no name.
[[nodiscard]] std::string describe_node(const Graph& graph, int node);
/// The node's name, or "OpType#12" when it has none: what users write in exclusion lists.
[[nodiscard]] std::string node_label(const Graph& graph, int node);
/// Sorts the nodes of the graph and of its subgraphs; sorted nodes keep their order. Throws
/// InvalidInput on a cycle.
void sort_topologically(Graph& graph);
/// Sum of initializer bytes, subgraphs included.
[[nodiscard]] std::int64_t weight_bytes(const Graph& graph);

/// Gives out names that the graph does not use yet (for nodes, tensors or in subgraphs), each once.
class NameAllocator {
 public:
  explicit NameAllocator(const Graph& graph);
  /// `wanted` itself when free, else wanted_1, wanted_2, …
  [[nodiscard]] std::string unique(std::string_view wanted);

 private:
  std::map<std::string, int, std::less<>> used_;
};

/// Replaces reads of `from` by `to` in nodes and their subgraphs (not graph outputs). Throws
/// InternalError when a subgraph that reads `from` has a tensor `to` of its own.
void replace_reads(Graph& graph, std::string_view from, std::string_view to);
/// Removes initializers and value infos that nothing reads any more.
void remove_unused_values(Graph& graph);

}  // namespace quantsearch
