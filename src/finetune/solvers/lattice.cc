#include "finetune/solvers/lattice.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/linear_algebra.h"
#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::reconstruction {

namespace {

/// H of a group, centred if requested, in the order of the inputs.
class Energy {
 public:
  Energy(const Moments& moments, std::int64_t k, std::int64_t group, bool is_centred)
      : h_(moments.h.data() + group * k * k),
        mean_(moments.input_mean.data() + group * k),
        k_(k),
        is_centred_(is_centred) {}
  [[nodiscard]] double at(std::int64_t row, std::int64_t column) const {
    const double raw = h_[row * k_ + column];
    return is_centred_ ? raw - mean_[row] * mean_[column] : raw;
  }

 private:
  const double* h_;
  const double* mean_;
  std::int64_t k_;
  bool is_centred_;
};

/// L and the ridge (times d) with which it was computed.
struct Factor {
  std::vector<double> l;
  double added = 0;
};

Factor factor_of(const Energy& energy, Lattice& lattice, std::int64_t k, double mean_diagonal,
                 double ridge) {
  Factor factor;
  factor.l.resize(to_size(k * k));
  while (true) {
    factor.added = ridge * mean_diagonal;
    for (std::int64_t row = 0; row < k; ++row) {
      for (std::int64_t column = 0; column <= row; ++column) {
        factor.l[to_size(row * k + column)] =
            energy.at(lattice.order[to_size(row)], lattice.order[to_size(column)]) +
            (row == column ? factor.added : 0.0);
      }
    }
    for (std::int64_t row = 0; row < k; ++row) {
      for (std::int64_t column = 0; column <= row; ++column) {
        const auto value = static_cast<float>(factor.l[to_size(row * k + column)]);
        lattice.a[to_size(row * k + column)] = value;
        lattice.a[to_size(column * k + row)] = value;
      }
    }
    if (factorize(matrix(factor.l.data(), k, k))) return factor;
    ridge = std::max(ridge * 10, 1e-9);
  }
}

void fill_factor(Lattice& lattice, const std::vector<double>& l, std::int64_t k) {
  for (std::int64_t row = 0; row < k; ++row) {
    for (std::int64_t column = 0; column <= row; ++column) {
      const auto value = static_cast<float>(l[to_size(row * k + column)]);
      lattice.l[to_size(row * k + column)] = value;
      lattice.u[to_size(column * k + row)] = value;
    }
  }
}

/// The order of the inputs when pairs stay together. A pair is ranked by the energy of its stronger
/// input. Two inputs without a partner also take two places, so that pairs start at even places. An
/// input that is left over comes last.
std::vector<std::int64_t> order_of_pairs(const std::vector<double>& energies,
                                         const std::vector<std::int64_t>& ascending,
                                         std::span<const PairedInput> pairs) {
  std::vector<std::int64_t> reversed;  // from the strongest to the weakest
  std::vector<bool> is_placed(energies.size(), false);
  std::vector<std::int64_t> single;  // at most one input without a partner
  for (auto input = ascending.rbegin(); input != ascending.rend(); ++input) {
    const PairedInput& pair = pairs[to_size(*input)];
    if (is_placed[to_size(*input)]) continue;
    is_placed[to_size(*input)] = true;
    if (has_partner(pair)) {
      is_placed[to_size(pair.partner)] = true;
      reversed.insert(reversed.end(), {*input, pair.partner});
    } else {
      single.push_back(*input);
    }
    if (single.size() == 2) {
      reversed.insert(reversed.end(), single.begin(), single.end());
      single.clear();
    }
  }
  std::ranges::reverse(reversed);
  reversed.insert(reversed.end(), single.begin(), single.end());
  return reversed;
}

void place_pairs(std::span<const PairedInput> pairs, const std::vector<double>& energies,
                 Lattice& lattice) {
  if (pairs.empty()) return;
  lattice.order = order_of_pairs(energies, lattice.order, pairs);
  std::vector<std::int64_t> places(lattice.order.size());
  for (std::size_t place = 0; place < places.size(); ++place)
    places[to_size(lattice.order[place])] = static_cast<std::int64_t>(place);
  for (const std::int64_t input : lattice.order) {
    PairedInput placed = pairs[to_size(input)];
    placed.partner = places[to_size(placed.partner)];
    lattice.pairs.push_back(placed);
  }
}

/// Fills the lattices of a layer, group by group and then block of rows by block of rows.
class LatticeMaker {
 public:
  LatticeMaker(const LayerWeights& layer, const Moments& moments, const LatticeOptions& options)
      : layer_(layer),
        moments_(moments),
        options_(options),
        lattices_(to_size(layer.shape.groups)),
        factors_(to_size(layer.shape.groups)) {}

