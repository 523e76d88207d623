#pragma once

// Writes the Q/DQ graph that a plan, its parameters and its weights describe.

#include "quantize/numbers/activations.h"
#include "quantize/numbers/parameters.h"
#include "quantize/numbers/tables.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Everything known about the model to be written.
struct Blueprint {
  const Model& model;
  const PlanView& view;  // of its graph
  const Activations& activations;
  const std::map<int, LayerParameters>& layers;
  const Tables& tables;
};

/// Where the constants of a layer were written.
struct WrittenLayer {
  int node = 0;  // index in the written graph
  StoredIntegers weight;
  std::optional<StoredIntegers> bias;  // integers
  std::string float_bias;              // initializer of the written graph; "": integers, or none
};

struct Emitted {
  Model model;
  std::map<std::string, TensorParams> tensors;                // by name in the float model
  std::map<std::string, std::vector<TensorParams>> narrower;  // see QuantizedModel
  std::map<int, WrittenLayer> layers;                         // by node of the float graph
};
[[nodiscard]] Emitted emit(const Blueprint& blueprint);

}  // namespace quantsearch
