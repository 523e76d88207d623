#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "equalize/constant_writer.h"
#include "equalize/rescale.h"
#include "equalize/smooth_inputs.h"
#include "equalize/smooth_scales.h"
#include "quantsearch/base/error.h"
#include "quantsearch/equalize.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch {

namespace {

using equalizing::ChannelAxis;
using equalizing::ConstantWriter;
using equalizing::LinearLayer;
using equalizing::SmoothInput;
using equalizing::SmoothMap;
using equalizing::SmoothSource;

/// An automatically chosen alpha justifies a Mul at run time only when it lowers the expected error
/// below this share.
constexpr double kWorthAMul = 0.9;

void require_valid(const SmoothOptions& options) {
  if (!options.alpha || (*options.alpha >= 0 && *options.alpha <= 1)) return;
  throw InvalidInput(fmt::format("smooth: SmoothAlpha is {}, expected a number in [0, 1] or 'auto'",
                                 *options.alpha));
}

std::vector<double> inverse(const std::vector<double>& scales) {
  std::vector<double> result;
  result.reserve(scales.size());
  for (const double scale : scales) result.push_back(1 / scale);
  return result;
}

class Smoothing {
 public:
  Smoothing(Graph& graph, const Statistics& statistics, const SmoothOptions& options)
      : graph_(graph),
        index_(graph),
        statistics_(statistics),
        options_(options),
        map_(equalizing::find_smooth_inputs(graph, index_)),
        writer_(graph, index_),
        of_inputs_(map_.inputs.size()),
        of_outputs_(map_.layers.size()) {}

  /// Returns the notes.
  std::vector<std::string> run() {
    choose();
    if (std::ranges::all_of(of_inputs_, &std::vector<double>::empty)) return std::move(notes_);
    changed_ = true;
    write_weights();
    for (std::size_t input = 0; input < map_.inputs.size(); ++input) {
      if (!of_inputs_[input].empty()) divide(map_.inputs[input], inverse(of_inputs_[input]));
    }
    insert_nodes();
    remove_unused_values(graph_);
    return std::move(notes_);
  }

  [[nodiscard]] bool changed() const { return changed_; }

 private:
  [[nodiscard]] Node& node(int number) { return graph_.nodes[to_size(number)]; }

  /// Chooses from the end of the graph to its beginning, so that a layer whose output is divided
  /// counts with the weights it will have.
  void choose() {
    for (auto group = map_.groups.rbegin(); group != map_.groups.rend(); ++group) choose(*group);
    std::ranges::reverse(notes_);
  }

  void choose(const std::vector<int>& group) {
    std::vector<equalizing::ChannelRanges> ranges;
    std::vector<equalizing::SmoothReader> readers;
    bool needs_mul = false;
    for (const int member : group) {
      const SmoothInput& input = map_.inputs[to_size(member)];
      auto known = equalizing::channel_ranges(statistics_, input);
      if (!known)
        return note(input,
                    "its channels were not observed: it only rearranges a tensor that is rounded "
                    "before it");
      for (const int layer : input.layers) {
        readers.push_back(equalizing::smooth_reader(static_cast<int>(ranges.size()),
                                                    map_.layers[to_size(layer)],
                                                    of_outputs_[to_size(layer)]));
      }
      ranges.push_back(std::move(*known));
      needs_mul = needs_mul || !input.source;
    }
    const auto choice = equalizing::smooth_choice(ranges, readers, options_);
    const SmoothInput& first = map_.inputs[to_size(group[0])];
    if (!choice)
      return note(first, options_.alpha ? "all of its channels are dead"
                                        : "no scales lower the expected error");
    if (!options_.alpha && needs_mul && choice->share > kWorthAMul) {
      return note(
          first,
          fmt::format("scales would lower the expected error to {:.3g} of it, not worth a Mul",
                      choice->share));
    }
    for (const int member : group) {
      of_inputs_[to_size(member)] = choice->scales;
      const SmoothInput& input = map_.inputs[to_size(member)];
      if (input.source && input.source->kind == SmoothSource::Kind::linear)
        of_outputs_[to_size(input.source->layer)] = inverse(choice->scales);
      note(input, describe(*choice, input));
    }
  }

  void note(const SmoothInput& input, const std::string& text) {
    notes_.push_back(fmt::format("'{}': {}", input.tensor, text));
  }

  [[nodiscard]] std::string describe(const equalizing::SmoothChoice& choice,
                                     const SmoothInput& input) {
    const auto [smallest, largest] = std::ranges::minmax(choice.scales);
    std::string text = fmt::format("alpha {}, {} channels divided by {:.4g} to {:.4g}",
                                   choice.alpha, choice.scales.size(), smallest, largest);
    return text + (input.source ? " in " + describe_node(graph_, input.source->node)
                                : std::string(" by a Mul of its own"));
  }

  /// Writes each weight once, also when several layers share it.
  void write_weights() {
    std::map<std::tuple<std::string, WeightLayout>, std::vector<int>> layers_of;
    std::vector<const std::vector<double>*> scales_of(map_.layers.size(), nullptr);
    for (std::size_t input = 0; input < map_.inputs.size(); ++input) {
      if (of_inputs_[input].empty()) continue;
      for (const int layer : map_.inputs[input].layers)
        scales_of[to_size(layer)] = &of_inputs_[input];
    }
    for (int layer = 0; layer < static_cast<int>(map_.layers.size()); ++layer) {
      if (scales_of[to_size(layer)] == nullptr && of_outputs_[to_size(layer)].empty()) continue;
      const LinearLayer& linear = map_.layers[to_size(layer)];
      layers_of[{std::string(node(linear.node).input(1)), linear.layout}].push_back(layer);
    }
    // Restores the order of the graph, which the map's keys do not have.
    std::vector<std::vector<int>> shared;
    for (auto& [key, layers] : layers_of) shared.push_back(std::move(layers));
    std::ranges::sort(shared);
    for (const std::vector<int>& layers : shared) {
      const int first = layers[0];
      const std::vector<double> divisors = scales_of[to_size(first)] == nullptr
                                               ? std::vector<double>()
                                               : inverse(*scales_of[to_size(first)]);
      std::vector<int> nodes;
      for (const int layer : layers) nodes.push_back(map_.layers[to_size(layer)].node);
      writer_.set_shared(
          nodes, 1,
          scaled_weight(map_.layers[to_size(first)], of_outputs_[to_size(first)], divisors));
    }
  }

