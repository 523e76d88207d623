#pragma once

// A model that is run in pieces: every node runs once for each sample. Between pieces only the
// tensors that unfinished nodes read are kept.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "quantsearch/data.h"
#include "quantsearch/finetune.h"
#include "quantsearch/internal/data/batch_store.h"
#include "quantsearch/model.h"

namespace quantsearch::reconstruction {

class Network {
 public:
  /// All arguments must outlive the network. Tensors are kept in memory as far as `kept` allows;
  /// the others are spilled to `folder`.
  Network(Model model, const DataSource& data, std::int64_t samples,
          const FinetuneEnvironment& environment, const ByteBudget& kept, SpillFolder& folder);

  /// Runs every node that does not depend on a node of `held`. Keeps the tensors of `wanted` and
  /// those that unfinished nodes read, and drops the others.
  void advance(const std::set<int>& held, const std::set<std::string>& wanted);

  /// True when value() has the tensor: it is a graph input or kept, or a DequantizeLinear computes
  /// it from such a tensor.
  [[nodiscard]] bool has(const std::string& tensor) const;
  /// The tensor for a sample; the output of a DequantizeLinear is float32. Thread-safe.
  [[nodiscard]] Tensor value(const std::string& tensor, std::int64_t sample) const;

  [[nodiscard]] const Model& model() const { return model_; }
  /// Replaces an initializer for the nodes that have not run yet.
  void replace_initializer(const std::string& name, Tensor tensor);
  /// Runs the rest of the model for each sample and passes those of the named outputs that nodes
  /// produce to `consume`, which is called concurrently.
  void run_to_outputs(
      const std::vector<std::string>& names,
      const std::function<void(std::int64_t sample, const Batch& outputs)>& consume) const;

 private:
  /// True for a DequantizeLinear. It runs together with its readers, so that the integers are kept,
  /// which have a quarter of the bytes.
  [[nodiscard]] bool is_dequantize(int node) const;
  /// The tensor that must be kept so that value() has `tensor`.
  [[nodiscard]] const std::string& stored_name(const std::string& tensor) const;
  [[nodiscard]] bool is_available(const std::string& tensor) const;
  [[nodiscard]] const Tensor* initializer(std::string_view name) const;
  [[nodiscard]] std::vector<int> runnable(const std::set<int>& held) const;
  [[nodiscard]] ValueInfo piece_input(const std::string& tensor, bool needs_rank) const;
  [[nodiscard]] Model piece(const std::vector<int>& nodes,
                            const std::set<std::string>& outputs) const;
  [[nodiscard]] Batch piece_inputs(const Model& piece, std::int64_t sample) const;
  void run_piece(const std::vector<int>& nodes, const std::set<std::string>& outputs,
                 const std::function<void(std::int64_t, const Batch&)>& consume) const;

  Model model_;
  std::set<std::string> outputs_;  // graph outputs that are tensors and produced by nodes
  const DataSource& data_;
  std::int64_t samples_;
  const FinetuneEnvironment& environment_;
  ByteBudget budget_;  // for kept_
  SpillFolder& folder_;
  std::map<std::string, int> producers_;
  std::vector<std::vector<std::string>> reads_;      // by node, subgraphs included
  std::map<std::string, std::size_t> initializers_;  // name -> index
  std::map<std::string, DataType> graph_inputs_;
  std::vector<bool> done_;
  std::map<std::string, std::unique_ptr<BatchStore>> kept_;
};

}  // namespace quantsearch::reconstruction
