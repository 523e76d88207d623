#pragma once

// What other libraries made of the files of these tests (make_expected.py).

#include <filesystem>
#include <map>
#include <string>

#include "quantsearch/tensor.h"

namespace quantsearch::testing {

/// The arrays whose name begins with `prefix`, by the rest of their name.
[[nodiscard]] std::map<std::string, Tensor> expected_arrays(const std::string& prefix);
[[nodiscard]] std::filesystem::path media_file(const std::string& name);
/// The largest difference of two uint8 or float32 tensors; infinite when their shapes differ.
[[nodiscard]] double largest_difference(const Tensor& a, const Tensor& b);

}  // namespace quantsearch::testing
