#include "multi_problems.h"

#include <array>
#include <cmath>
#include <numbers>

#include "problems.h"

namespace quantsearch {

namespace {

constexpr double kPi = std::numbers::pi;

double square(double x) { return x * x; }

Domain box(std::size_t dimensions, double low, double high) {
  return {.dimensions =
              std::vector<SearchDimension>(dimensions, FloatRange{.low = low, .high = high})};
}

/// Returns g, which is 1 on the front and at most 10 (Zitzler, Deb & Thiele 2000).
double zdt_distance(const Coordinates& x) {
  double sum = 0;
  for (std::size_t i = 1; i < x.size(); ++i) sum += x[i];
  return 1 + 9 * sum / static_cast<double>(x.size() - 1);
}

MultiValues zdt1(const Coordinates& x) {
  const double g = zdt_distance(x);
  return {.objectives = {x[0], g * (1 - std::sqrt(x[0] / g))}};
}

MultiValues zdt2(const Coordinates& x) {
  const double g = zdt_distance(x);
  return {.objectives = {x[0], g * (1 - square(x[0] / g))}};
}

MultiValues zdt3(const Coordinates& x) {
  const double g = zdt_distance(x);
  const double ratio = x[0] / g;
  return {.objectives = {x[0], g * (1 - std::sqrt(ratio) - ratio * std::sin(10 * kPi * x[0]))}};
}

/// The front is an eighth of a sphere (Deb, Thiele, Laumanns & Zitzler 2002).
MultiValues dtlz2(const Coordinates& x) {
  double radius = 1;
  for (std::size_t i = 2; i < x.size(); ++i) radius += square(x[i] - 0.5);
  const double a = x[0] * kPi / 2;
  const double b = x[1] * kPi / 2;
  return {.objectives = {radius * std::cos(a) * std::cos(b), radius * std::cos(a) * std::sin(b),
                         radius * std::sin(a)}};
}

/// Osyczka & Kundu 1995: six constraints.
MultiValues osy(const Coordinates& x) {
  double squares = 0;
  for (const double xi : x) squares += xi * xi;
  const double first = -(25 * square(x[0] - 2) + square(x[1] - 2) + square(x[2] - 1) +
                         square(x[3] - 4) + square(x[4] - 1));
  return {.objectives = {first, squares},
          .constraints = {2 - x[0] - x[1], x[0] + x[1] - 6, x[1] - x[0] - 2, x[0] - 3 * x[1] - 2,
                          square(x[2] - 3) + x[3] - 4, 4 - square(x[4] - 3) - x[5]}};
}

Domain osy_domain() {
  return {.dimensions = {FloatRange{.low = 0, .high = 10}, FloatRange{.low = 0, .high = 10},
                         FloatRange{.low = 1, .high = 5}, FloatRange{.low = 0, .high = 6},
                         FloatRange{.low = 1, .high = 5}, FloatRange{.low = 0, .high = 10}}};
}

MultiValues ints(const Coordinates& x) {
  constexpr std::array<double, 10> kOne = {3, 17, 10, 5, 8, 14, 1, 20, 12, 6};
  constexpr std::array<double, 10> kOther = {9, 4, 10, 15, 2, 14, 18, 7, 0, 13};
  double one = 0;
  double other = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    one += std::pow(std::abs(x[i] - kOne[i]), 1.5) / 10;
    other += std::pow(std::abs(x[i] - kOther[i]), 1.5) / 10;
  }
  return {.objectives = {one, other}};
}

/// Returns loss and bits without the penalty that combines them in problems.cc.
MultiValues quant15(const Coordinates& x) {
  const QuantizedNetwork network = quant15_network(x);
  return {.objectives = {network.loss, network.bits}};
}

Domain quant15_domain() {
  Domain domain;
  domain.dimensions.assign(12, Categories{.count = 4});
  domain.dimensions.emplace_back(IntRange{.low = 16, .high = 256, .log = true});
  domain.dimensions.emplace_back(FloatRange{.low = 0, .high = 1});
  domain.dimensions.emplace_back(FloatRange{.low = 0.7, .high = 1});
  return domain;
}

}  // namespace

std::vector<MultiProblem> multi_problems() {
  Domain integers;
  integers.dimensions.assign(10, IntRange{.low = 0, .high = 20});
  return {{"zdt1", box(10, 0, 1), zdt1, {0, 0}, {1.1, 6}},
          {"zdt2", box(10, 0, 1), zdt2, {0, 0}, {1.1, 6}},
          {"zdt3", box(10, 0, 1), zdt3, {0, -1}, {1.1, 6}},
          {"dtlz2", box(7, 0, 1), dtlz2, {0, 0, 0}, {1.5, 1.5, 1.5}},
          {"osy", osy_domain(), osy, {-280, 0}, {0, 100}},
          {"ints", integers, ints, {0, 0}, {30, 30}},
          {"quant15", quant15_domain(), quant15, {0, 3}, {15, 8}}};
}

}  // namespace quantsearch
