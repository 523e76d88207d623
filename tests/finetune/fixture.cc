#include "finetune/fixture.h"

#include "quantsearch/runtime.h"
#include "quantsearch/transform.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

Prepared prepare(const Model& model, std::shared_ptr<const DataSource> data,
                 const QuantizeOptions& options, ThreadPool& pool) {
  Prepared made{.reference = simplify(model, {}).model, .data = std::move(data), .candidate = {}};
  const Statistics statistics =
      observe(made.reference, *made.data, pool, {.tensors = tensors_to_observe(made.reference)});
  made.candidate = quantize(made.reference, choose_ranges(statistics, {}, pool), options, pool);
  return made;
}

Model small_network() {
  ModelBuilder builder;
  builder.input("x", {-1, 3, 8, 8});
  const Attribute pads{"pads", std::vector<std::int64_t>{1, 1, 1, 1}};
  const auto conv = [&](const std::string& from, const std::string& name, const Shape& shape,
                        std::int64_t groups) {
    const std::string weight =
        builder.random_weight(name + "_w", shape, 0.5F, shape.size() + name.size());
    const std::string bias = builder.random_weight(name + "_b", {shape[0]}, 0.1F, 77);
    return builder.node("Conv", {from, weight, bias}, {pads, {"group", groups}}, name);
  };
  const std::string first = builder.node("Relu", {conv("x", "first", {6, 3, 3, 3}, 1)});
  const std::string second = conv(first, "second", {6, 6, 3, 3}, 1);
  const std::string joined =
      builder.node("Relu", {builder.node("Add", {second, first}, {}, "join")});
  builder.constant("low", Tensor::scalar<float>(0));
  builder.constant("high", Tensor::scalar<float>(6));
  const std::string depthwise =
      builder.node("Clip", {conv(joined, "depthwise", {6, 1, 3, 3}, 6), "low", "high"});
  const std::string flat =
      builder.node("Flatten", {builder.node("GlobalAveragePool", {depthwise})});
  builder.output(builder.node("Gemm",
                              {flat, builder.random_weight("fc_w", {6, 4}, 0.5F, 9),
                               builder.random_weight("fc_b", {4}, 0.1F, 8)},
                              {}, "classifier"),
                 {-1, 4});
  return builder.build();
}

std::shared_ptr<const DataSource> small_data() {
  return in_memory_data({{"x", random_tensor({kSamples, 3, 8, 8}, 11)}});
}

double distance(const Prepared& prepared, const Model& model) {
  const auto exact = open_session(prepared.reference);
  const auto other = open_session(model);
  double difference = 0;
  double signal = 0;
  for (std::int64_t sample = 0; sample < kSamples; ++sample) {
    const Batch inputs = prepared.data->read(sample, 1);
    const Tensor a = exact->run(inputs).begin()->second;
    const Tensor b = other->run(inputs).begin()->second;
    for (std::size_t at = 0; at < a.values<float>().size(); ++at) {
      const double wanted = a.values<float>()[at];
      difference += (b.values<float>()[at] - wanted) * (b.values<float>()[at] - wanted);
      signal += wanted * wanted;
    }
  }
  return difference / signal;
}

}  // namespace quantsearch::testing
