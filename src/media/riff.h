#pragma once

// RIFF, the container of WebP and WAV: after 12 bytes chunks of a name, the number of bytes and the
// bytes, padded to an even number (IBM and Microsoft, Multimedia Programming Interface 1.0, 1991).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace quantsearch {

struct RiffChunk {
  std::string_view name;
  std::uint32_t written_bytes = 0;  // as the file says; it may end before
  std::span<const std::byte> bytes;
};
[[nodiscard]] std::vector<RiffChunk> riff_chunks(std::span<const std::byte> file);
/// True for a RIFF file of this kind, such as "WAVE".
[[nodiscard]] bool is_riff(std::span<const std::byte> file, std::string_view kind);

/// The number of `width` bytes at `place`, which must exist, lowest byte first.
[[nodiscard]] std::uint32_t little_endian(std::span<const std::byte> bytes, std::size_t place,
                                          std::size_t width);

}  // namespace quantsearch
