#include "data/zip.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>

#include "data/inflate.h"
#include "data/resident_pages.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEndOfDirectory = 0x06054b50;
constexpr std::uint32_t kEndOfDirectory64 = 0x06064b50;
constexpr std::uint32_t kLocatorOfEnd64 = 0x07064b50;
constexpr std::uint64_t kLocalHeaderSize = 30;
constexpr std::uint64_t kCentralHeaderSize = 46;
constexpr std::uint64_t kEndSize = 22;
constexpr std::uint64_t kEnd64Size = 56;
constexpr std::uint64_t kLocatorSize = 20;
constexpr std::uint64_t kLongestComment = 0xffff;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kEncryptedFlag = 1;
// Deflate makes at most 258 bytes from 2 bits, so a larger ratio of the sizes is damage.
constexpr std::uint64_t kMostExpansion = 258 * 8 / 2;
// The value of a 32-bit field whose number is in the zip64 field.
constexpr std::uint32_t kIn64 = 0xffffffffU;

/// Bounds-checked little-endian reads.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::filesystem::path& file)
      : bytes_(bytes), file_(file) {}

  [[nodiscard]] std::span<const std::byte> part(std::uint64_t offset, std::uint64_t count) const {
    if (offset > bytes_.size() || count > bytes_.size() - offset) fail();
    return bytes_.subspan(offset, count);
  }

  template <std::unsigned_integral T>
  [[nodiscard]] T number(std::uint64_t offset) const {
    T value = 0;
    int shift = 0;
    for (const std::byte byte : part(offset, sizeof(T))) {
      value = static_cast<T>(value | (static_cast<T>(std::to_integer<T>(byte)) << shift));
      shift += 8;
    }
    return value;
  }

  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  [[noreturn]] void fail() const {
    throw InvalidInput(
        fmt::format("data: '{}' is truncated or damaged: its zip directory does not fit the file; "
                    "write or copy the file again",
                    file_.string()));
  }

 private:
  std::span<const std::byte> bytes_;
  const std::filesystem::path& file_;
};

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t entries = 0;
};

struct Entry {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t local_header = 0;
  std::uint64_t next = 0;  // offset of the following entry
};

/// The end record is the last one whose comment reaches exactly to the end of the file.
std::uint64_t find_end(const Reader& reader) {
  if (reader.size() < kEndSize) reader.fail();
  const std::uint64_t last = reader.size() - kEndSize;
  const std::uint64_t first = last > kLongestComment ? last - kLongestComment : 0;
  for (std::uint64_t offset = last + 1; offset-- > first;) {
    if (reader.number<std::uint32_t>(offset) == kEndOfDirectory &&
        offset + kEndSize + reader.number<std::uint16_t>(offset + 20) == reader.size()) {
      return offset;
    }
  }
  reader.fail();
}

Directory find_directory(const Reader& reader) {
  const std::uint64_t end = find_end(reader);
  Directory directory{.offset = reader.number<std::uint32_t>(end + 16),
                      .entries = reader.number<std::uint16_t>(end + 10)};
  if (end >= kLocatorSize && reader.number<std::uint32_t>(end - kLocatorSize) == kLocatorOfEnd64) {
    const auto end64 = reader.number<std::uint64_t>(end - kLocatorSize + 8);
    (void)reader.part(end64, kEnd64Size);
    if (reader.number<std::uint32_t>(end64) != kEndOfDirectory64) reader.fail();
    directory.entries = reader.number<std::uint64_t>(end64 + 32);
    directory.offset = reader.number<std::uint64_t>(end64 + 48);
  }
  return directory;
}

/// Reads the zip64 extra field. It holds, in this order, exactly those of the three values whose
/// 32-bit field is all ones.
void read_zip64(const Reader& reader, std::uint64_t extra, std::uint64_t length, Entry& entry) {
  const std::uint64_t end = extra + length;
  while (extra + 4 <= end) {
    const auto id = reader.number<std::uint16_t>(extra);
    std::uint64_t field = extra + 4;
    extra = field + reader.number<std::uint16_t>(extra + 2);
    if (id != kZip64Extra) continue;
    for (std::uint64_t* value : {&entry.size, &entry.compressed_size, &entry.local_header}) {
      if (*value != kIn64) continue;
      if (field + 8 > extra) reader.fail();
      *value = reader.number<std::uint64_t>(field);
      field += 8;
    }
  }
}

