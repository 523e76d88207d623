#include "finetune/network.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"

namespace quantsearch::reconstruction {

namespace {

/// By node, every tensor that it reads. GraphIndex includes the tensors that its subgraphs capture.
std::vector<std::vector<std::string>> all_reads(const Graph& graph) {
  const GraphIndex index(graph);
  std::set<std::string> tensors;
  for (const ValueInfo& input : graph.inputs) tensors.insert(input.name);
  for (const Initializer& initializer : graph.initializers) tensors.insert(initializer.name);
  for (const Node& node : graph.nodes) tensors.insert(node.outputs.begin(), node.outputs.end());
  tensors.erase("");
  std::vector<std::vector<std::string>> reads(graph.nodes.size());
  for (const std::string& tensor : tensors) {
    for (const int reader : index.consumers(tensor))
      reads[static_cast<std::size_t>(reader)].push_back(tensor);
  }
  return reads;
}

}  // namespace

Network::Network(Model model, const DataSource& data, std::int64_t samples,
                 const FinetuneEnvironment& environment, const ByteBudget& kept,
                 SpillFolder& folder)
    : model_(std::move(model)),
      data_(data),
      samples_(samples),
      environment_(environment),
      budget_(kept),
      folder_(folder),
      reads_(all_reads(model_.graph)),
      done_(model_.graph.nodes.size(), false) {
  for (std::size_t at = 0; at < model_.graph.initializers.size(); ++at) {
    initializers_[model_.graph.initializers[at].name] = at;
  }
  for (const ValueInfo& input : model_.graph.inputs) {
    if (!initializers_.contains(input.name)) graph_inputs_[input.name] = input.type;
  }
  for (int node = 0; node < static_cast<int>(model_.graph.nodes.size()); ++node) {
    for (const std::string& output : model_.graph.nodes[static_cast<std::size_t>(node)].outputs)
      producers_[output] = node;
  }
  for (const ValueInfo& output : model_.graph.outputs) {
    const bool is_tensor = output.type != DataType::undefined || output.extra.empty();
    if (is_tensor && producers_.contains(output.name)) outputs_.insert(output.name);
  }
}

bool Network::is_dequantize(int node) const {
  return model_.graph.nodes[static_cast<std::size_t>(node)].op_type == "DequantizeLinear";
}

const std::string& Network::stored_name(const std::string& tensor) const {
  const auto producer = producers_.find(tensor);
  if (producer == producers_.end() || !is_dequantize(producer->second)) return tensor;
  return model_.graph.nodes[static_cast<std::size_t>(producer->second)].inputs[0];
}

bool Network::is_available(const std::string& tensor) const {
  const std::string& stored = stored_name(tensor);
  return initializers_.contains(stored) || graph_inputs_.contains(stored) || kept_.contains(stored);
}

const Tensor* Network::initializer(std::string_view name) const {
  const auto found = initializers_.find(std::string(name));
  return found == initializers_.end() ? nullptr
                                      : model_.graph.initializers[found->second].tensor.get();
}

bool Network::has(const std::string& tensor) const { return is_available(tensor); }

Tensor Network::value(const std::string& tensor, std::int64_t sample) const {
  const std::string& stored = stored_name(tensor);
  const auto kept = kept_.find(stored);
  if (kept == kept_.end() && !graph_inputs_.contains(stored)) {
    throw InternalError(fmt::format("finetune: tensor '{}' is not available", tensor));
  }
  const Batch batch = kept == kept_.end() ? data_.read(sample, 1) : kept->second->outputs(sample);
  const Tensor& raw = batch.at(stored);
  if (stored == tensor) return raw;
  const Node& node = model_.graph.nodes[static_cast<std::size_t>(producers_.at(tensor))];
  const Tensor* scale = initializer(node.input(1));
  const Tensor* zero_point = initializer(node.input(2));
  if (scale == nullptr)
    throw InternalError(fmt::format("finetune: the scale of '{}' is not an initializer", tensor));
  return dequantize(
      {.integers = raw,
       .params = {.type = raw.type(),
                  .scales = {scale->values<float>()[0]},
                  .zero_points = {zero_point == nullptr ? 0 : to_int64s(*zero_point)[0]}}});
}

std::vector<int> Network::runnable(const std::set<int>& held) const {
  std::vector<int> nodes;
  std::set<std::string, std::less<>> made;
  for (int node = 0; node < static_cast<int>(model_.graph.nodes.size()); ++node) {
    if (done_[static_cast<std::size_t>(node)] || held.contains(node) || is_dequantize(node))
      continue;
    const auto known = [&](const std::string& tensor) {
      return is_available(tensor) || made.contains(stored_name(tensor));
    };
    if (!std::ranges::all_of(reads_[static_cast<std::size_t>(node)], known)) continue;
    nodes.push_back(node);
    for (const std::string& output : model_.graph.nodes[static_cast<std::size_t>(node)].outputs)
      made.insert(output);
  }
  return nodes;
}

/// An input of a piece, without a shape: sizes may differ from sample to sample. The runtime does
/// not run a Scan whose body has outputs of unknown rank, so a piece with one gets ranks.
ValueInfo Network::piece_input(const std::string& tensor, bool needs_rank) const {
  ValueInfo input{.name = tensor, .type = {}, .dimensions = {}, .extra = {}};
  const auto of_graph = graph_inputs_.find(tensor);
  if (of_graph != graph_inputs_.end() && !needs_rank) {
    input.type = of_graph->second;
    return input;
  }
  const Tensor first = value(tensor, 0);
  input.type = first.type();
  if (needs_rank) input.dimensions.emplace(first.shape().size());
  return input;
}

Model Network::piece(const std::vector<int>& nodes, const std::set<std::string>& outputs) const {
  Model made;
  made.ir_version = model_.ir_version;
  made.opsets = model_.opsets;
  made.extra = model_.extra;
  std::set<int> wanted(nodes.begin(), nodes.end());
  const auto add_dequantize = [&](const std::string& tensor) {
    const auto producer = producers_.find(tensor);
    if (producer != producers_.end() && is_dequantize(producer->second))
      wanted.insert(producer->second);
  };
  for (const int node : nodes)
    std::ranges::for_each(reads_[static_cast<std::size_t>(node)], add_dequantize);
  std::ranges::for_each(outputs, add_dequantize);
  std::set<std::string> produced;
  for (const int node : wanted) {
    made.graph.nodes.push_back(model_.graph.nodes[static_cast<std::size_t>(node)]);
    produced.insert(made.graph.nodes.back().outputs.begin(), made.graph.nodes.back().outputs.end());
  }
  const bool has_scan =
      std::ranges::any_of(made.graph.nodes, [](const Node& node) { return node.is("Scan"); });
  std::set<std::string> read;
  for (const int node : wanted)
    read.insert(reads_[static_cast<std::size_t>(node)].begin(),
                reads_[static_cast<std::size_t>(node)].end());
  for (const std::string& tensor : read) {
    if (const auto constant = initializers_.find(tensor); constant != initializers_.end()) {
      made.graph.initializers.push_back(model_.graph.initializers[constant->second]);
    } else if (!produced.contains(tensor)) {
      made.graph.inputs.push_back(piece_input(tensor, has_scan));
    }
  }
  made.graph.name = model_.graph.name;
  return made;
}

Batch Network::piece_inputs(const Model& piece, std::int64_t sample) const {
  Batch inputs;
  for (const ValueInfo& input : piece.graph.inputs) inputs[input.name] = value(input.name, sample);
  return inputs;
}

void Network::run_piece(const std::vector<int>& nodes, const std::set<std::string>& outputs,
                        const std::function<void(std::int64_t, const Batch&)>& consume) const {
  const Model model = piece(nodes, outputs);
  // A model without outputs cannot be opened.
  const auto session =
      outputs.empty()
          ? nullptr
          : open_session(model, {.taps = {outputs.begin(), outputs.end()}, .exact_products = true});
  environment_.pool.parallel_for(
      samples_,
      [&](std::int64_t sample, int) {
        consume(sample,
                session ? session->run(piece_inputs(model, sample), environment_.token) : Batch{});
      },
      environment_.token);
}

void Network::advance(const std::set<int>& held, const std::set<std::string>& wanted) {
  const std::vector<int> nodes = runnable(held);
  std::vector<bool> done = done_;
  for (const int node : nodes) done[static_cast<std::size_t>(node)] = true;
  std::set<std::string> still_read(wanted);
  for (std::size_t node = 0; node < done.size(); ++node) {
    if (done[node] || is_dequantize(static_cast<int>(node))) continue;
    for (const std::string& tensor : reads_[node]) still_read.insert(stored_name(tensor));
  }
  for (const std::string& output : outputs_) still_read.insert(stored_name(output));
  std::set<std::string> outputs;
  for (const int node : nodes) {
    for (const std::string& output : model_.graph.nodes[static_cast<std::size_t>(node)].outputs) {
      if (still_read.contains(output)) outputs.insert(output);
    }
  }
  if (!outputs.empty()) {
    std::map<std::string, std::unique_ptr<BatchStore>> made;
    for (const std::string& output : outputs) {
      made[output] = std::make_unique<BatchStore>(samples_, budget_, budget_.limit(), folder_);
    }
    run_piece(nodes, outputs, [&](std::int64_t sample, const Batch& results) {
      for (const auto& [name, store] : made) store->put(sample, {{name, results.at(name)}});
    });
    for (auto& [name, store] : made) {
      store->finish();
      kept_[name] = std::move(store);
    }
  }
  done_ = std::move(done);
  std::erase_if(kept_, [&](const auto& entry) { return !still_read.contains(entry.first); });
}

void Network::run_to_outputs(const std::vector<std::string>& names,
                             const std::function<void(std::int64_t, const Batch&)>& consume) const {
  std::vector<int> nodes;
  for (int node = 0; node < static_cast<int>(done_.size()); ++node) {
    if (!done_[static_cast<std::size_t>(node)] && !is_dequantize(node)) nodes.push_back(node);
  }
  std::set<std::string> undone;
  std::vector<std::string> at_hand;
  for (const std::string& output : names) {
    if (!outputs_.contains(output)) continue;
    if (is_available(output))
      at_hand.push_back(output);
    else
      undone.insert(output);
  }
  run_piece(nodes, undone, [&](std::int64_t sample, const Batch& results) {
    Batch all = results;
    for (const std::string& name : at_hand) all[name] = value(name, sample);
    consume(sample, all);
  });
}

void Network::replace_initializer(const std::string& name, Tensor tensor) {
  const auto found = initializers_.find(name);
  if (found == initializers_.end())
    throw InternalError(fmt::format("finetune: there is no initializer '{}'", name));
  model_.graph.initializers[found->second].tensor =
      std::make_shared<const Tensor>(std::move(tensor));
}

}  // namespace quantsearch::reconstruction
