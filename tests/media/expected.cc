#include "media/expected.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/stored_array.h"

namespace quantsearch::testing {

namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(QUANTSEARCH_SOURCE_DIR) / "tests" / "media";

}  // namespace

std::map<std::string, Tensor> expected_arrays(const std::string& prefix) {
  static const ArrayFile kFile = open_arrays(kFolder / "expected.npz");
  std::map<std::string, Tensor> found;
  for (const auto& [name, array] : kFile.arrays) {
    if (name.starts_with(prefix))
      found[name.substr(prefix.size())] = array->rows(0, array->shape()[0]);
  }
  return found;
}

std::filesystem::path media_file(const std::string& name) { return kFolder / "files" / name; }

double largest_difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
  const Tensor left = to_float32(a);
  const Tensor right = to_float32(b);
  double largest = 0;
  for (std::size_t i = 0; i < left.values<float>().size(); ++i)
    largest =
        std::max<double>(largest, std::abs(left.values<float>()[i] - right.values<float>()[i]));
  return largest;
}

}  // namespace quantsearch::testing
