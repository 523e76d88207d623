// x / c becomes x * (1 / c), for which integer kernels exist. With r the reciprocal rounded to
// float32, the result is exact when c is a power of two; otherwise it differs from the division by
// at most 1.5 units in the last place (half for r, and half for the product, against half for the
// division).

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

struct Reciprocal {
  Tensor tensor;
  bool is_exact = true;
};

// Nullopt when an element is zero, not finite, or has a reciprocal that float32 holds with less
// precision.
std::optional<Reciprocal> reciprocal_of(const Tensor& divisor) {
  Reciprocal result{.tensor = divisor};
  for (float& value : result.tensor.mutable_values<float>()) {
    const float reciprocal = 1.0F / value;
    if (!std::isnormal(value) || !std::isnormal(reciprocal)) return std::nullopt;
    int exponent = 0;
    result.is_exact = result.is_exact && std::abs(std::frexp(value, &exponent)) == 0.5F;
    value = reciprocal;
  }
  return result;
}

}  // namespace

PassResult div_to_mul(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  // divisor -> its reciprocal, so that a shared divisor stays shared
  std::map<std::string, std::string> reciprocals;
  for (int index = 0; index < editor.node_count(); ++index) {
    if (!editor.node(index).is("Div")) continue;
    const std::string divisor(editor.node(index).input(1));
    const Tensor* constant = editor.constant(divisor);
    if (constant == nullptr || constant->type() != DataType::float32) continue;
    const std::optional<Reciprocal> reciprocal = reciprocal_of(*constant);
    if (!reciprocal) {
      notes.push_back(fmt::format("{} stays: '{}' holds a number without a float32 reciprocal",
                                  editor.describe(index), divisor));
      continue;
    }
    notes.push_back(
        fmt::format("{} became Mul, {}", editor.describe(index),
                    reciprocal->is_exact ? "exactly" : "within 1.5 units in the last place"));
    auto& name = reciprocals[divisor];
    if (name.empty()) name = editor.add_constant(divisor + "_reciprocal", reciprocal->tensor);
    editor.node(index).op_type = "Mul";
    editor.node(index).inputs[1] = name;
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
