#pragma once

// Random access into one deflated zip member. Deflate can only be decoded from its start, so the
// member is decoded once, as far as readers have come, and the decoded bytes are kept: those of a
// small member in memory, those of a larger one in a spill file, so that memory does not grow with
// the member.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "data/byte_source.h"

namespace quantsearch {

struct DeflatedMember {
  MappedFile compressed;
  std::int64_t size = 0;    // of the decoded bytes
  std::uint32_t crc32 = 0;  // of the decoded bytes
  std::string description;  // "member 'x.npy' of 'file.npz'", for messages
};

/// `cache_folder` is where the spill file goes; an empty path means the system's temporary folder.
/// Throws InvalidInput or IoError when a file cannot be created there. Reading throws InvalidInput
/// when the compressed bytes cannot be decoded to `size` bytes, or, once the last byte has been
/// read, when they do not have the checksum, and IoError when the disk is full. After an error,
/// reading on throws it again.
[[nodiscard]] std::shared_ptr<const ByteSource> inflated_bytes(
    DeflatedMember member, const std::filesystem::path& cache_folder);

}  // namespace quantsearch
