// Nagel et al. 2019, https://arxiv.org/abs/1906.04721, section 4.1.3: with x >= c before a Relu, W2
// relu(x) + b2 = W2 relu(x - c) + (b2 + W2 c). The paper takes c = max(0, beta - 3 gamma) from the
// batch normalization. Here the batch normalization is already folded, so the mean and deviation
// (or the least value) are those of the data.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "equalize/chains.h"
#include "equalize/constant_writer.h"
#include "equalize/rescale.h"
#include "quantsearch/equalize.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch {

namespace {

using equalizing::Addition;
using equalizing::ChannelAxis;
using equalizing::ConstantWriter;
using equalizing::LinearLayer;
using equalizing::Link;

/// These operators do not change values that are not negative.
constexpr std::array kClamps = {"Relu", "LeakyRelu", "PRelu"};
/// For these operators f(x - c) = f(x) - c for a constant c of the channel.
constexpr std::array kShifts = {"MaxPool",   "GlobalAveragePool", "GlobalMaxPool", "ReduceMean",
                                "ReduceMax", "ReduceMin",         "Reshape",       "Flatten",
                                "Squeeze",   "Unsqueeze",         "Transpose",     "Identity"};

template <std::size_t kCount>
bool is_any(const Node& node, const std::array<const char*, kCount>& types) {
  return std::ranges::find(types, node.op_type) != types.end();
}

bool has_no_padding(const Node& conv) {
  const std::string automatic = conv.string_attribute("auto_pad", "NOTSET");
  const auto pads = conv.ints_attribute("pads", {});
  return (automatic == "NOTSET" || automatic == "VALID") &&
         std::ranges::all_of(pads, [](std::int64_t pad) { return pad == 0; });
}

/// A constant that is added to each channel: the bias of a layer or an Add after it.
struct BiasPlace {
  int node = 0;
  std::size_t input = 2;
  std::vector<double> values;       // [channels]; empty: a layer without bias
  std::optional<ChannelAxis> axis;  // of an Add; absent: the bias of a layer
  double sign = 1;                  // -1: the right side of a Sub
  bool is_changed = false;
};

class Absorbing {
 public:
  Absorbing(Graph& graph, const Statistics& statistics, BiasAbsorption absorption)
      : graph_(graph),
        index_(graph),
        statistics_(statistics),
        absorption_(absorption),
        chains_(equalizing::find_chains(graph, index_)),
        writer_(graph, index_) {}

  std::vector<std::string> run() {
    for (const Link& link : chains_.links) absorb(link);
    for (const auto& [number, place] : places_) {
      if (place.is_changed) write(place);
    }
    return std::move(notes_);
  }

  /// The tensors that must be observed.
  std::vector<std::string> tensors() {
    std::vector<std::string> tensors;
    for (const Link& link : chains_.links) {
      if (const auto passage = passage_of(link)) tensors.push_back(passage->tensor);
    }
    return tensors;
  }

 private:
  [[nodiscard]] const Node& node(int number) const { return graph_.nodes[to_size(number)]; }
  [[nodiscard]] const LinearLayer& layer(int number) const {
    return chains_.layers[to_size(number)];
  }

  /// A link over which a constant may move from one bias to another.
  struct Passage {
    std::string tensor;  // before the clamp
    BiasPlace* before = nullptr;
    BiasPlace* after = nullptr;
  };

  std::optional<Passage> passage_of(const Link& link) {
    // A link may contain additions, then one clamp, then operators that pass on a shift.
    std::size_t clamp = 0;
    while (clamp < link.between.size() && is_addition(link, link.between[clamp])) ++clamp;
    if (clamp == link.between.size() || !is_any(node(link.between[clamp]), kClamps))
      return std::nullopt;
    for (std::size_t step = clamp + 1; step < link.between.size(); ++step)
      if (!is_any(node(link.between[step]), kShifts)) return std::nullopt;
    const Passage passage{
        .tensor = node(link.between[clamp]).inputs[0],
        .before = place_of(layer(link.from), clamp == 0 ? -1 : link.between[clamp - 1]),
        .after = place_after(layer(link.to))};
    if (passage.before == nullptr || passage.after == nullptr) return std::nullopt;
    return passage;
  }

  void absorb(const Link& link) {
    const std::optional<Passage> passage = passage_of(link);
    if (!passage) return;
    const LinearLayer& head = layer(link.from);
    const LinearLayer& tail = layer(link.to);
    const std::vector<double> amounts = amounts_of(passage->tensor, head);
    if (std::ranges::all_of(amounts, [](double amount) { return amount == 0; })) return;
    subtract(*passage->before, amounts);
    add(*passage->after, tail, amounts);
    notes_.push_back(fmt::format(
        "up to {:.4g} in each of {} channels moves from {} to {}", std::ranges::max(amounts),
        std::ranges::count_if(amounts, [](double amount) { return amount > 0; }),
        describe_node(graph_, head.node), describe_node(graph_, tail.node)));
  }

  static bool is_addition(const Link& link, int number) {
    return std::ranges::find(link.additions, number) != link.additions.end();
  }

