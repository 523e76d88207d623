#pragma once

// The quadratic that rounding minimizes, in the form that the solvers need (see
// docs/algorithms/gptq.md). For each row
//   J(q) + ridge d |q - w|^2 = (q - t) A (q - t)' + constant
//   with A = H + ridge d I and t = (C + ridge d w) A^-1,
// where d is the mean diagonal of H. With a jointly optimal bias, H and C are centred: H - m m' and
// C - y m'. Inputs are ordered so that the one with the most energy comes last, where the solvers
// start. Paired inputs (code_pairs.h) are at an even place and the next one, so that solvers choose
// both codes in one step.

#include <cstdint>
#include <vector>

#include "finetune/solvers/layer_problem.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

/// One group's A, its factor and its rows' targets; k is the number of inputs.
struct Lattice {
  std::vector<std::int64_t> order;      // [k]: order[i] is the input at place i
  std::vector<float> a;                 // [k][k]
  std::vector<float> l;                 // [k][k], lower, A = L L'
  std::vector<float> u;                 // [k][k], L'
  std::vector<float> targets;           // [rows][k]
  std::vector<PairedInput> pairs = {};  // [k], partners are places; empty: codes are free
  // True when no input varies, so that all q are equally good; the other members are then empty.
  bool is_flat = false;
};

struct LatticeOptions {
  double ridge = 0;
  bool is_centred = true;  // false: the weights are chosen for the bias of the layer
};

/// The lattices of all groups. When the factorization fails, the ridge is raised tenfold until it
/// succeeds.
[[nodiscard]] std::vector<Lattice> make_lattices(const LayerWeights& layer, const Moments& moments,
                                                 const LatticeOptions& options, ThreadPool& pool,
                                                 const CancellationToken& token);

}  // namespace quantsearch::reconstruction
