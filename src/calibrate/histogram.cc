#include <cmath>
#include <numeric>

#include "quantsearch/calibrate.h"

namespace quantsearch {

double Histogram::bin_width() const { return std::ldexp(1.0, exponent); }

std::uint64_t Histogram::count() const {
  return std::accumulate(negative.begin(), negative.end(), std::uint64_t{0}) +
         std::accumulate(positive.begin(), positive.end(), std::uint64_t{0});
}

}  // namespace quantsearch
