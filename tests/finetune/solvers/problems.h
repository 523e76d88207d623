#pragma once

// Small layers with columns for the tests of the solvers.

#include <numeric>
#include <vector>

#include "finetune/solvers/layer_problem.h"
#include "finetune/solvers/moments.h"
#include "quantsearch/base/random.h"

namespace quantsearch::reconstruction {

struct Problem {
  LayerWeights layer;
  Columns columns;
};

struct ProblemOptions {
  LayerShape shape;
  std::int64_t count = 200;  // columns
  int bits = 4;
  bool bias = true;
  float input_noise = 0.02F;  // standard deviation of the quantization noise of the inputs
  std::uint64_t seed = 1;
};

/// A layer with correlated inputs that have a mean, targets from the float inputs, and symmetric
/// scales that clip nothing.
inline Problem make_problem(const ProblemOptions& options) {
  RandomStream random(options.seed);
  const LayerShape& shape = options.shape;
  const auto normal = [&] { return static_cast<float>(random.normal()); };
  Problem problem;
  LayerWeights& layer = problem.layer;
  layer.shape = shape;
  layer.values.resize(static_cast<std::size_t>(shape.weights()));
  for (float& value : layer.values) value = normal();
  if (options.bias) {
    layer.bias.resize(static_cast<std::size_t>(shape.outputs()));
    for (float& value : layer.bias) value = normal();
  }
  layer.grid.limits = {-(1 << (options.bits - 1)) + 1, (1 << (options.bits - 1)) - 1};
  layer.grid.per_tensor = false;
  layer.grid.zero_points.assign(static_cast<std::size_t>(shape.outputs()), 0);
  for (std::int64_t output = 0; output < shape.outputs(); ++output) {
    float largest = 1e-3F;
    for (std::int64_t at = output * shape.columns; at < (output + 1) * shape.columns; ++at) {
      largest = std::max(largest, std::abs(layer.values[static_cast<std::size_t>(at)]));
    }
    layer.grid.scales.push_back(largest / static_cast<float>(layer.grid.limits.high));
  }
  const std::int64_t n = options.count;
  problem.columns.count = n;
  std::vector<float> clean(static_cast<std::size_t>(shape.groups * shape.columns * n));
  for (std::int64_t group = 0; group < shape.groups; ++group) {
    for (std::int64_t column = 0; column < n; ++column) {
      const float common = normal();
      for (std::int64_t k = 0; k < shape.columns; ++k) {
        clean[static_cast<std::size_t>((group * shape.columns + k) * n + column)] =
            0.3F + common + 0.5F * normal();
      }
    }
  }
  problem.columns.inputs.assign(clean.begin(), clean.end());
  for (float& value : problem.columns.inputs) value += options.input_noise * normal();
  problem.columns.targets.resize(static_cast<std::size_t>(shape.outputs() * n));
  for (std::int64_t output = 0; output < shape.outputs(); ++output) {
    const std::int64_t group = output / shape.rows;
    for (std::int64_t column = 0; column < n; ++column) {
      double sum = options.bias ? layer.bias[static_cast<std::size_t>(output)] : 0.0;
      for (std::int64_t k = 0; k < shape.columns; ++k) {
        sum += static_cast<double>(
                   layer.values[static_cast<std::size_t>(output * shape.columns + k)]) *
               clean[static_cast<std::size_t>((group * shape.columns + k) * n + column)];
      }
      problem.columns.targets[static_cast<std::size_t>(output * n + column)] =
          static_cast<float>(sum);
    }
  }
  return problem;
}

/// A layer that a gradient solver improves in a moment.
inline Problem small_problem(bool bias = true) {
  return make_problem({.shape = {.groups = 1, .rows = 12, .columns = 30},
                       .count = 1600,
                       .bias = bias,
                       .input_noise = 0.1F});
}

/// Pairs the inputs (0, 1), (2, 3), ... of each group; an odd last input has no partner.
inline void add_pairs(LayerWeights& layer, float maximum) {
  const std::int64_t k = layer.shape.columns;
  layer.grid.pairs.assign(static_cast<std::size_t>(layer.shape.groups * k), PairedInput{});
  for (std::int64_t group = 0; group < layer.shape.groups; ++group) {
    for (std::int64_t input = 0; input < k / 2 * 2; ++input) {
      layer.grid.pairs[static_cast<std::size_t>(group * k + input)] = {
          .partner = input ^ 1, .maximum = maximum, .partner_maximum = maximum};
    }
  }
}

inline int unsafe_pairs(const LayerWeights& layer, const std::vector<std::int32_t>& codes) {
  const std::int64_t k = layer.shape.columns;
  int count = 0;
  for (std::int64_t output = 0; output < layer.shape.outputs(); ++output) {
    for (std::int64_t input = 0; input < k; ++input) {
      const PairedInput& pair =
          layer.grid.pairs[static_cast<std::size_t>(output / layer.shape.rows * k + input)];
      const double sum =
          static_cast<double>(pair.maximum) * codes[static_cast<std::size_t>(output * k + input)] +
          static_cast<double>(pair.partner_maximum) *
              codes[static_cast<std::size_t>(output * k + pair.partner)];
      if (sum > 32767 || sum < -32768) ++count;
    }
  }
  return count;
}

/// The nearest safe codes of a solution that was found without regard to pairs.
inline Solution made_safe(const LayerWeights& layer, const Solution& free) {
  LayerWeights wanted = layer;
  wanted.values = dequantized(layer, free);
  wanted.grid.scales = free.scales;
  Solution safe = free;
  safe.codes = round_to_nearest(wanted).codes;
  return safe;
}

inline LayerWeights without_pairs(LayerWeights layer) {
  layer.grid.pairs.clear();
  return layer;
}

inline Moments moments_of(const Problem& problem, ThreadPool& pool) {
  MomentsAccumulator accumulator(problem.layer.shape);
  accumulator.add(problem.columns, pool);
  return accumulator.moments();
}

/// J of each output, computed from the columns.
inline std::vector<double> slow_row_errors(const Problem& problem, const Solution& solution) {
  const LayerShape& shape = problem.layer.shape;
  const std::int64_t n = problem.columns.count;
  const std::vector<float> q = dequantized(problem.layer, solution);
  std::vector<double> errors;
  for (std::int64_t output = 0; output < shape.outputs(); ++output) {
    double total = 0;
    for (std::int64_t column = 0; column < n; ++column) {
      double y = solution.bias.empty() ? 0.0 : solution.bias[static_cast<std::size_t>(output)];
      for (std::int64_t k = 0; k < shape.columns; ++k) {
        y += static_cast<double>(q[static_cast<std::size_t>(output * shape.columns + k)]) *
             problem.columns.inputs[static_cast<std::size_t>(
                 (output / shape.rows * shape.columns + k) * n + column)];
      }
      const double difference =
          y - problem.columns.targets[static_cast<std::size_t>(output * n + column)];
      total += difference * difference;
    }
    errors.push_back(total / static_cast<double>(n));
  }
  return errors;
}

inline double total(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

inline double error_of(const Problem& problem, const Solution& solution) {
  return total(slow_row_errors(problem, solution));
}

/// The columns of a problem, divided into samples of equal size.
class SplitSamples final : public LayerSamples {
 public:
  SplitSamples(const Problem& problem, std::int64_t samples, bool keeps = false)
      : shape_(problem.layer.shape), columns_(problem.columns), samples_(samples) {
    for (std::int64_t sample = 0; keeps && sample < samples; ++sample) {
      kept_.emplace_back();
      make({sample}, kept_.back());
    }
  }
  [[nodiscard]] std::int64_t count() const override { return samples_; }
  [[nodiscard]] const Columns& read(const std::vector<std::int64_t>& samples, std::uint64_t,
                                    Columns& own) const override {
    if (samples.size() == 1 && !kept_.empty()) return kept_[static_cast<std::size_t>(samples[0])];
    make(samples, own);
    return own;
  }

 private:
  void make(const std::vector<std::int64_t>& samples, Columns& columns) const {
    const std::int64_t each = columns_.count / samples_;
    columns.count = each * static_cast<std::int64_t>(samples.size());
    columns.inputs.clear();
    columns.targets.clear();
    deal(columns_.inputs, shape_.groups * shape_.columns, samples, each, columns.inputs);
    deal(columns_.targets, shape_.outputs(), samples, each, columns.targets);
  }

  void deal(const FloatBuffer& from, std::int64_t rows, const std::vector<std::int64_t>& samples,
            std::int64_t each, FloatBuffer& to) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (const std::int64_t sample : samples) {
        const auto begin = from.begin() + row * columns_.count + sample * each;
        to.insert(to.end(), begin, begin + each);
      }
    }
  }

  LayerShape shape_;
  Columns columns_;
  std::int64_t samples_;
  std::vector<Columns> kept_;
};

}  // namespace quantsearch::reconstruction
