#pragma once

// Random access into one deflated zip member. Deflate can only be decoded from its start, so
// decoders are kept at the places where readers stopped, and copies of a decoder (its 32 KB window
// and tables) at regular distances as restart points. Their number is bounded, so memory does not
// grow with the member.

#include <cstdint>
#include <memory>
#include <string>

#include "data/byte_source.h"

namespace quantsearch {

struct DeflatedMember {
  MappedFile compressed;
  std::int64_t size = 0;    // of the decoded bytes
  std::uint32_t crc32 = 0;  // of the decoded bytes
  std::string description;  // "array 'x' of 'file.npz'", for messages
};

/// Reading throws InvalidInput when the compressed bytes cannot be decoded to `size` bytes, or,
/// once the last byte has been read, when they do not have the checksum.
[[nodiscard]] std::shared_ptr<const ByteSource> inflated_bytes(DeflatedMember member);

}  // namespace quantsearch
