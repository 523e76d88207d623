#include "autosearch/fixed_input.h"

#include <string>
#include <utility>
#include <vector>

#include "quantsearch/data/fixed_data.h"

namespace quantsearch {

SearchInput with_fixed_inputs(SearchInput input, const FixedInputs& fixed) {
  if (fixed.empty()) return input;
  std::vector<std::string> names;
  for (const auto& [name, value] : fixed) names.push_back(name);
  input.model = fix_inputs(std::move(input.model), fixed);
  if (input.calibration != nullptr)
    input.calibration = without_inputs(std::move(input.calibration), names);
  if (input.evaluation != nullptr)
    input.evaluation = without_inputs(std::move(input.evaluation), names);
  return input;
}

}  // namespace quantsearch