Entry read_entry(const Reader& reader, std::uint64_t offset) {
  (void)reader.part(offset, kCentralHeaderSize);
  if (reader.number<std::uint32_t>(offset) != kCentralHeader) reader.fail();
  Entry entry{.name = {},
              .flags = reader.number<std::uint16_t>(offset + 8),
              .method = reader.number<std::uint16_t>(offset + 10),
              .crc = reader.number<std::uint32_t>(offset + 16),
              .compressed_size = reader.number<std::uint32_t>(offset + 20),
              .size = reader.number<std::uint32_t>(offset + 24),
              .local_header = reader.number<std::uint32_t>(offset + 42),
              .next = 0};
  const auto name_length = reader.number<std::uint16_t>(offset + 28);
  const auto extra_length = reader.number<std::uint16_t>(offset + 30);
  const auto comment_length = reader.number<std::uint16_t>(offset + 32);
  const auto name = reader.part(offset + kCentralHeaderSize, name_length);
  entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  const std::uint64_t extra = offset + kCentralHeaderSize + name_length;
  (void)reader.part(extra, extra_length);
  read_zip64(reader, extra, extra_length, entry);
  entry.next = extra + extra_length + comment_length;
  return entry;
}

/// The local header has its own lengths of name and extra field. Its sizes may be missing and are
/// not read.
std::span<const std::byte> compressed_bytes(const Reader& reader, const Entry& entry) {
  (void)reader.part(entry.local_header, kLocalHeaderSize);
  if (reader.number<std::uint32_t>(entry.local_header) != kLocalHeader) reader.fail();
  const std::uint64_t start = entry.local_header + kLocalHeaderSize +
                              reader.number<std::uint16_t>(entry.local_header + 26) +
                              reader.number<std::uint16_t>(entry.local_header + 28);
  return reader.part(start, entry.compressed_size);
}

void verify_stored(const Entry& entry, std::span<const std::byte> bytes, const Reader& reader) {
  if (entry.size != bytes.size()) reader.fail();
  const ResidentPages resident(bytes);
  uLong crc = ::crc32(0, nullptr, 0);
  for (std::span<const std::byte> rest = bytes; !rest.empty();) {
    const auto part = rest.first(std::min<std::size_t>(rest.size(), kMostResidentBytes / 4));
    crc = ::crc32(crc, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(part.size()));
    resident.touch(std::ssize(part));
    rest = rest.subspan(part.size());
  }
  if (crc != entry.crc) {
    throw InvalidInput(fmt::format(
        "data: member '{}' of '{}' is damaged: its checksum is wrong; write or copy the file again",
        entry.name, reader.file().string()));
  }
}

std::shared_ptr<const ByteSource> open_member(const Reader& reader, const MappedFile& map,
                                              const Entry& entry,
                                              const std::filesystem::path& cache_folder) {
  const std::string description =
      fmt::format("member '{}' of '{}'", entry.name, reader.file().string());
  if ((entry.flags & kEncryptedFlag) != 0) {
    throw Unsupported(
        fmt::format("data: {} is encrypted; write it without a password", description));
  }
  if (entry.method != kStored && entry.method != kDeflated) {
    throw Unsupported(fmt::format(
        "data: {} is compressed with zip method {}, expected stored or deflated; write it "
        "with numpy.savez or numpy.savez_compressed",
        description, entry.method));
  }
  const std::span<const std::byte> bytes = compressed_bytes(reader, entry);
  if (entry.method == kStored) {
    verify_stored(entry, bytes, reader);
    return mapped_bytes({.owner = map.owner, .bytes = bytes});
  }
  if (entry.size / kMostExpansion > entry.compressed_size) reader.fail();
  return inflated_bytes({.compressed = {.owner = map.owner, .bytes = bytes},
                         .size = static_cast<std::int64_t>(entry.size),
                         .crc32 = entry.crc,
                         .description = description},
                        cache_folder);
}

}  // namespace

std::vector<ZipMember> read_zip(const MappedFile& map, const std::filesystem::path& file,
                                const std::filesystem::path& cache_folder) {
  const Reader reader(map.bytes, file);
  const Directory directory = find_directory(reader);
  std::vector<ZipMember> members;
  std::uint64_t offset = directory.offset;
  for (std::uint64_t index = 0; index < directory.entries; ++index) {
    const Entry entry = read_entry(reader, offset);
    members.push_back({.name = entry.name, .bytes = open_member(reader, map, entry, cache_folder)});
    offset = entry.next;
  }
  return members;
}

}  // namespace quantsearch
