#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "calibrate/body_taps.h"
#include "quantsearch/base/error.h"
#include "quantsearch/calibrate.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

/// Tensor names in graph order, inputs first, so that of several tensors with bad values the error
/// names the one nearest to the cause.
std::vector<std::string> in_graph_order(const Graph& graph,
                                        const std::vector<std::string>& wanted) {
  std::set<std::string> left(wanted.begin(), wanted.end());
  std::vector<std::string> ordered;
  const auto take = [&](const std::string& name) {
    if (left.erase(name) > 0) ordered.push_back(name);
  };
  for (const ValueInfo& input : graph.inputs) take(input.name);
  for (const Node& node : graph.nodes) {
    for (const std::string& output : node.outputs) take(output);
  }
  for (const std::string& tensor : body_tensors(graph)) take(tensor);
  if (!left.empty()) {
    throw InvalidInput(fmt::format(
        "observe: the model has no tensor '{}', expected a graph input or an output of a node",
        *left.begin()));
  }
  return ordered;
}

using LeftSides = std::set<std::string, std::less<>>;

/// One worker's observers of a group of tensors.
class GroupObserver {
 public:
  GroupObserver(const Graph& graph, const std::vector<std::string>& names,
                const TappedBodies& tapped, const LeftSides& left_sides, int bins)
      : names_(names) {
    observers_.reserve(names.size());
    for (const std::string& name : names) {
      const auto inside = tapped.taps.find(name);
      taps_.push_back(inside == tapped.taps.end() ? BodyTap{.name = name} : inside->second);
      observers_.emplace_back(bins, left_sides.contains(name));
      is_input_.push_back(std::ranges::find(graph.inputs, name, &ValueInfo::name) !=
                          graph.inputs.end());
    }
  }

  void add(std::int64_t sample, const Batch& outputs) {
    for (std::size_t tensor = 0; tensor < names_.size(); ++tensor) {
      const auto found = outputs.find(taps_[tensor].name);
      if (found == outputs.end()) {
        throw InternalError(
            fmt::format("observe: the run returned no tensor '{}'", names_[tensor]));
      }
      add_iterations(tensor, sample, found->second);
    }
  }

  void merge(const GroupObserver& other) {
    for (std::size_t tensor = 0; tensor < observers_.size(); ++tensor) {
      observers_[tensor].merge(other.observers_[tensor]);
    }
  }

  [[nodiscard]] TensorStatistics statistics(std::size_t tensor) const {
    return observers_[tensor].statistics();
  }

 private:
  /// Adds the iterations of a Scan one by one, because the tensor's own axes determine where its
  /// channels are.
  void add_iterations(std::size_t tensor, std::int64_t sample, const Tensor& values) {
    const int axes = taps_[tensor].iteration_axes;
    if (axes == 0 || std::ssize(values.shape()) < axes) return add(tensor, sample, values);
    const auto first = values.shape().begin();
    const std::int64_t iterations = element_count(Shape(first, first + axes));
    const Shape own(first + axes, values.shape().end());
    Shape flat = own;
    flat.insert(flat.begin(), iterations);
    const Tensor rows = values.reshaped(flat);
    for (std::int64_t iteration = 0; iteration < iterations; ++iteration)
      add(tensor, sample, rows.rows(iteration, 1).reshaped(own));
  }

  void add(std::size_t tensor, std::int64_t sample, const Tensor& values) {
    if (!is_floating(values.type())) {
      throw InvalidInput(fmt::format("observe: tensor '{}' is {}, expected floating point",
                                     names_[tensor], to_string(values.type())));
    }
    observers_[tensor].add(sample, values);
    if (!is_input_[tensor] || !observers_[tensor].first_non_finite_sample()) return;
    const NonFinite bad = count_non_finite(values);
    throw InvalidInput(
        fmt::format("observe: input '{}' holds {} NaN and {} infinite values in sample {} (counted "
                    "from 0), expected finite values; take the sample out of the data",
                    names_[tensor], bad.nan, bad.infinite, sample));
  }

  const std::vector<std::string>& names_;
  std::vector<BodyTap> taps_;  // where the values of each tensor are
  std::vector<TensorObserver> observers_;
  std::vector<bool> is_input_;
};

/// Tensors that are tapped in one pass over the data; together their outputs fit the memory budget.
using Group = std::vector<std::string>;

