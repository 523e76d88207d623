#pragma once

// Writes the Q/DQ graph from a plan, its parameters and its weights.

#include "quantize/numbers/activations.h"
#include "quantize/numbers/parameters.h"
#include "quantize/numbers/tables.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// The inputs of emit().
struct Blueprint {
  const Model& model;
  const PlanView& view;  // of the model's graph
  const Activations& activations;
  const std::map<int, LayerParameters>& layers;
  const Tables& tables;
};

/// The constants of a layer in the written graph.
struct WrittenLayer {
  int node = 0;  // index in the written graph
  StoredIntegers weight;
  std::optional<StoredIntegers> bias;  // absent: float or none
  std::string float_bias;              // initializer of the written graph; "": integers or none
};

struct Emitted {
  Model model;
  std::map<std::string, TensorParams> tensors;                // by name in the float model
  std::map<std::string, std::vector<TensorParams>> narrower;  // see QuantizedModel
  std::map<int, WrittenLayer> layers;                         // by node of the float graph
};
[[nodiscard]] Emitted emit(const Blueprint& blueprint);

}  // namespace quantsearch
