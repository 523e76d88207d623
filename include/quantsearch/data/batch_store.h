#pragma once

// Tensors of numbered runs (float outputs, layer inputs): in memory while the budget lets them,
// else in a spill file.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/data.h"
#include "quantsearch/data/spill_file.h"

namespace quantsearch {

class BatchStore {
 public:
  /// Keeps at most `share_bytes` of the budget for itself. `folder` outlives the store.
  BatchStore(std::int64_t runs, const ByteBudget& budget, std::int64_t share_bytes,
             SpillFolder& folder);
  ~BatchStore();

  /// Copies numeric tensors, so nothing of the runtime's memory is held. Safe from several threads,
  /// a run once.
  void put(std::int64_t run, const Batch& outputs);
  /// After the last put, before the first read.
  void finish();
  [[nodiscard]] Batch outputs(std::int64_t run) const;

  [[nodiscard]] std::int64_t kept_bytes() const noexcept { return kept_bytes_; }
  [[nodiscard]] std::int64_t spilled_bytes() const noexcept { return file_ ? file_->size() : 0; }

 private:
  struct Place {
    std::string name;
    Tensor tensor;  // undefined when it is on disk
    DataType type = DataType::undefined;
    Shape shape;
    std::int64_t offset = 0;
    std::int64_t bytes = 0;
  };
  struct Run {
    std::vector<Place> places;
    ByteBudget::Reservation reservation;
  };
  [[nodiscard]] ByteBudget::Reservation reserve(std::int64_t bytes);
  [[nodiscard]] SpillFile& file();

  std::vector<Run> runs_;
  ByteBudget budget_;
  std::int64_t share_bytes_;
  SpillFolder& folder_;
  std::atomic<std::int64_t> kept_bytes_{0};
  std::mutex mutex_;  // guards the making of file_
  std::unique_ptr<SpillFile> file_;
  MappedFile map_;
};

}  // namespace quantsearch
