#pragma once

// A model that is run in pieces: every node once for each sample, as far as it may go; between
// pieces only the tensors are kept that undone nodes read.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "quantsearch/data.h"
#include "quantsearch/data/batch_store.h"
#include "quantsearch/finetune.h"
#include "quantsearch/model.h"

namespace quantsearch::reconstruction {

class Network {
 public:
  /// All arguments outlive the network. Tensors are kept in memory as far as `kept` allows, the
  /// rest is spilled.
  Network(Model model, const DataSource& data, std::int64_t samples,
          const FinetuneEnvironment& environment, const ByteBudget& kept, SpillFolder& folder);

  /// Runs every node that needs no held one. Keeps what undone nodes read and `wanted`, drops the
  /// rest.
  void advance(const std::set<int>& held, const std::set<std::string>& wanted);

  /// True when value() knows the tensor: it is a graph input, kept, or behind a DequantizeLinear of
  /// a kept one.
  [[nodiscard]] bool has(const std::string& tensor) const;
  /// In float32 when the tensor is behind a DequantizeLinear. Thread-safe.
  [[nodiscard]] Tensor value(const std::string& tensor, std::int64_t sample) const;

  [[nodiscard]] const Model& model() const { return model_; }
  /// Undone nodes see the new tensor.
  void replace_initializer(const std::string& name, Tensor tensor);
  /// Runs the rest of the model for each sample: those of the named outputs that nodes make.
  /// `consume` is called concurrently.
  void run_to_outputs(
      const std::vector<std::string>& names,
      const std::function<void(std::int64_t sample, const Batch& outputs)>& consume) const;

 private:
  /// A DequantizeLinear is run with whoever reads it, so that integers are kept, a quarter of the
  /// bytes.
  [[nodiscard]] bool is_dequantize(int node) const;
  /// The tensor that has to be kept for `tensor` to be known.
  [[nodiscard]] const std::string& stored_name(const std::string& tensor) const;
  [[nodiscard]] bool is_available(const std::string& tensor) const;
  [[nodiscard]] const Tensor* initializer(std::string_view name) const;
  [[nodiscard]] std::vector<int> runnable(const std::set<int>& held) const;
  [[nodiscard]] Model piece(const std::vector<int>& nodes,
                            const std::set<std::string>& outputs) const;
  [[nodiscard]] Batch piece_inputs(const Model& piece, std::int64_t sample) const;
  void run_piece(const std::vector<int>& nodes, const std::set<std::string>& outputs,
                 const std::function<void(std::int64_t, const Batch&)>& consume) const;

  Model model_;
  std::set<std::string> outputs_;  // tensors that nodes make
  const DataSource& data_;
  std::int64_t samples_;
  const FinetuneEnvironment& environment_;
  ByteBudget budget_;  // of kept_
  SpillFolder& folder_;
  std::map<std::string, int> producers_;
  std::vector<std::vector<std::string>> reads_;      // by node, subgraphs included
  std::map<std::string, std::size_t> initializers_;  // name -> index
  std::map<std::string, DataType> graph_inputs_;
  std::vector<bool> done_;
  std::map<std::string, std::unique_ptr<BatchStore>> kept_;
};

}  // namespace quantsearch::reconstruction
