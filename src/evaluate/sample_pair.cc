#include "evaluate/sample_pair.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace quantsearch {

SamplePair::SamplePair(const Sample& reference, const Sample& candidate, bool is_finite)
    : reference_(reference), candidate_(candidate), count_(reference.values.size()) {
  if (is_finite) return;
  owned_reference_ = finite_values(reference.values);
  owned_candidate_.assign(candidate.values.begin(), candidate.values.end());
  for (std::size_t at = 0; at < owned_candidate_.size(); ++at) {
    if (std::isfinite(reference.values[at])) continue;
    owned_candidate_[at] = 0;
    --count_;
  }
  reference_.values = owned_reference_;
  candidate_.values = owned_candidate_;
}

SamplePair SamplePair::of_other_size(const Sample& reference, const Sample& candidate,
                                     bool is_finite) {
  const bool found_nothing = reference.values.empty();
  const Sample& found = found_nothing ? candidate : reference;
  std::vector<float> zeros(found.values.size(), 0.0F);
  const Sample nothing{.values = zeros, .shape = found.shape};
  SamplePair pair(found_nothing ? nothing : reference, found_nothing ? candidate : nothing,
                  is_finite || found_nothing);
  // A pair that has replaced no values refers to the given ones, so it must own the zeros.
  if (pair.owned_candidate_.empty())
    (found_nothing ? pair.owned_reference_ : pair.owned_candidate_) = std::move(zeros);
  return pair;
}

std::vector<float> finite_values(std::span<const float> values) {
  std::vector<float> finite(values.begin(), values.end());
  std::ranges::replace_if(
      finite, [](float value) { return !std::isfinite(value); }, 0.0F);
  return finite;
}

}  // namespace quantsearch
