#include "quantize/writing/shared_constants.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {

namespace {

/// A second copy of a smaller constant costs little, and a body that contains its weights is easier
/// to read.
constexpr std::size_t kSmallBytes = std::size_t{64} << 10;

/// A key that is equal for equal tensors; whether two tensors are equal is checked on the tensors.
Key content_of(const Tensor& tensor) {
  KeyBuilder key;
  key.add(static_cast<int>(tensor.type()));
  for (const std::int64_t size : tensor.shape()) key.add(size);
  return key.add(tensor.bytes()).finish();
}

bool is_large(const Initializer& initializer) {
  return initializer.tensor->bytes().size() >= kSmallBytes;
}

/// The first occurrence of a constant and the number of occurrences.
struct Found {
  Initializer first;
  bool is_outside = false;  // the first occurrence is in the main graph
  int count = 0;
};
using Constants = std::map<Key, Found>;

void collect(const Graph& graph, bool is_outside, Constants& constants) {
  for (const Initializer& initializer : graph.initializers) {
    if (!is_large(initializer)) continue;
    Found& found = constants[content_of(*initializer.tensor)];
    if (found.count++ == 0) found = {.first = initializer, .is_outside = is_outside, .count = 1};
  }
  for (const BodyPlace& place : bodies_of(graph)) collect(body_at(graph, place), false, constants);
}

/// Makes bodies read the constant of the main graph instead of their own.
void read_outside(Graph& graph, const Constants& constants) {
  for (const BodyPlace& place : bodies_of(graph)) {
    Graph body = body_at(graph, place);
    std::map<std::string, std::string, std::less<>> renamed;
    std::erase_if(body.initializers, [&](const Initializer& initializer) {
      // An output of a body must be a tensor of the body.
      const bool is_output =
          std::ranges::find(body.outputs, initializer.name, &ValueInfo::name) != body.outputs.end();
      if (is_output || !is_large(initializer)) return false;
      const auto found = constants.find(content_of(*initializer.tensor));
      if (found == constants.end() || found->second.count < 2) return false;
      if (*found->second.first.tensor != *initializer.tensor) return false;
      renamed.emplace(initializer.name, found->second.first.name);
      return true;
    });
    rename_tensors(body, renamed);
    read_outside(body, constants);
    set_body(graph, place, std::move(body));
  }
}

}  // namespace

void share_constants_of_bodies(Graph& graph) {
  if (bodies_of(graph).empty()) return;
  Constants constants;
  collect(graph, true, constants);
  for (const auto& [key, found] : constants) {
    if (found.count > 1 && !found.is_outside) graph.initializers.push_back(found.first);
  }
  read_outside(graph, constants);
}

}  // namespace quantsearch
