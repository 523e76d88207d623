#pragma once

// The quadratic that rounding minimises, in the form solvers want (ptq_methods 2.1 and 2.2). For
// each row
//   J(q) + ridge d |q - w|^2 = (q - t) A (q - t)' + constant,   A = H + ridge d I,   t = (C + ridge
//   d w) A^-1,
// d the mean diagonal of H. With a jointly optimal bias, H and C are centred: H - m m', C - y m'.
// Inputs are ordered so that the one with the most energy comes last, where the solvers start.
// Paired inputs (code_pairs.h) are neighbours, at an even place and the next, so that solvers
// choose both codes in one step.

#include <cstdint>
#include <vector>

#include "finetune/layer_problem.h"
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
  bool is_flat = false;  // no input varies: every q is as good as any other, nothing else is filled
};

struct LatticeOptions {
  double ridge = 0;
  bool is_centred = true;  // false: the weights are chosen for the bias of the layer
};

/// Of every group. A ridge too small for the factorization to succeed is raised tenfold until it
/// does.
[[nodiscard]] std::vector<Lattice> make_lattices(const LayerWeights& layer, const Moments& moments,
                                                 const LatticeOptions& options, ThreadPool& pool,
                                                 const CancellationToken& token);

}  // namespace quantsearch::reconstruction
