#pragma once

// Bytes that can be read at any offset: those of a file map, or the decoded ones of a deflated zip
// member.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "quantsearch/internal/base/files.h"

namespace quantsearch {

/// Reading is safe from several threads.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Fills `out` from `offset`; offset + out.size() <= size().
  virtual void read(std::int64_t offset, std::span<std::byte> out) const = 0;
  /// The bytes [offset, offset + count) in place, with their owner; nullopt when they need
  /// decoding.
  [[nodiscard]] virtual std::optional<MappedFile> in_place(std::int64_t /*offset*/,
                                                           std::int64_t /*count*/) const {
    return std::nullopt;
  }
};

/// The bytes of a part of a file map.
[[nodiscard]] std::shared_ptr<const ByteSource> mapped_bytes(MappedFile bytes);

}  // namespace quantsearch