std::vector<Group> split_into_groups(const std::vector<std::string>& names,
                                     const std::vector<std::int64_t>& sizes,
                                     std::int64_t bytes_of_one_run) {
  std::vector<Group> groups;
  std::int64_t bytes = 0;
  for (std::size_t tensor = 0; tensor < names.size(); ++tensor) {
    if (groups.empty() || bytes + sizes[tensor] > bytes_of_one_run) {
      groups.emplace_back();
      bytes = 0;
    }
    groups.back().push_back(names[tensor]);
    bytes += sizes[tensor];
  }
  return groups;
}

class Observation {
 public:
  Observation(const Model& model, const DataSource& data, ThreadPool& pool,
              const ObserveOptions& options)
      : model_(model),
        // Not owned; the data outlive this object.
        data_(std::shared_ptr<const void>(), &data),
        pool_(pool),
        options_(options),
        samples_(std::min(options.samples.value_or(data.size()), data.size())),
        names_(in_graph_order(model.graph, options.tensors)) {}

  Statistics run() {
    result_.samples = samples_;
    if (names_.empty()) return std::move(result_);
    const std::int64_t runs_at_once = std::min<std::int64_t>(pool_.threads(), samples_);
    const std::vector<Group> groups =
        split_into_groups(names_, tensor_sizes(model_, data_->read(0, 1), names_),
                          options_.memory_bytes / runs_at_once);
    say(options_.log, LogLevel::detail,
        fmt::format("observe: {} tensors over {} samples in {} passes", names_.size(), samples_,
                    groups.size()));
    for (const Group& group : groups) observe_group(group);
    return std::move(result_);
  }

 private:
  [[nodiscard]] static std::unique_ptr<Session> open(const TappedBodies& tapped,
                                                     const Group& group) {
    std::vector<std::string> taps;
    for (const std::string& tensor : group) {
      const auto inside = tapped.taps.find(tensor);
      taps.push_back(inside == tapped.taps.end() ? tensor : inside->second.name);
    }
    return open_session(tapped.model, {.threads = 1, .optimize = true, .taps = taps});
  }

  void observe_group(const Group& group) {
    const TappedBodies tapped = tap_bodies(model_, group);
    const std::unique_ptr<Session> session = open(tapped, group);
    std::vector<GroupObserver> workers;
    workers.reserve(static_cast<std::size_t>(pool_.threads()));
    for (int worker = 0; worker < pool_.threads(); ++worker)
      workers.emplace_back(model_.graph, group, tapped, left_sides_, options_.bins);
    run_samples(*session, *data_, pool_, {.batch = 1, .end = samples_, .token = options_.token},
                [&](std::int64_t sample, std::int64_t, const Batch& outputs, int worker) {
                  workers[static_cast<std::size_t>(worker)].add(sample, outputs);
                  return true;
                });
    for (std::size_t worker = 1; worker < workers.size(); ++worker)
      workers[0].merge(workers[worker]);
    for (std::size_t tensor = 0; tensor < group.size(); ++tensor) {
      result_.tensors.emplace(group[tensor], workers[0].statistics(tensor));
    }
  }

  const Model& model_;
  LeftSides left_sides_ = matmul_left_sides(model_.graph);
  std::shared_ptr<const DataSource> data_;
  ThreadPool& pool_;
  const ObserveOptions& options_;
  std::int64_t samples_;
  std::vector<std::string> names_;
  Statistics result_;
};

}  // namespace

bool has_channels_last(const Graph& graph, const GraphIndex& index, std::string_view tensor) {
  return std::ranges::any_of(index.consumers(tensor), [&](int reader) {
    const Node& node = graph.nodes[static_cast<std::size_t>(reader)];
    return node.is("MatMul") && node.input(0) == tensor;
  });
}

Statistics observe(const Model& model, const DataSource& data, ThreadPool& pool,
                   const ObserveOptions& options) {
  if (options.samples && *options.samples < 1) {
    throw InvalidInput(
        fmt::format("observe: the first {} samples, expected at least 1", *options.samples));
  }
  if (options.memory_bytes < 1) {
    throw InvalidInput(
        fmt::format("observe: a memory of {} bytes, expected at least 1", options.memory_bytes));
  }
  return Observation(model, data, pool, options).run();
}

}  // namespace quantsearch
