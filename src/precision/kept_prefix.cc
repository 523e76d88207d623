#include "precision/kept_prefix.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

// As in Reference: the rest is for the work itself.
constexpr std::int64_t kShareInMemory = 2;

std::int64_t run_count(const Reference& reference) {
  return (reference.data().size() + reference.batch() - 1) / reference.batch();
}

/// The sizes of all tensors of the places, in all runs together.
std::map<std::string, std::int64_t> sizes_of(const Model& model,
                                             const std::vector<CutPoint>& places,
                                             const Reference& reference) {
  TensorNames names;
  for (const CutPoint& place : places) names.insert(place.tensors.begin(), place.tensors.end());
  const std::vector<std::string> tensors(names.begin(), names.end());
  const std::int64_t batch = std::min(reference.batch(), reference.data().size());
  const auto bytes = tensor_sizes(model, reference.data().read(0, batch), tensors);
  std::map<std::string, std::int64_t> sizes;
  for (std::size_t at = 0; at < tensors.size(); ++at)
    sizes[tensors[at]] = bytes[at] * run_count(reference);
  return sizes;
}

/// What the base knows of the shape. A part is told no more than that, because the runtime may
/// choose other kernels, which round in another way, where it knows more sizes.
std::optional<std::vector<Dimension>> declared_dimensions(const GraphIndex& index,
                                                          const Graph& graph,
                                                          const std::string& tensor) {
  const ValueInfo* const value = index.value(tensor);
  if (value != nullptr && value->dimensions) return value->dimensions;
  const auto producer = index.producer(tensor);
  if (!producer) return std::nullopt;
  const Node& node = graph.nodes[static_cast<std::size_t>(*producer)];
  if (node.op_type != "QuantizeLinear") return std::nullopt;
  const ValueInfo* const read = index.value(node.inputs[0]);
  return read == nullptr ? std::nullopt : read->dimensions;
}

Model with_compared_outputs(const Model& model, const Reference& reference) {
  Model compared = model;
  std::erase_if(compared.graph.outputs, [&](const ValueInfo& output) {
    return std::ranges::find(reference.output_names(), output.name) ==
           reference.output_names().end();
  });
  return compared;
}

}  // namespace

/// What a part reads, run by run.
class KeptPrefix::PartInputs final : public DataSource {
 public:
  PartInputs(const KeptPrefix& prefix, std::vector<std::string> kept,
             std::vector<std::string> inputs)
      : prefix_(prefix), kept_(std::move(kept)), inputs_(std::move(inputs)) {}

  [[nodiscard]] std::int64_t size() const override { return samples().size(); }
  [[nodiscard]] std::int64_t largest_batch() const override { return prefix_.reference_.batch(); }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    const std::int64_t batch = largest_batch();
    if (first % batch != 0 || count != std::min(batch, size() - first)) {
      throw InternalError(fmt::format(
          "precision: {} samples from {} were asked of runs of {} samples", count, first, batch));
    }
    Batch values;
    Batch kept = prefix_.store_->outputs(first / batch);
    for (const std::string& name : kept_) values.emplace(name, std::move(kept.at(name)));
    if (inputs_.empty()) return values;
    Batch samples_read = samples().read(first, count);
    for (const std::string& name : inputs_) {
      // The data may lack an input that has a default value.
      const auto found = samples_read.find(name);
      if (found != samples_read.end()) values.emplace(name, std::move(found->second));
    }
    return values;
  }
  [[nodiscard]] Key content_key() const override {
    KeyBuilder key;
    key.add("part inputs").add(samples().content_key());
    for (const std::string& name : kept_) key.add(name);
    return key.finish();
  }

 private:
  [[nodiscard]] const DataSource& samples() const { return prefix_.reference_.data(); }

  const KeptPrefix& prefix_;
  std::vector<std::string> kept_;
  std::vector<std::string> inputs_;
};

