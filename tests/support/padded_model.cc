#include "support/padded_model.h"

#include <iterator>

#include "support/model_builder.h"

namespace quantsearch::testing {

Model padded_between_convolutions() {
  const auto integers = [](const std::vector<std::int64_t>& values) {
    return Tensor::of<std::int64_t>({std::ssize(values)}, values);
  };
  ModelBuilder builder(18);
  builder.input("x", {1, 3, 8, 8});
  const std::string axes = builder.node(
      "Add",
      {builder.constant("two", integers({2, 3})), builder.constant("zero", integers({0, 0}))}, {},
      "count");
  builder.node("Conv", {"x", builder.random_weight("a", {8, 3, 3, 3}, 1, 1)}, {}, "first");
  builder.node("Conv", {"first_out", builder.random_weight("b", {8, 8, 1, 1}, 1, 2)}, {}, "second");
  builder.node("Relu", {"second_out"}, {}, "bend");
  builder.node("Pad", {"bend_out", builder.constant("pads", integers({1, 1, 1, 1})), "", axes}, {},
               "pad");
  builder.node("Conv", {"pad_out", builder.random_weight("c", {8, 8, 3, 3}, 1, 3)}, {}, "third");
  builder.output(builder.node("Conv", {"third_out", builder.random_weight("d", {4, 8, 1, 1}, 1, 4)},
                              {}, "fourth"),
                 {1, 4, 6, 6});
  builder.output(axes, {2}, DataType::int64);
  return builder.build();
}

Tensor padded_input() { return random_tensor({4, 3, 8, 8}, 5); }

}  // namespace quantsearch::testing
