#include "data/byte_source.h"

#include <algorithm>
#include <utility>

namespace quantsearch {

namespace {

class MappedBytes final : public ByteSource {
 public:
  explicit MappedBytes(MappedFile bytes) : map_(std::move(bytes)) {}

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(map_.bytes.size());
  }
  void read(std::int64_t offset, std::span<std::byte> out) const override {
    std::ranges::copy(map_.bytes.subspan(static_cast<std::size_t>(offset), out.size()),
                      out.begin());
  }
  [[nodiscard]] std::optional<MappedFile> in_place() const override { return map_; }

 private:
  MappedFile map_;
};

}  // namespace

std::shared_ptr<const ByteSource> mapped_bytes(MappedFile bytes) {
  return std::make_shared<const MappedBytes>(std::move(bytes));
}

}  // namespace quantsearch