  void divide(const SmoothInput& input, const std::vector<double>& factors) {
    if (!input.source) return insert_mul(input, factors);
    const SmoothSource& source = *input.source;
    switch (source.kind) {
      case SmoothSource::Kind::linear:
        divide_bias(map_.layers[to_size(source.layer)], factors);
        break;
      case SmoothSource::Kind::normalization:
        multiply(source.node, 1, factors);
        if (!node(source.node).input(2).empty() && !node(source.node).is("RMSNormalization"))
          multiply(source.node, 2, factors);
        break;
      case SmoothSource::Kind::factor:
        multiply(source.node, source.constant, factors);
        break;
    }
    for (const auto& [number, axis] : source.additions) {
      const std::size_t constant =
          equalizing::constant_of(index_, node(number).input(1)) != nullptr ? 1 : 0;
      multiply_addition(number, constant, axis, factors);
    }
  }

  void divide_bias(const LinearLayer& layer, const std::vector<double>& factors) {
    if (layer.bias.values.empty()) return;
    writer_.set(layer.node, 2, "", equalizing::scaled_bias(layer, factors));
    node(layer.node).remove_attribute("beta");  // now part of the bias; absent means 1
  }

  /// Multiplies a constant that has one value per channel, whatever its shape.
  void multiply(int number, std::size_t input, const std::vector<double>& factors) {
    Tensor constant = *index_.initializer(node(number).input(input));
    const auto values = constant.mutable_values<float>();
    for (std::size_t channel = 0; channel < values.size(); ++channel)
      values[channel] = static_cast<float>(static_cast<double>(values[channel]) * factors[channel]);
    writer_.set(number, input, "", std::move(constant));
  }

  /// Multiplies a constant that may have one value for all channels.
  void multiply_addition(int number, std::size_t input, ChannelAxis axis,
                         const std::vector<double>& factors) {
    std::vector<double> values = *values_per_channel(*index_.initializer(node(number).input(input)),
                                                     axis.rank, axis.axis, std::ssize(factors));
    for (std::size_t channel = 0; channel < values.size(); ++channel)
      values[channel] *= factors[channel];
    writer_.set(number, input, "", equalizing::along_axis(values, axis.axis, axis.rank));
  }

  void insert_mul(const SmoothInput& input, const std::vector<double>& factors) {
    const bool is_last = input.at.rank == 0;
    const Tensor constant = is_last ? equalizing::along_axis(factors, 0, 1)
                                    : equalizing::along_axis(factors, input.at.axis, input.at.rank);
    const std::string smooth = writer_.unique_name(input.tensor + "_smooth");
    Node mul;
    mul.op_type = "Mul";
    mul.name = writer_.unique_name(smooth + "_Mul");
    mul.inputs = {input.tensor, writer_.add(smooth + "_factors", constant)};
    mul.outputs = {smooth};
    int first = static_cast<int>(graph_.nodes.size());
    for (const int layer : input.layers) {
      const int number = map_.layers[to_size(layer)].node;
      first = std::min(first, number);
      node(number).inputs[0] = smooth;
    }
    if (const ValueInfo* value = graph_.find_value(input.tensor)) {
      ValueInfo copy = *value;
      copy.name = smooth;
      values_.push_back(std::move(copy));
    }
    inserted_.emplace_back(first, std::move(mul));
  }

  void insert_nodes() {
    std::ranges::stable_sort(inserted_, {}, &std::pair<int, Node>::first);
    std::vector<Node> nodes;
    auto next = inserted_.begin();
    for (int number = 0; number < static_cast<int>(graph_.nodes.size()); ++number) {
      for (; next != inserted_.end() && next->first == number; ++next)
        nodes.push_back(std::move(next->second));
      nodes.push_back(std::move(node(number)));
    }
    graph_.nodes = std::move(nodes);
    std::ranges::move(values_, std::back_inserter(graph_.values));
  }

  Graph& graph_;
  GraphIndex index_;
  const Statistics& statistics_;
  const SmoothOptions& options_;
  SmoothMap map_;
  ConstantWriter writer_;
  std::vector<std::vector<double>> of_inputs_;   // [inputs][channels] divisors; empty: unchanged
  std::vector<std::vector<double>> of_outputs_;  // [layers][channels] factors; empty: unchanged
  std::vector<std::pair<int, Node>> inserted_;   // with the number of the node that it precedes
  std::vector<ValueInfo> values_;                // of the inserted nodes' outputs
  std::vector<std::string> notes_;
  bool changed_ = false;
};

}  // namespace

Smoothed smooth(Model model, const Statistics& statistics, const SmoothOptions& options) {
  require_valid(options);
  Smoothed result{.model = std::move(model), .changed = false, .notes = {}};
  Smoothing smoothing(result.model.graph, statistics, options);
  result.notes = smoothing.run();
  result.changed = smoothing.changed();
  return result;
}

bool can_smooth(const Model& model) {
  return !equalizing::find_smooth_inputs(model.graph, GraphIndex(model.graph)).inputs.empty();
}

}  // namespace quantsearch