  std::vector<Lattice> run(ThreadPool& pool, const CancellationToken& token) {
    const LayerShape& shape = layer_.shape;
    pool.parallel_for(
        shape.groups, [&](std::int64_t group, int) { factorize_group(group); }, token);
    const std::int64_t blocks = (shape.rows + kRowsAtOnce - 1) / kRowsAtOnce;
    pool.parallel_for(
        shape.groups * blocks,
        [&](std::int64_t index, int) {
          solve_targets(index / blocks, index % blocks * kRowsAtOnce);
        },
        token);
    return std::move(lattices_);
  }

 private:
  static constexpr std::int64_t kRowsAtOnce = 16;

  /// Orders the inputs of a group and factorizes its A.
  void factorize_group(std::int64_t group) {
    const std::int64_t k = layer_.shape.columns;
    Lattice& lattice = lattices_[to_size(group)];
    const Energy energy(moments_, k, group, options_.is_centred);
    std::vector<double> diagonal(to_size(k));
    for (std::int64_t input = 0; input < k; ++input)
      diagonal[to_size(input)] = energy.at(input, input);
    const double mean =
        std::accumulate(diagonal.begin(), diagonal.end(), 0.0) / static_cast<double>(k);
    // Products were summed in float, so centring leaves about 1e-7 of the energy of constant
    // inputs.
    lattice.is_flat = !(mean > 1e-6 * largest_energy(group));
    if (lattice.is_flat) return;
    lattice.order.resize(to_size(k));
    std::iota(lattice.order.begin(), lattice.order.end(), 0);
    std::ranges::stable_sort(lattice.order, {},
                             [&](std::int64_t input) { return diagonal[to_size(input)]; });
    place_pairs(pairs_of_group(layer_, group), diagonal, lattice);
    for (std::vector<float>* part : {&lattice.a, &lattice.l, &lattice.u})
      part->resize(to_size(k * k));
    lattice.targets.resize(to_size(layer_.shape.rows * k));
    factors_[to_size(group)] = factor_of(energy, lattice, k, mean, options_.ridge);
    fill_factor(lattice, factors_[to_size(group)].l, k);
  }

  /// The largest energy of an input of the group, not centred.
  [[nodiscard]] double largest_energy(std::int64_t group) const {
    const std::int64_t k = layer_.shape.columns;
    double largest = 0;
    for (std::int64_t input = 0; input < k; ++input)
      largest = std::max(largest, moments_.h[to_size((group * k + input) * k + input)]);
    return largest;
  }

  /// Solves t A = C + ridge d w for a block of rows of the group, the first of which is `first`.
  void solve_targets(std::int64_t group, std::int64_t first) {
    const LayerShape& shape = layer_.shape;
    const std::int64_t k = shape.columns;
    Lattice& lattice = lattices_[to_size(group)];
    if (lattice.is_flat) return;
    const Factor& factor = factors_[to_size(group)];
    const std::int64_t rows = std::min(kRowsAtOnce, shape.rows - first);
    std::vector<double> right(to_size(rows * k));
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t output = group * shape.rows + first + row;
      const double bias = layer_.bias.empty() ? 0.0 : layer_.bias[to_size(output)];
      const double centre = options_.is_centred ? moments_.output_mean[to_size(output)] : bias;
      for (std::int64_t place = 0; place < k; ++place) {
        const std::int64_t input = lattice.order[to_size(place)];
        right[to_size(row * k + place)] = moments_.c[to_size(output * k + input)] -
                                          centre * moments_.input_mean[to_size(group * k + input)] +
                                          factor.added * layer_.values[to_size(output * k + input)];
      }
    }
    solve_factorized(matrix(factor.l.data(), k, k), matrix(right.data(), rows, k));
    std::ranges::transform(right, lattice.targets.begin() + first * k,
                           [](double value) { return static_cast<float>(value); });
  }

  const LayerWeights& layer_;
  const Moments& moments_;
  const LatticeOptions& options_;
  std::vector<Lattice> lattices_;
  std::vector<Factor> factors_;
};

}  // namespace

std::vector<Lattice> make_lattices(const LayerWeights& layer, const Moments& moments,
                                   const LatticeOptions& options, ThreadPool& pool,
                                   const CancellationToken& token) {
  return LatticeMaker(layer, moments, options).run(pool, token);
}

}  // namespace quantsearch::reconstruction
