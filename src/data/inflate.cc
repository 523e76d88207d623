#include "data/inflate.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <mutex>
#include <utility>

#include "data/resident_pages.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// A decoder copy is about 40 KB and decoding runs at about 300 MB/s: a restart costs at most a
// millisecond up to 64 MB of data, and all copies together stay near 10 MB regardless of the
// member's size.
constexpr std::int64_t kFirstSpacing = std::int64_t{256} << 10;
constexpr std::size_t kMostRestartPoints = 256;
// Decoders for readers at different places; one more reader than that costs a restart.
constexpr std::size_t kMostIdleDecoders = 8;
constexpr std::size_t kSkipBytes = std::size_t{16} << 10;

/// A zlib decoder at some position in a member. zlib's state points back to its z_stream, so the
/// decoder must not move.
class Decoder {
 public:
  Decoder(const DeflatedMember& member, const ResidentPages& resident)
      : member_(member), resident_(resident) {
    // Negative window bits select raw deflate, the format inside zip files.
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw InternalError("data: zlib cannot start");
  }
  Decoder(const Decoder& other)
      : member_(other.member_),
        resident_(other.resident_),
        position_(other.position_),
        consumed_(other.consumed_),
        crc_(other.crc_) {
    if (inflateCopy(&stream_, const_cast<z_stream*>(&other.stream_)) != Z_OK) {
      throw InternalError("data: zlib cannot copy its state");
    }
  }
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { inflateEnd(&stream_); }

  [[nodiscard]] std::int64_t position() const { return position_; }

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

  void skip_to(std::int64_t position) {
    std::array<std::byte, kSkipBytes> scratch;
    while (position_ < position) {
      const auto step = std::min<std::int64_t>(position - position_, kSkipBytes);
      read(std::span(scratch).first(static_cast<std::size_t>(step)));
    }
  }

 private:
  /// Returns the number of bytes written to the front of `out`; 0 only at the end of the stream or
  /// of its input.
  std::size_t decode(std::span<std::byte> out) {
    constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // zlib counts in 32 bits
    const std::span<const std::byte> input = member_.compressed.bytes.subspan(consumed_);
    const std::size_t given = std::min(input.size(), kMostAtOnce);
    const std::size_t wanted = std::min(out.size(), kMostAtOnce);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(wanted);
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw IoError("data: out of memory while decoding a zip member");
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      fail("its compressed bytes cannot be decoded");
    }
    consumed_ += given - stream_.avail_in;
    resident_.touch(static_cast<std::int64_t>(given - stream_.avail_in));
    return wanted - stream_.avail_out;
  }

  [[noreturn]] void fail(const char* reason) const {
    throw InvalidInput(fmt::format("data: {} is damaged: {}; write or copy the file again",
                                   member_.description, reason));
  }

  const DeflatedMember& member_;
  const ResidentPages& resident_;
  z_stream stream_{};
  std::int64_t position_ = 0;
  std::size_t consumed_ = 0;
  std::uint32_t crc_ = 0;  // of everything before position_, also in a copy
};

class InflatedBytes final : public ByteSource {
 public:
  explicit InflatedBytes(DeflatedMember member)
      : member_(std::move(member)), resident_(member_.compressed.bytes) {}

  [[nodiscard]] std::int64_t size() const override { return member_.size; }

  void read(std::int64_t offset, std::span<std::byte> out) const override {
    if (out.empty()) return;
    std::unique_ptr<Decoder> decoder = take(offset);
    // Decoding stops at each multiple of the spacing to leave a restart point there.
    while (decoder->position() < offset) {
      decoder->skip_to(std::min(offset, next_restart_point(decoder->position())));
      remember(*decoder);
    }
    while (!out.empty()) {
      const auto until_point =
          static_cast<std::size_t>(next_restart_point(decoder->position()) - decoder->position());
      const std::size_t step = std::min(out.size(), until_point);
      decoder->read(out.first(step));
      out = out.subspan(step);
      remember(*decoder);
    }
    give_back(std::move(decoder));
  }

 private:
  /// The decoder nearest before `offset`: one that a reader left there, otherwise a copy of a
  /// restart point, otherwise a new one.
  [[nodiscard]] std::unique_ptr<Decoder> take(std::int64_t offset) const {
    std::shared_ptr<const Decoder> restart;
    {
      const std::lock_guard lock(mutex_);
      auto best = idle_.end();
      for (auto decoder = idle_.begin(); decoder != idle_.end(); ++decoder) {
        const bool usable = (*decoder)->position() <= offset;
        if (usable && (best == idle_.end() || (*decoder)->position() > (*best)->position())) {
          best = decoder;
        }
      }
      const auto after = restart_points_.upper_bound(offset);
      if (after != restart_points_.begin()) restart = std::prev(after)->second;
      if (best != idle_.end() && (!restart || (*best)->position() >= restart->position())) {
        std::unique_ptr<Decoder> taken = std::move(*best);
        idle_.erase(best);
        return taken;
      }
    }
    return restart ? std::make_unique<Decoder>(*restart)
                   : std::make_unique<Decoder>(member_, resident_);
  }

  [[nodiscard]] std::int64_t next_restart_point(std::int64_t position) const {
    const std::lock_guard lock(mutex_);
    return (position / spacing_ + 1) * spacing_;
  }

  void remember(const Decoder& decoder) const {
    const std::lock_guard lock(mutex_);
    const std::int64_t position = decoder.position();
    if (position % spacing_ != 0 || restart_points_.contains(position)) return;
    restart_points_.emplace(position, std::make_shared<const Decoder>(decoder));
    if (restart_points_.size() <= kMostRestartPoints) return;
    spacing_ *= 2;
    std::erase_if(restart_points_, [&](const auto& point) { return point.first % spacing_ != 0; });
  }

  void give_back(std::unique_ptr<Decoder> decoder) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(decoder));
    if (idle_.size() > kMostIdleDecoders) idle_.pop_front();  // the least recently used one
  }

  const DeflatedMember member_;
  const ResidentPages resident_;
  mutable std::mutex mutex_;
  mutable std::list<std::unique_ptr<Decoder>> idle_;
  mutable std::map<std::int64_t, std::shared_ptr<const Decoder>> restart_points_;
  mutable std::int64_t spacing_ = kFirstSpacing;
};

}  // namespace

std::shared_ptr<const ByteSource> inflated_bytes(DeflatedMember member) {
  return std::make_shared<const InflatedBytes>(std::move(member));
}

}  // namespace quantsearch
