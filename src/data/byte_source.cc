#include "data/byte_source.h"

#include <algorithm>
#include <utility>

#include "data/resident_pages.h"

namespace quantsearch {

namespace {

class MappedBytes final : public ByteSource {
 public:
  explicit MappedBytes(MappedFile bytes) : map_(std::move(bytes)), resident_(map_.bytes) {}

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(map_.bytes.size());
  }
  void read(std::int64_t offset, std::span<std::byte> out) const override {
    resident_.touch(std::ssize(out));
    std::ranges::copy(map_.bytes.subspan(static_cast<std::size_t>(offset), out.size()),
                      out.begin());
  }
  [[nodiscard]] std::optional<MappedFile> in_place(std::int64_t offset,
                                                   std::int64_t count) const override {
    resident_.touch(count);
    return MappedFile{.owner = map_.owner,
                      .bytes = map_.bytes.subspan(static_cast<std::size_t>(offset),
                                                  static_cast<std::size_t>(count))};
  }

 private:
  MappedFile map_;
  ResidentPages resident_;
};

}  // namespace

std::shared_ptr<const ByteSource> mapped_bytes(MappedFile bytes) {
  return std::make_shared<const MappedBytes>(std::move(bytes));
}

}  // namespace quantsearch