  /// [channels]: the part that all values of the channel have in common before the clamp.
  [[nodiscard]] std::vector<double> amounts_of(const std::string& tensor,
                                               const LinearLayer& head) const {
    std::vector<double> amounts(to_size(head.layout.outputs), 0.0);
    const auto found = statistics_.tensors.find(tensor);
    if (found == statistics_.tensors.end()) return amounts;
    const TensorStatistics& seen = found->second;
    const auto axis = equalizing::output_axis(index_, node(head.node), head);
    const bool holds = axis && axis->axis == (seen.channels_last ? axis->rank - 1 : 1);
    if (!holds || seen.channel_min.size() != amounts.size()) return amounts;
    for (std::size_t channel = 0; channel < amounts.size(); ++channel) {
      double least = static_cast<double>(seen.channel_min[channel]);
      if (absorption_ == BiasAbsorption::three_sigma) {
        const double mean = seen.channel_mean[channel];
        const double variance = std::max(0.0, seen.channel_mean_square[channel] - mean * mean);
        least = mean - 3 * std::sqrt(variance);
      }
      amounts[channel] = std::max(0.0, least);
    }
    return amounts;
  }

  /// The constant that sets the bias of the layer's channels: in `addition`, the last one before
  /// the clamp, or in the layer itself when `addition` is -1.
  BiasPlace* place_of(const LinearLayer& linear, int addition) {
    const int key = addition >= 0 ? addition : linear.node;
    const auto known = places_.find(key);
    if (known != places_.end()) return &known->second;
    if (addition >= 0) {
      const auto place = place_of_addition(linear, addition);
      return place ? &places_.emplace(key, *place).first->second : nullptr;
    }
    if (node(linear.node).is("MatMul") || !linear.bias.is_readable) return nullptr;
    return &places_
                .emplace(key,
                         BiasPlace{.node = linear.node, .values = linear.bias.values, .axis = {}})
                .first->second;
  }

  [[nodiscard]] std::optional<BiasPlace> place_of_addition(const LinearLayer& linear,
                                                           int number) const {
    const auto axis = equalizing::output_axis(index_, node(linear.node), linear);
    if (!axis) return std::nullopt;
    for (const std::size_t input : {0U, 1U}) {
      const auto found = equalizing::addition(index_, node(number), node(number).input(input),
                                              *axis, linear.layout.outputs);
      if (!found) continue;
      return BiasPlace{.node = number,
                       .input = found->input,
                       .values = found->values,
                       .axis = axis,
                       .sign = node(number).is("Sub") ? -1.0 : 1.0};
    }
    return std::nullopt;
  }

  /// The same for the layer at the end of a link; null when a shift of its input does not shift
  /// each output channel by one number.
  BiasPlace* place_after(const LinearLayer& tail) {
    const Node& reader = node(tail.node);
    if (reader.is("ConvTranspose") || (reader.is("Conv") && !has_no_padding(reader)))
      return nullptr;
    if (!reader.is("MatMul")) return place_of(tail, -1);
    if (tail.layout.batches != 1) return nullptr;
    const std::string& output = reader.outputs[0];
    if (!equalizing::has_one_reader(graph_, index_, output)) return nullptr;
    return place_of(tail, index_.consumers(output)[0]);
  }

  static void subtract(BiasPlace& place, const std::vector<double>& amounts) {
    place.is_changed = true;
    place.values.resize(amounts.size(), 0.0);
    for (std::size_t channel = 0; channel < amounts.size(); ++channel)
      place.values[channel] -= amounts[channel];
  }

  void add(BiasPlace& place, const LinearLayer& tail, const std::vector<double>& amounts) const {
    place.is_changed = true;
    place.values.resize(to_size(tail.layout.outputs), 0.0);
    const double alpha = static_cast<double>(node(tail.node).float_attribute("alpha", 1));
    const double factor = node(tail.node).is("Gemm") ? alpha : 1.0;
    const auto values = tail.weight->values<float>();
    tail.layout.for_each_run([&](std::int64_t input, std::int64_t output, std::int64_t offset) {
      for (const float value : values.subspan(to_size(offset), to_size(tail.layout.kernel)))
        place.values[to_size(output)] +=
            factor * static_cast<double>(value) * amounts[to_size(input)];
    });
  }

  void write(const BiasPlace& place) {
    if (place.axis) {
      std::vector<double> written = place.values;
      for (double& value : written) value *= place.sign;
      writer_.set(place.node, place.input, "",
                  equalizing::along_axis(written, place.axis->axis, place.axis->rank));
      return;
    }
    writer_.set(place.node, 2, std::string(node(place.node).input(1)) + "_bias",
                equalizing::along_axis(place.values, 0, 1));
    // The factor is now part of the bias; absent means 1.
    graph_.nodes[to_size(place.node)].remove_attribute("beta");
  }

  Graph& graph_;
  GraphIndex index_;
  const Statistics& statistics_;
  BiasAbsorption absorption_;
  equalizing::ChainMap chains_;
  ConstantWriter writer_;
  std::map<int, BiasPlace> places_;  // by node
  std::vector<std::string> notes_;
};

}  // namespace

std::vector<std::string> tensors_to_absorb(Model model) {
  return Absorbing(model.graph, {}, BiasAbsorption::none).tensors();
}

Equalized absorb_biases(Model model, const Statistics& statistics, BiasAbsorption absorption) {
  Equalized result{.model = std::move(model), .changed = false, .notes = {}};
  if (absorption == BiasAbsorption::none) return result;
  result.notes = Absorbing(result.model.graph, statistics, absorption).run();
  result.changed = !result.notes.empty();
  if (result.changed) remove_unused_values(result.model.graph);
  return result;
}

}  // namespace quantsearch
