#include "quantize/bodies.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "quantize/graph_options.h"
#include "quantize/placement/operators.h"
#include "quantize/placement/range_rules.h"
#include "quantize/placement/scope.h"
#include "quantize/writing/shared_constants.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {

namespace {

template <typename List>
void append(List& list, List&& more) {
  list.insert(list.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

std::vector<LayerRecord> float_records(const Graph& graph, const std::string& reason) {
  std::vector<LayerRecord> layers;
  const GraphIndex index(graph);
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    const Node& at = graph.nodes[static_cast<std::size_t>(node)];
    layers.push_back({.node = node_label(graph, node),
                      .op_type = at.op_type,
                      .quantized = false,
                      .reason = reason,
                      .computes_integers = computes_integers(index, at)});
  }
  return layers;
}

/// Adds a record for every node of the graph and of its bodies, which stay float for `reason`.
void leave_float(const Graph& graph, const std::string& reason, std::vector<LayerRecord>& layers) {
  append(layers, float_records(graph, reason));
  for (const BodyPlace& place : bodies_of(graph))
    leave_float(body_at(graph, place), reason, layers);
}

class BodyQuantizer {
 public:
  BodyQuantizer(const QuantizeOptions& options, const Ranges* ranges,
                const QuantizeGraph& quantize_graph)
      : options_(options), ranges_(ranges), quantize_graph_(quantize_graph) {}

  /// Quantizes `model` and its bodies; `options` are those of its main graph.
  QuantizedModel run(const Model& model, const QuantizeOptions& options) {
    QuantizedModel inside = quantize_bodies(model, options);
    // An empty list of nodes means every node, but a list that names no node of this graph means
    // none.
    const bool asks_for_others = options.nodes.empty() && !options_.nodes.empty();
    QuantizedModel made =
        asks_for_others
            ? QuantizedModel{.model = inside.model,
                             .layers = float_records(model.graph, "not in nodes_to_quantize"),
                             .tensors = {},
                             .narrower = {}}
            : quantize_graph_(inside.model, options);
    append(made.layers, std::move(inside.layers));
    made.tensors.merge(inside.tensors);
    made.narrower.merge(inside.narrower);
    return made;
  }

 private:
  /// The model with its bodies quantized; records and tensors are those of the bodies only.
  QuantizedModel quantize_bodies(const Model& model, const QuantizeOptions& options) {
    QuantizedModel result{.model = model, .layers = {}, .tensors = {}, .narrower = {}};
    const std::vector<BodyPlace> places = bodies_of(model.graph);
    if (places.empty()) return result;
    const GraphIndex index(model.graph);
    // The list of nodes does not decide about the bodies of other nodes: each body applies it to
    // its own nodes.
    QuantizeOptions of_owners = options;
    of_owners.nodes.clear();
    const std::vector<std::string> excluded =
        excluded_by_options({.graph = model.graph, .index = index}, of_owners);
    for (const BodyPlace& place : places) {
      OpenBody body = open_body(model, place);
      body.model = infer_shapes(std::move(body.model));
      std::string reason = excluded[static_cast<std::size_t>(place.node)];
      if (reason.empty()) reason = why_float(body);
      if (!reason.empty()) {
        leave_float(body_at(model.graph, place), reason, result.layers);
        continue;
      }
      QuantizedModel made = run(body.model, body_options(options_, body.model.graph));
      result.model.opsets.insert(made.model.opsets.begin(), made.model.opsets.end());
      body.model = std::move(made.model);
      set_body(result.model.graph, place, close_body(std::move(body)));
      append(result.layers, std::move(made.layers));
      result.tensors.merge(made.tensors);
      result.narrower.merge(made.narrower);
    }
    return result;
  }

  [[nodiscard]] std::string why_float(const OpenBody& body) const {
    if (ranges_ == nullptr) return "";
    bool needs_ranges = false;
    for (const std::string& tensor : observed_in_graph(body.model)) {
      if (std::ranges::find(body.captured, tensor) != body.captured.end()) continue;
      if (ranges_->contains(tensor)) return "";
      needs_ranges = true;
    }
    return needs_ranges ? "no calibration sample runs the body that it is in" : "";
  }

  const QuantizeOptions& options_;
  const Ranges* ranges_;
  const QuantizeGraph& quantize_graph_;
};

}  // namespace

QuantizedModel quantize_with_bodies(const Model& model, const QuantizeOptions& options,
                                    const Ranges* ranges, const QuantizeGraph& quantize_graph) {
  const QuantizeOptions own = main_graph_options(options, model.graph);
  QuantizedModel made = BodyQuantizer(options, ranges, quantize_graph).run(model, own);
  // Two bodies may have got the same new names.
  make_body_names_unique(made.model.graph);
  share_constants_of_bodies(made.model.graph);
  return made;
}

}  // namespace quantsearch
