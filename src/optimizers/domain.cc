#include "quantsearch/optimizers/domain.h"

#include <fmt/core.h>

#include <cmath>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

[[noreturn]] void refuse(std::size_t index, const std::string& what) {
  throw InvalidInput(fmt::format("search: dimension {}: {}", index, what));
}

void check_one(const FloatRange& range, std::size_t index) {
  if (!std::isfinite(range.low) || !std::isfinite(range.high) || range.low > range.high) {
    refuse(index, fmt::format("got bounds {} and {}, expected finite ones in order", range.low,
                              range.high));
  }
  if (range.log && range.low <= 0)
    refuse(index, fmt::format("a logarithmic range begins at {}, expected above 0", range.low));
  if (range.log && range.step)
    refuse(index, "got a step with a logarithmic range; leave one of them out");
  if (range.step && !(*range.step > 0 && std::isfinite(*range.step)))
    refuse(index, fmt::format("got the step {}, expected above 0", *range.step));
}

void check_one(const IntRange& range, std::size_t index) {
  if (range.low > range.high)
    refuse(index,
           fmt::format("got bounds {} and {}, expected them in order", range.low, range.high));
  if (range.log && range.low < 1)
    refuse(index, fmt::format("a logarithmic range begins at {}, expected 1 or more", range.low));
  if (range.step < 1)
    refuse(index, fmt::format("got the step {}, expected at least 1", range.step));
  if (range.log && range.step != 1)
    refuse(index, "got a step with a logarithmic range; leave one of them out");
}

void check_one(const Categories& categories, std::size_t index) {
  if (categories.count < 1)
    refuse(index, fmt::format("got {} categories, expected at least one", categories.count));
}

}  // namespace

void check(const Domain& domain) {
  if (domain.dimensions.empty())
    throw InvalidInput("search: got a domain without dimensions, expected at least one");
  for (std::size_t index = 0; index < domain.dimensions.size(); ++index) {
    std::visit([&](const auto& dimension) { check_one(dimension, index); },
               domain.dimensions[index]);
  }
}

}  // namespace quantsearch
