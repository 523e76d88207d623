#pragma once

// The keys of a search: one table for configuration files, the command line and their
// documentation.

#include <functional>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

struct KeyReader {
  SearchKey key;
  /// Sets the field of the key; throws InvalidInput with a message that does not contain the key's
  /// name. Null for the keys of the space and the target, which are read together with others.
  std::function<void(AutoSearchConfig&, const Value&)> read;
  /// Combines the value of the file with that of the command line; null: the latter replaces the
  /// former.
  std::function<Value(const Value& file, const Value& given)> overlay = {};
};

/// Returns the keys in the order in which they are read.
[[nodiscard]] const std::vector<KeyReader>& key_readers();

}  // namespace quantsearch
