#pragma once

// What every source does: check what is asked of it, and be walked sample by sample to be checked
// or hashed.

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "quantsearch/data.h"

namespace quantsearch {

/// Throws InvalidInput unless [first, first + count) are samples of `source` that fit one read.
void check_request(const DataSource& source, std::int64_t first, std::int64_t count);

/// How messages name the data.
struct Origin {
  std::string suffix;                        // " of 'file.npz'", or empty
  std::map<std::string, std::string> names;  // of the array for each input, where it may differ

  [[nodiscard]] bool uses(const std::string& array) const {
    return std::ranges::any_of(names, [&](const auto& name) { return name.second == array; });
  }
};

/// One pass: throws InvalidInput when a sample does not fit the inputs of `model` or is not finite,
/// else gives the source's content key.
[[nodiscard]] Key check_samples(const DataSource& source, const Model& model, const Origin& origin);

/// Hash of samples one by one, so that it depends on no file format or batch.
[[nodiscard]] Key hash_samples(const DataSource& source);

/// The hash of an immutable source, computed when first asked for.
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
