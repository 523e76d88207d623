#pragma once

// Functions for every source: checks of read requests, and checks and hashes that visit the samples
// one by one.

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "quantsearch/data.h"

namespace quantsearch {

/// Throws InvalidInput unless [first, first + count) are samples of `source` that fit into one
/// read.
void check_request(const DataSource& source, std::int64_t first, std::int64_t count);

/// How messages name the data.
struct Origin {
  std::string suffix;                        // " of 'file.npz'", or empty
  std::map<std::string, std::string> names;  // of the array by input, where the two may differ

  [[nodiscard]] bool uses(const std::string& array) const {
    return std::ranges::any_of(names, [&](const auto& name) { return name.second == array; });
  }
};

/// Returns the source's content key after one pass over its samples. Throws InvalidInput when a
/// sample does not fit the inputs of `model` or is not finite.
[[nodiscard]] Key check_samples(const DataSource& source, const Model& model, const Origin& origin);

/// Hashes the samples one by one, so that the key depends neither on the file format nor on
/// batches.
[[nodiscard]] Key hash_samples(const DataSource& source);

/// The hash of an immutable source, computed on first use.
class KeyOnce {
 public:
  [[nodiscard]] Key of(const DataSource& source) const {
    std::call_once(once_, [&] { key_ = hash_samples(source); });
    return key_;
  }

 private:
  mutable std::once_flag once_;
  mutable Key key_;
};

}  // namespace quantsearch
