#include "quantsearch/internal/data/batch_store.h"

#include <utility>

#include "data/resident_pages.h"

namespace quantsearch {

namespace {

// Bytes of a tensor's own object, shape and heap blocks, in addition to its elements.
constexpr std::int64_t kTensorOverhead = 300;

}  // namespace

BatchStore::BatchStore(std::int64_t runs, const ByteBudget& budget, std::int64_t share_bytes,
                       SpillFolder& folder)
    : runs_(static_cast<std::size_t>(runs)),
      budget_(budget),
      share_bytes_(share_bytes),
      folder_(folder) {}

BatchStore::~BatchStore() {
  if (!map_.bytes.empty()) folder_.pages().remove(map_.bytes);
}

ByteBudget::Reservation BatchStore::reserve(std::int64_t bytes) {
  if (kept_bytes_.fetch_add(bytes) + bytes <= share_bytes_) {
    ByteBudget::Reservation reservation = budget_.try_reserve(bytes);
    if (reservation) return reservation;
  }
  kept_bytes_ -= bytes;
  return {};
}

SpillFile& BatchStore::file() {
  const std::lock_guard lock(mutex_);
  if (!file_) {
    file_ = std::make_unique<SpillFile>(folder_.prepare());
  }
  return *file_;
}

void BatchStore::put(std::int64_t run, const Batch& outputs) {
  Run& kept = runs_[static_cast<std::size_t>(run)];
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : outputs)
    bytes += static_cast<std::int64_t>(tensor.bytes().size()) + kTensorOverhead;
  kept.reservation = reserve(bytes);
  for (const auto& [name, tensor] : outputs) {
    Place place{.name = name,
                .tensor = {},
                .type = tensor.type(),
                .shape = tensor.shape(),
                .offset = 0,
                .bytes = static_cast<std::int64_t>(tensor.bytes().size())};
    if (kept.reservation) {
      place.tensor = Tensor::from_bytes(tensor.type(), tensor.shape(), tensor.bytes());
    } else {
      place.offset = file().append(tensor.bytes());
    }
    kept.places.push_back(std::move(place));
  }
}

void BatchStore::finish() {
  if (!file_) return;
  map_ = file_->map();
  folder_.pages().add(map_.bytes);
}

Batch BatchStore::outputs(std::int64_t run) const {
  Batch result;
  for (const Place& place : runs_[static_cast<std::size_t>(run)].places) {
    if (place.tensor.is_defined()) {
      result.emplace(place.name, place.tensor);
    } else {
      const auto bytes = map_.bytes.subspan(static_cast<std::size_t>(place.offset),
                                            static_cast<std::size_t>(place.bytes));
      folder_.pages().touch(place.bytes);
      result.emplace(place.name, Tensor::wrapping(place.type, place.shape, map_.owner, bytes));
    }
  }
  return result;
}

}  // namespace quantsearch
