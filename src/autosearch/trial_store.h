#pragma once

// Stores the trials of a search in study.db in its output folder, or in a study on a server that
// several processes share.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"
#include "quantsearch/storage.h"

namespace quantsearch {

/// Returns the distributions of every setting that a trial may have: those of the space, and both
/// values of every switch, because a method without effect on a model is off even if the space does
/// not contain that choice.
[[nodiscard]] std::map<std::string, Distribution> study_distributions(const Space& space);

class TrialStore {
 public:
  /// Throws what the stores throw.
  TrialStore(const AutoSearchConfig& config, const StudyDescription& description,
             const std::filesystem::path& file);

  /// A decision that all processes of the study share; null when there is none.
  [[nodiscard]] Value decision(const std::string& key) const { return store().decision(key); }
  /// Decides `value` unless there is a decision; returns the one that holds.
  Value decide(const std::string& key, const Value& value) const {
    return store().decide(key, value);
  }
  [[nodiscard]] Study optimize(Sampler& sampler, const Objective& objective,
                               const SearchOptions& options) const;

 private:
  [[nodiscard]] StudyStore& store() const {
    return shared_ != nullptr ? static_cast<StudyStore&>(*shared_) : *own_;
  }

  std::unique_ptr<StudyStore> own_;  // exactly one of own_ and shared_ is set
  std::unique_ptr<SharedStudyStore> shared_;
};

}  // namespace quantsearch
