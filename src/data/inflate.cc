#include "data/inflate.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include "data/resident_pages.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/data/spill_file.h"

namespace quantsearch {

namespace {

// Data of this size need no disk; the memory of an archive's small members stays moderate.
constexpr std::int64_t kMostInMemory = std::int64_t{16} << 20;
// A multiple of the alignment in a spill file, so that the steps follow one another there.
constexpr std::int64_t kSpilledStep = std::int64_t{256} << 10;

/// Decodes a member from its start to its end. zlib's state points back to its z_stream, so the
/// decoder must not move.
class Decoder {
 public:
  explicit Decoder(const DeflatedMember& member)
      : member_(member), resident_(member.compressed.bytes) {
    // Negative window bits select raw deflate, the format inside zip files.
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw InternalError("data: zlib cannot start");
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { inflateEnd(&stream_); }

  /// Fills `out` with the bytes that follow those of the previous call.
  void read(std::span<std::byte> out) {
    while (!out.empty()) {
      const std::size_t made = decode(out);
      if (made == 0) fail("its compressed bytes end early");
      crc_ = static_cast<std::uint32_t>(
          ::crc32(crc_, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(made)));
      position_ += static_cast<std::int64_t>(made);
      out = out.subspan(made);
    }
    if (position_ == member_.size && crc_ != member_.crc32) fail("its checksum is wrong");
  }

 private:
  /// Returns the number of bytes written to the front of `out`; 0 only at the end of the stream or
  /// of its input.
  std::size_t decode(std::span<std::byte> out) {
    constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // zlib counts in 32 bits
    const std::span<const std::byte> input = member_.compressed.bytes.subspan(consumed_);
    const std::size_t given = std::min(input.size(), kMostAtOnce);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());  // a step or a small member
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw IoError("data: out of memory while decoding a zip member");
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      fail("its compressed bytes cannot be decoded");
    }
    consumed_ += given - stream_.avail_in;
    resident_.touch(static_cast<std::int64_t>(given - stream_.avail_in));
    return out.size() - stream_.avail_out;
  }

  [[noreturn]] void fail(const char* reason) const {
    throw InvalidInput(fmt::format("data: {} is damaged: {}; write or copy the file again",
                                   member_.description, reason));
  }

  const DeflatedMember& member_;
  ResidentPages resident_;
  z_stream stream_{};
  std::int64_t position_ = 0;
  std::size_t consumed_ = 0;
  std::uint32_t crc_ = 0;  // of everything before position_
};

/// A file for the decoded bytes, mapped before it is filled.
struct DecodedFile {
  DecodedFile(const DeflatedMember& member, const std::filesystem::path& cache_folder)
      : folder(cache_folder),
        file(folder.prepare(),
             {.content = fmt::format("the decoded bytes of {}", member.description),
              .way_out = "give a cache folder or a TMPDIR with more space, or write the file "
                         "uncompressed with numpy.savez"}),
        map(file.map(member.size)) {
    folder.pages().add(map.bytes);
  }
  DecodedFile(const DecodedFile&) = delete;
  DecodedFile& operator=(const DecodedFile&) = delete;
  ~DecodedFile() { folder.pages().remove(map.bytes); }

  SpillFolder folder;
  SpillFile file;
  MappedFile map;
};

class InflatedBytes final : public ByteSource {
 public:
  InflatedBytes(DeflatedMember member, const std::filesystem::path& cache_folder)
      : member_(std::move(member)), decoder_(member_) {
    if (member_.size > kMostInMemory) file_ = std::make_unique<DecodedFile>(member_, cache_folder);
    const auto room = static_cast<std::size_t>(file_ ? kSpilledStep : member_.size);
    // Memory that is not initialized becomes resident only as far as it is filled.
    memory_ = std::make_shared_for_overwrite<std::byte[]>(room);
    bytes_ = file_ ? file_->map : MappedFile{.owner = memory_, .bytes = {memory_.get(), room}};
  }

  [[nodiscard]] std::int64_t size() const override { return member_.size; }

  void read(std::int64_t offset, std::span<std::byte> out) const override {
    std::ranges::copy(part(offset, std::ssize(out)), out.begin());
  }
  [[nodiscard]] std::optional<MappedFile> in_place(std::int64_t offset,
                                                   std::int64_t count) const override {
    return MappedFile{.owner = bytes_.owner, .bytes = part(offset, count)};
  }

 private:
  [[nodiscard]] std::span<const std::byte> part(std::int64_t offset, std::int64_t count) const {
    decode_to(offset + count);
    if (file_) file_->folder.pages().touch(count);
    return bytes_.bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
  }

  /// Decodes at least the bytes before `end`. Readers of decoded bytes do not wait for it.
  void decode_to(std::int64_t end) const {
    if (end <= decoded_) return;
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    try {
      while (decoded_ < end) decode_step(end);
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
  }

  void decode_step(std::int64_t end) const {
    const std::int64_t count =
        file_ ? std::min(kSpilledStep, member_.size - decoded_) : end - decoded_;
    const std::span step(memory_.get() + (file_ ? 0 : decoded_.load()),
                         static_cast<std::size_t>(count));
    decoder_.read(step);
    if (file_) (void)file_->file.append(step);
    decoded_ += count;
  }

  const DeflatedMember member_;
  std::unique_ptr<DecodedFile> file_;    // null when the bytes are kept in memory
  std::shared_ptr<std::byte[]> memory_;  // all bytes, or one step on its way to the file
  MappedFile bytes_;                     // all of them; those before decoded_ may be read
  mutable std::atomic<std::int64_t> decoded_{0};
  mutable std::mutex mutex_;  // of the members below
  mutable Decoder decoder_;
  mutable std::exception_ptr failure_;
};

}  // namespace

std::shared_ptr<const ByteSource> inflated_bytes(DeflatedMember member,
                                                 const std::filesystem::path& cache_folder) {
  return std::make_shared<const InflatedBytes>(std::move(member), cache_folder);
}

}  // namespace quantsearch
