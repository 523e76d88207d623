#pragma once

// Samples that a program yields one by one and once.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/data.h"
#include "quantsearch/internal/data/spill_file.h"

namespace quantsearch::python {

/// Collects samples and makes a source of them. They stay in memory up to `memory_bytes`; the rest
/// goes to a file in `folder` (empty: the system's temporary folder) that vanishes with the source.
class SampleWriter {
 public:
  SampleWriter(std::int64_t memory_bytes, std::filesystem::path folder);

  /// Throws IoError when the disk is full.
  void add(Batch sample);
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(samples_.size()); }
  [[nodiscard]] std::int64_t spilled_bytes() const { return file_ ? file_->size() : 0; }
  /// Throws as data_of() does. Nothing may be added afterwards.
  [[nodiscard]] std::shared_ptr<const DataSource> finish();

 private:
  struct Place {
    std::string name;
    Tensor tensor;  // undefined when it is in the file
    DataType type = DataType::undefined;
    Shape shape;
    std::int64_t offset = 0;
    std::int64_t bytes = 0;
  };
  [[nodiscard]] Place place_of(const std::string& name, Tensor tensor);

  std::int64_t free_bytes_;
  std::filesystem::path folder_;
  std::unique_ptr<SpillFile> file_;
  std::vector<std::vector<Place>> samples_;
};

/// A source over samples that are in memory. Samples of equal shapes are stacked when several are
/// read at once; a sample of another shape is read alone. Throws InvalidInput when there is no
/// sample, and when a sample has other inputs than the first one.
[[nodiscard]] std::shared_ptr<const DataSource> data_of(std::vector<Batch> samples);

}  // namespace quantsearch::python
