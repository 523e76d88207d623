#include "autosearch/settled_space.h"

#include <algorithm>

#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

namespace {

Parameter settled(const Parameter& parameter, std::optional<std::int64_t> samples) {
  Parameter result{.name = option_name(parameter.name), .choices = {}, .range = parameter.range};
  require_option(result.name);
  for (const Value& choice : parameter.choices) {
    const Value canonical = canonical_value(result.name, choice);
    Value same = settled_value(result.name, canonical, samples);
    if (!(same == canonical)) result.range.reset();  // the choices are no longer evenly spaced
    if (std::ranges::find(result.choices, same) == result.choices.end())
      result.choices.push_back(std::move(same));
  }
  return result;
}

}  // namespace

Space settled_space(const Space& space, std::optional<std::int64_t> samples) {
  std::vector<Space> spaces;
  for (const auto& product : space.products()) {
    std::vector<Parameter> parameters;
    for (const Parameter& parameter : product) parameters.push_back(settled(parameter, samples));
    spaces.emplace_back(std::move(parameters));
  }
  return spaces.size() == 1 ? spaces.front() : Space::union_of(std::move(spaces));
}

}  // namespace quantsearch
