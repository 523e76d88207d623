#pragma once

// Where the trials of a search are kept: study.db in its output folder, or a study on a server that
// several processes work on.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"
#include "quantsearch/storage.h"

namespace quantsearch {

/// Distributions of every setting a trial may have: those of the space, and for a switch both of
/// its positions, because a method with nothing to do in a model is off whatever the space says.
[[nodiscard]] std::map<std::string, Distribution> study_distributions(const Space& space);

class TrialStore {
 public:
  /// Throws what the stores throw.
  TrialStore(const AutoSearchConfig& config, const StudyDescription& description,
             const std::filesystem::path& file);

  /// Trials of earlier runs, and of other processes.
  [[nodiscard]] std::vector<Trial> load() const;
  [[nodiscard]] Study optimize(Sampler& sampler, const Objective& objective,
                               const SearchOptions& options) const;

 private:
  std::unique_ptr<StudyStore> own_;  // one of them
  std::unique_ptr<SharedStudyStore> shared_;
};

}  // namespace quantsearch