KeptPrefix::KeptPrefix(Model base, const Reference& reference, const Options& options,
                       const PrecisionContext& context)
    : base_(std::move(base)), reference_(reference), folder_(context.spill_folder) {
  const std::int64_t limit = options.limit_bytes > 0
                                 ? options.limit_bytes
                                 : std::max<std::int64_t>(0, context.budget.free());
  store_ = std::make_unique<BatchStore>(run_count(reference), context.budget,
                                        limit / kShareInMemory, folder_);
  const TensorNames op_types(options.op_types.begin(), options.op_types.end());
  const std::vector<CutPoint> places = cut_points(base_.graph, op_types);
  if (places.empty()) return;
  const TensorNames tensors = affordable_tensors(places, sizes_of(base_, places, reference), limit);
  if (!tensors.empty()) keep(tensors, options, context);
}

void KeptPrefix::keep(const TensorNames& tensors, const Options& options,
                      const PrecisionContext& context) {
  const auto session = open_session(
      with_compared_outputs(base_, reference_),
      {.taps = {tensors.begin(), tensors.end()}, .exact_products = options.exact_products});
  const std::int64_t batch = reference_.batch();
  if (batch > 1 && !session->stacks_samples()) return;
  run_samples(*session, reference_.data(), context.pool,
              {.batch = batch, .fixed_runs = true, .token = context.token},
              [&](std::int64_t first, std::int64_t, const Batch& outputs, int) {
                Batch kept;
                for (const auto& [name, tensor] : outputs) {
                  if (!tensors.contains(name) || tensor.type() == DataType::string) continue;
                  kept.emplace(name, tensor);
                  note(name, tensor);
                }
                store_->put(first / batch, kept);
                return true;
              });
  store_->finish();
  describe_kept(run_count(reference_));
}

void KeptPrefix::note(const std::string& name, const Tensor& tensor) {
  const std::lock_guard lock(mutex_);
  Seen& seen = seen_[name];
  const Shape& shape = tensor.shape();
  if (seen.runs++ == 0) {
    seen.type = tensor.type();
    seen.shape = shape;
    seen.is_fixed.assign(shape.size(), true);
  }
  seen.has_one_rank = seen.has_one_rank && shape.size() == seen.shape.size();
  if (!seen.has_one_rank) return;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] != seen.shape[axis]) seen.is_fixed[axis] = false;
  }
}

/// A tensor that some run lacks (the runtime leaves out sequences) is not used.
void KeptPrefix::describe_kept(std::int64_t runs) {
  const GraphIndex index(base_.graph);
  for (const auto& [name, seen] : seen_) {
    if (seen.runs != runs) continue;
    ValueInfo value{.name = name, .type = seen.type, .dimensions = std::nullopt, .extra = {}};
    if (seen.has_one_rank) {
      value.dimensions = declared_dimensions(index, base_.graph, name);
      if (!value.dimensions || value.dimensions->size() != seen.shape.size())
        value.dimensions.emplace(seen.shape.size());
      for (std::size_t axis = 0; axis < seen.shape.size(); ++axis) {
        Dimension& dimension = (*value.dimensions)[axis];
        const bool fits = seen.is_fixed[axis] && dimension.size == seen.shape[axis];
        if (dimension.size && !fits) dimension = {};
      }
    }
    shapes_.emplace(name, std::move(value));
  }
}

std::optional<ModelPart> KeptPrefix::part_of(const Model& model) const {
  if (shapes_.empty()) return std::nullopt;
  std::map<std::string, ValueInfo, std::less<>> given;
  const TensorNames equal = equal_tensors(base_, model);
  for (const auto& [name, value] : shapes_) {
    if (equal.contains(name)) given.emplace(name, value);
  }
  if (given.empty()) return std::nullopt;
  Suffix suffix = suffix_of(model, reference_.output_names(), given);
  if (suffix.given.empty()) return std::nullopt;
  auto inputs =
      std::make_shared<PartInputs>(*this, std::move(suffix.given), std::move(suffix.inputs));
  return ModelPart{.model = std::move(suffix.model), .inputs = std::move(inputs)};
}

}  // namespace quantsearch
