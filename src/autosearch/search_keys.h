#pragma once

// The keys of a search: one table that a configuration file, the command line and their
// documentation come from.

#include <functional>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

struct KeyReader {
  SearchKey key;
  /// Sets the key's field; throws InvalidInput without the key's name. Null for the keys of the
  /// space and the target, which are read together with others.
  std::function<void(AutoSearchConfig&, const Value&)> read;
  /// The file's value with that of the command line laid over it; null: the latter takes its place.
  std::function<Value(const Value& file, const Value& given)> overlay = {};
};

/// In the order in which they are read.
[[nodiscard]] const std::vector<KeyReader>& key_readers();

}  // namespace quantsearch
