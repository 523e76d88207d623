// WAV: a RIFF container whose chunk 'fmt ' says how the samples in the chunk 'data' are stored.

#include <fmt/core.h>

#include <cstdint>
#include <cstring>
#include <optional>

#include "media/riff.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/media/sound.h"

namespace quantsearch {

namespace {

constexpr std::uint32_t kInteger = 1;
constexpr std::uint32_t kFloating = 3;
constexpr std::uint32_t kExtensible = 0xFFFE;

struct WavFormat {
  std::uint32_t coding = 0;
  std::uint32_t channels = 0;
  std::uint32_t sample_rate = 0;
  std::uint32_t bits = 0;
};

WavFormat read_format(std::span<const std::byte> chunk) {
  constexpr std::size_t kPlainBytes = 16;
  constexpr std::size_t kSubformat = 24;
  if (chunk.size() < kPlainBytes) throw InvalidInput("its WAV format is truncated");
  WavFormat format{.coding = little_endian(chunk, 0, 2),
                   .channels = little_endian(chunk, 2, 2),
                   .sample_rate = little_endian(chunk, 4, 4),
                   .bits = little_endian(chunk, 14, 2)};
  if (format.coding == kExtensible && chunk.size() >= kSubformat + 2)
    format.coding = little_endian(chunk, kSubformat, 2);
  const bool is_known = (format.coding == kInteger && format.bits % 8 == 0 && format.bits >= 8 &&
                         format.bits <= 32) ||
                        (format.coding == kFloating && (format.bits == 32 || format.bits == 64));
  if (!is_known)
    throw InvalidInput(fmt::format(
        "its WAV coding is {} with {} bits, expected PCM (1) with 8, 16, 24 or 32 bits or "
        "floating point (3) with 32 or 64",
        format.coding, format.bits));
  constexpr std::uint32_t kHighestRate = 1'000'000;
  if (format.channels == 0 || format.sample_rate == 0 || format.sample_rate > kHighestRate)
    throw InvalidInput(fmt::format("its WAV header has {} channels at {} Hz", format.channels,
                                   format.sample_rate));
  return format;
}

double sample_at(std::span<const std::byte> data, std::size_t place, const WavFormat& format) {
  if (format.coding == kFloating) {
    if (format.bits == 32) {
      float value = 0;
      std::memcpy(&value, data.data() + place, sizeof value);
      return value;
    }
    double value = 0;
    std::memcpy(&value, data.data() + place, sizeof value);
    return value;
  }
  const std::uint32_t value = little_endian(data, place, format.bits / 8);
  constexpr double kFull = 2147483648.0;  // 2^31
  constexpr std::uint32_t kSign = 0x80000000U;
  const std::uint32_t high = value << (32 - format.bits);
  // Samples of one byte have no sign; half of their range is silence.
  return static_cast<std::int32_t>(format.bits == 8 ? high ^ kSign : high) / kFull;
}

std::vector<float> mono(std::span<const std::byte> data, const WavFormat& format) {
  const std::size_t width = format.bits / 8;
  const std::size_t frame = width * format.channels;
  std::vector<float> samples(data.size() / frame);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double sum = 0;
    for (std::size_t channel = 0; channel < format.channels; ++channel)
      sum += sample_at(data, i * frame + channel * width, format);
    samples[i] = static_cast<float>(sum / format.channels);
  }
  return samples;
}

/// Programs that write to a pipe cannot know the length and leave 0 or the largest number.
std::span<const std::byte> data_of(const RiffChunk& chunk, std::span<const std::byte> file) {
  constexpr std::uint32_t kUnknown = 0xFFFFFF00U;
  if (chunk.written_bytes == 0 || chunk.written_bytes >= kUnknown)
    return file.subspan(static_cast<std::size_t>(chunk.bytes.data() - file.data()));
  if (chunk.bytes.size() < chunk.written_bytes)
    throw InvalidInput(fmt::format("it has {} bytes of samples, its header says {}",
                                   chunk.bytes.size(), chunk.written_bytes));
  return chunk.bytes;
}

}  // namespace

Sound decode_wav(std::span<const std::byte> file) {
  if (!is_riff(file, "WAVE"))
    throw InvalidInput(file.empty() ? "it is empty" : "it is no WAV file");
  std::optional<WavFormat> format;
  for (const RiffChunk& chunk : riff_chunks(file)) {
    if (chunk.name == "fmt ") format = read_format(chunk.bytes);
    if (chunk.name != "data") continue;
    if (!format) throw InvalidInput("its WAV data come before their format");
    const std::span<const std::byte> data = data_of(chunk, file);
    Sound sound{.sample_rate = static_cast<int>(format->sample_rate),
                .samples = mono(data, *format)};
    if (sound.samples.empty()) throw InvalidInput("it has no samples");
    return sound;
  }
  throw InvalidInput("it has no WAV data");
}

}  // namespace quantsearch
