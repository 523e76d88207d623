#pragma once

// Stores the tensors of numbered runs (float outputs, layer inputs) in memory while the budget
// allows it, otherwise in a spill file.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/data.h"
#include "quantsearch/internal/data/spill_file.h"

namespace quantsearch {

class BatchStore {
 public:
  /// Takes at most `share_bytes` of the budget. `folder` must outlive the store.
  BatchStore(std::int64_t runs, const ByteBudget& budget, std::int64_t share_bytes,
             SpillFolder& folder);
  ~BatchStore();

  /// Copies numeric tensors, so that no memory of the runtime is held. Safe from several threads;
  /// each run is put once.
  void put(std::int64_t run, const Batch& outputs);
  /// Must be called after the last put() and before the first outputs().
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
  std::mutex mutex_;  // guards the creation of file_
  std::unique_ptr<SpillFile> file_;
  MappedFile map_;
};

}  // namespace quantsearch
