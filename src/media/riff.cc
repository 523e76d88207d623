#include "media/riff.h"

#include <algorithm>

namespace quantsearch {

namespace {

std::string_view riff_text(std::span<const std::byte> file, std::size_t place, std::size_t length) {
  return {reinterpret_cast<const char*>(file.data()) + place, length};
}

}  // namespace

std::uint32_t little_endian(std::span<const std::byte> bytes, std::size_t place,
                            std::size_t width) {
  std::uint32_t value = 0;
  for (std::size_t i = width; i-- > 0;)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[place + i]);
  return value;
}

bool is_riff(std::span<const std::byte> file, std::string_view kind) {
  return file.size() >= 12 && riff_text(file, 0, 4) == "RIFF" && riff_text(file, 8, 4) == kind;
}

std::vector<RiffChunk> riff_chunks(std::span<const std::byte> file) {
  constexpr std::size_t kHeader = 8;
  std::vector<RiffChunk> chunks;
  for (std::size_t place = kHeader + 4; place + kHeader <= file.size();) {
    const std::uint32_t written = little_endian(file, place + 4, 4);
    const std::span<const std::byte> rest = file.subspan(place + kHeader);
    chunks.push_back({.name = riff_text(file, place, 4),
                      .written_bytes = written,
                      .bytes = rest.first(std::min<std::size_t>(written, rest.size()))});
    place += kHeader + written + written % 2;
  }
  return chunks;
}

}  // namespace quantsearch
