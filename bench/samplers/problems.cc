#include "problems.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace quantsearch {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double square(double x) { return x * x; }

/// The positions of the optima in half-widths of the box: off the centre, and different in every
/// dimension.
double shift(std::size_t i) { return 0.37 * std::cos(1.7 * static_cast<double>(i)); }

Domain box(std::size_t dimensions, double low, double high) {
  return {.dimensions =
              std::vector<SearchDimension>(dimensions, FloatRange{.low = low, .high = high})};
}

/// Returns the sum of term(i, x_i - width * shift(i)).
template <typename Term>
double shifted_sum(const Coordinates& x, double width, const Term& term) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += term(i, x[i] - width * shift(i));
  return sum;
}

double branin(const Coordinates& x) {
  const double valley = x[1] - 5.1 / (4 * kPi * kPi) * x[0] * x[0] + 5 / kPi * x[0] - 6;
  return valley * valley + 10 * (1 - 1 / (8 * kPi)) * std::cos(x[0]) + 10 - 0.397887;
}

double hartmann6(const Coordinates& x) {
  constexpr std::array<double, 4> kAlpha = {1, 1.2, 3, 3.2};
  constexpr double kA[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                               {0.05, 10, 17, 0.1, 8, 14},
                               {3, 3.5, 1.7, 10, 17, 8},
                               {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double kP[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                               {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                               {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                               {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  double value = 3.32237;
  for (std::size_t hill = 0; hill < 4; ++hill) {
    double exponent = 0;
    for (std::size_t i = 0; i < 6; ++i) exponent += kA[hill][i] * square(x[i] - kP[hill][i]);
    value -= kAlpha[hill] * std::exp(-exponent);
  }
  return value;
}

double sphere5(const Coordinates& x) {
  return shifted_sum(x, 5, [](std::size_t, double z) { return z * z; });
}

double ellips10(const Coordinates& x) {
  return shifted_sum(x, 5, [](std::size_t i, double z) {
    return std::pow(10, 6 * static_cast<double>(i) / 9) * z * z;
  });
}

double rosen5(const Coordinates& x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i)
    sum += 100 * square(x[i + 1] - x[i] * x[i]) + square(1 - x[i]);
  return sum;
}

double ackley10(const Coordinates& x) {
  const auto count = static_cast<double>(x.size());
  const double squares = shifted_sum(x, 32.768, [](std::size_t, double z) { return z * z; });
  const double waves =
      shifted_sum(x, 32.768, [](std::size_t, double z) { return std::cos(2 * kPi * z); });
  return -20 * std::exp(-0.2 * std::sqrt(squares / count)) - std::exp(waves / count) + 20 +
         std::numbers::e;
}

double rastr10(const Coordinates& x) {
  return shifted_sum(x, 5.12,
                     [](std::size_t, double z) { return z * z - 10 * std::cos(2 * kPi * z) + 10; });
}

/// Returns the loss plus a penalty on the size.
double quant15(const Coordinates& x) {
  const QuantizedNetwork network = quant15_network(x);
  return network.loss + 5 * std::max(0.0, network.bits - 4.5);
}

Domain quant15_domain(bool ordered) {
  Domain domain;
  domain.dimensions.assign(12, Categories{.count = 4, .ordered = ordered});
  domain.dimensions.emplace_back(IntRange{.low = 16, .high = 256, .log = true});
  domain.dimensions.emplace_back(FloatRange{.low = 0, .high = 1});
  domain.dimensions.emplace_back(FloatRange{.low = 0.7, .high = 1});
  return domain;
}

double int10(const Coordinates& x) {
  constexpr std::array<double, 8> kTarget = {3, 17, 10, 5, 8, 14, 1, 20};
  double sum = 0;
  for (std::size_t i = 0; i < kTarget.size(); ++i)
    sum += std::pow(std::abs(x[i] - kTarget[i]), 1.5) / 10;
  return sum + square(std::log10(x[8]) + 3) + square(std::log10(x[9]) + 4) / 2;
}

Domain int10_domain() {
  Domain domain;
  domain.dimensions.assign(8, IntRange{.low = 0, .high = 20});
  domain.dimensions.insert(domain.dimensions.end(), 2,
                           FloatRange{.low = 1e-6, .high = 1, .log = true});
  return domain;
}

/// Returns medians of Optuna over 21 seeds (Gaussian process: over 7 seeds, after 50 and 100
/// trials).
std::vector<PeerFigures> peers(std::array<double, 2> random, std::array<double, 2> sobol,
                               std::array<double, 2> tpe4, std::array<double, 2> tpe5,
                               std::array<double, 2> cma, std::array<double, 2> gp) {
  const auto at_200 = [](const char* name, const char* peer, std::array<double, 2> figures) {
    return PeerFigures{name, peer, figures[0], kUnknown, figures[1]};
  };
  return {
      at_200("random", "Optuna 5 random", random), at_200("qmc", "Optuna 5 Sobol", sobol),
      at_200("tpe", "Optuna 5 TPE", tpe5),         at_200("tpe", "Optuna 4.9 TPE", tpe4),
      at_200("cma", "Optuna 5 CMA-ES", cma),       {"gp", "Optuna 5 GP", gp[0], gp[1], kUnknown}};
}

std::vector<Problem> smooth_problems() {
  return {
      {"branin",
       {.dimensions = {FloatRange{.low = -5, .high = 10}, FloatRange{.low = 0, .high = 15}}},
       branin,
       peers({.77, .102}, {.73, .142}, {.41, .0056}, {.123, .0032}, {.68, 8.6e-6},
             {3.7e-5, 1.5e-5})},
      {"hartmann6", box(6, 0, 1), hartmann6,
       peers({1.61, 1.08}, {1.53, .78}, {.66, .111}, {.32, .031}, {.71, .041}, {.0040, .00012})},
      {"sphere5", box(5, -5, 5), sphere5,
       peers({9.5, 5.7}, {9.7, 5.1}, {3.0, .35}, {1.18, .053}, {1.9, .023}, {.0032, .00082})},
      {"rosen5", box(5, -5, 5), rosen5,
       peers({1244, 782}, {1640, 908}, {322, 16.1}, {142, 7.9}, {81, 4.5}, {161, 21.9})},
      {"ellips10", box(10, -5, 5), ellips10,
       peers({6.2e5, 2.3e5}, {5.4e5, 3.3e5}, {2.2e5, 3.2e4}, {2.7e5, 6.2e4}, {1.2e5, 2.9e4},
             {kUnknown, kUnknown})},
      {"ackley10", box(10, -32.768, 32.768), ackley10,
       peers({19.9, 19.5}, {19.9, 19.2}, {18.9, 15.3}, {17.8, 11.3}, {15.7, 8.4}, {19.9, 19.9})},
      {"rastr10", box(10, -5.12, 5.12), rastr10,
       peers({112, 101}, {120, 100}, {91, 66.0}, {97, 76.7}, {81, 61.3}, {kUnknown, kUnknown})}};
}

}  // namespace

QuantizedNetwork quant15_network(const Coordinates& x) {
  constexpr std::array<double, 4> kBits = {3, 4, 6, 8};
  constexpr std::array<double, 4> kError = {1, 0.35, 0.06, 0.01};
  constexpr std::array<double, 12> kSensitivity = {5.4223, 0.6275, 1.0334, 1.5031, 0.4543, 1.0021,
                                                   0.9991, 0.1730, 2.7667, 1.8230, 0.5350, 0.8424};
  constexpr std::array<double, 12> kSize = {1.2881, 1.9096, 1.2134, 1.4521, 1.9312, 1.0249,
                                            1.6005, 1.9501, 1.2303, 1.5485, 1.9091, 1.1332};
  double error = 0;
  double bits = 0;
  double size = 0;
  for (std::size_t layer = 0; layer < kSize.size(); ++layer) {
    const auto format = static_cast<std::size_t>(x[layer]);
    error += kSensitivity[layer] * kError[format];
    bits += kBits[format] * kSize[layer];
    size += kSize[layer];
  }
  const double group = x[12];
  const double coarseness =
      group > 32 ? 1 + 0.15 * square(std::log2(group / 32)) : 1 + 0.05 * std::log2(32 / group);
  const double loss =
      error * coarseness * (1 + 2 * square(x[13] - 0.55)) * (1 + 8 * square(x[14] - 0.93));
  return {.loss = loss, .bits = bits / size + 16 / group};
}

std::vector<Problem> sampler_problems() {
  std::vector<Problem> problems = smooth_problems();
  std::vector<PeerFigures> quant15_peers =
      peers({8.49, 7.70}, {8.19, 7.43}, {6.78, 5.24}, {6.29, 4.62}, {7.48, 6.53}, {4.85, 4.23});
  quant15_peers.push_back({"cma", "cmaes 0.13 CatCMAwM", 6.25, kUnknown, 4.30});
  // Of all combinations of formats and group sizes; the factors are then 0.55 and 0.93.
  constexpr double kQuant15Least = 3.953810559;
  problems.push_back({"quant15", quant15_domain(false), quant15, quant15_peers, kQuant15Least});
  problems.push_back(
      {"int10", int10_domain(), int10,
       peers({9.7, 7.2}, {10.0, 7.2}, {5.6, 2.40}, {3.6, .50}, {4.6, .78}, {.118, .0037})});
  problems.push_back({"quant15o", quant15_domain(true), quant15, quant15_peers, kQuant15Least});
  return problems;
}

Domain sphere_domain(std::size_t dimensions) { return box(dimensions, -5, 5); }

std::vector<double> sphere_values(const Coordinates& point, std::size_t objectives) {
  std::vector<double> values;
  for (std::size_t objective = 0; objective < objectives; ++objective) {
    double sum = 0;
    for (std::size_t i = 0; i < point.size(); ++i)
      sum += square(point[i] - 5 * shift(i + 3 * objective));
    values.push_back(sum);
  }
  return values;
}

}  // namespace quantsearch
