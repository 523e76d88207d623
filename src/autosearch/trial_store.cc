#include "autosearch/trial_store.h"

#include <algorithm>

namespace quantsearch {

std::map<std::string, Distribution> study_distributions(const Space& space) {
  std::vector<Point> positions;
  const auto add_switch = [&positions](const std::string& name) {
    for (const bool position : {false, true}) positions.push_back({{name, position}});
  };
  add_switch("include_fast_ft");  // a staged search sets it itself
  for (const auto& product : space.products()) {
    for (const Parameter& parameter : product) {
      if (std::ranges::any_of(parameter.choices, &Value::is_bool)) add_switch(parameter.name);
    }
  }
  return distributions_of(space, positions);
}

TrialStore::TrialStore(const AutoSearchConfig& config, const StudyDescription& description,
                       const std::filesystem::path& file) {
  if (config.storage.url.empty()) {
    own_ = sqlite_store(file, description);
  } else {
    shared_ = shared_postgresql_store(config.storage.url, description);
  }
}

Study TrialStore::optimize(Sampler& sampler, const Objective& objective,
                           const SearchOptions& options) const {
  if (shared_ != nullptr) return optimize_shared(sampler, objective, options, *shared_);
  return quantsearch::optimize(sampler, objective, options, *own_);
}

}  // namespace quantsearch
