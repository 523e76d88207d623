#pragma once

// The samples in the order in which candidates race: whole runs in a pseudo-random order that all
// candidates share, so that the first samples say as much as any.

#include <cstdint>
#include <vector>

#include "quantsearch/data.h"

namespace quantsearch {

/// Positions instead of samples; a last run that is shorter than the others keeps its place at the
/// end. The data outlive it.
class RunOrder final : public DataSource {
 public:
  RunOrder(const DataSource& data, std::int64_t batch);

  [[nodiscard]] std::int64_t size() const override { return data_.size(); }
  [[nodiscard]] std::int64_t largest_batch() const override { return batch_; }
  /// Positions of one run: [first, first + count) inside of [k batch, (k + 1) batch).
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override;
  [[nodiscard]] Key content_key() const override;
  [[nodiscard]] std::int64_t sample_at(std::int64_t position) const;

 private:
  const DataSource& data_;
  std::int64_t batch_;
  std::vector<std::int64_t> runs_;  // in their order
};

}  // namespace quantsearch
