#include "evaluate/tasks/task_case.h"

#include "quantsearch/base/error.h"
#include "support/budgets.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

Model scaled_by(float factor, const Shape& shape, std::int64_t flipped_from) {
  ModelBuilder builder;
  Shape with_batch = shape;
  with_batch[0] = -1;
  builder.input("x", with_batch);
  std::vector<float> factors(static_cast<std::size_t>(shape.back()), factor);
  for (std::int64_t i = flipped_from; flipped_from > 0 && i < shape.back(); ++i)
    factors[static_cast<std::size_t>(i)] = -factor;
  builder.weight("factor", {shape.back()}, factors);
  builder.output(builder.node("Mul", {"x", "factor"}, {}, "y"), with_batch);
  return builder.build();
}

Shape TaskCase::sample_shape() const {
  Shape shape = samples.shape();
  shape[0] = 1;
  return shape;
}

std::pair<Scores, Scores> TaskCase::scores(const Model& candidate) const {
  const Model float_model = scaled_by(1, sample_shape());
  std::shared_ptr<const DataSource> data = in_memory_data({{"x", samples}});
  if (!names.empty()) data = with_names(data, names);
  ThreadPool pool(2);
  const ByteBudget budget(kPlenty);
  const Reference reference(
      float_model, data, std::nullopt, pool, budget,
      {.batch = 0,
       .task = make_task(read_task(parse_yaml(yaml, "test")), {.float_model = float_model,
                                                               .samples = data,
                                                               .labels = labels,
                                                               .first_in_truth = first_in_truth})});
  return {reference.float_scores({}), evaluate(candidate, reference, pool, {.metrics = {}})};
}

std::string TaskCase::refusal() const {
  try {
    (void)scores(scaled_by(1, sample_shape()));
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace quantsearch::testing
