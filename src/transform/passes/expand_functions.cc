#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/internal/model/functions.h"
#include "transform/pass.h"

namespace quantsearch {

PassResult expand_functions(Model model) {
  const std::vector<std::string> before = functions_of(model);
  if (before.empty()) return {std::move(model), {}};
  model = inline_functions(model);
  const std::vector<std::string> left = functions_of(model);
  PassResult result;
  for (const std::string& function : before) {
    const bool stays = std::ranges::find(left, function) != left.end();
    result.notes.push_back(fmt::format("function '{}' {}", function,
                                       stays ? "stays: its opset differs from the model's"
                                             : "was written out where it is called"));
  }
  result.model = std::move(model);
  return result;
}

}  // namespace quantsearch
