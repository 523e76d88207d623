// PNG by libpng: 16 bits become 8, palettes and gray become colours, transparency is dropped.

#include <png.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "media/decoders.h"
#include "media/exif.h"
#include "media/stored_rows.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::uint32_t big_endian(std::span<const std::byte> bytes, std::size_t place) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes[place + i]);
  return value;
}

/// Chunks are a length, a name, the bytes and a checksum. That of EXIF may come after the pixels,
/// which are handed on before the library gets there.
int png_orientation(std::span<const std::byte> file) {
  constexpr std::size_t kAround = 12;  // bytes of a chunk without its content
  for (std::size_t place = kPngMark.size(); place + kAround <= file.size();) {
    const std::size_t length = big_endian(file, place);
    const std::span<const std::byte> rest = file.subspan(place + 8);
    if (length > rest.size()) break;
    if (std::memcmp(&file[place + 4], "eXIf", 4) == 0) return exif_orientation(rest.first(length));
    place += kAround + length;
  }
  return 1;
}

class PngDecoder {
 public:
  explicit PngDecoder(std::span<const std::byte> file) : rest_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw IoError("media: libpng has no memory for a picture");
    }
    png_set_read_fn(png_, this, read_bytes);
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  void decode(int orientation, RowSink& sink) {
    read_header(Wanted::colours);
    const ImageSize size = checked_size();
    if (png_get_interlace_type(png_, info_) == PNG_INTERLACE_NONE) {
      StoredRows rows(sink);
      (void)rows.begin(size, orientation);
      RowBuffer buffer(size.width);
      read_rows(size.height, buffer, rows);
      rows.finish();
    } else {
      Picture picture(size);
      std::vector<png_bytep> rows;
      for (int y = 0; y < size.height; ++y) rows.push_back(picture.row(y));
      read_passes(rows.data());
      hand_on(std::move(picture), orientation, sink);
    }
  }

  Tensor classes() {
    read_header(Wanted::classes);
    const ImageSize size = checked_size();
    const int color_type = png_get_color_type(png_, info_);
    if (color_type != PNG_COLOR_TYPE_PALETTE && (color_type & PNG_COLOR_MASK_COLOR) != 0)
      throw InvalidInput("it holds colours, expected gray or a palette");
    const bool is_wide = png_get_bit_depth(png_, info_) > 8;
    Tensor classes(is_wide ? DataType::uint16 : DataType::uint8, {size.height, size.width});
    auto* const bytes =
        is_wide ? reinterpret_cast<png_bytep>(classes.mutable_values<std::uint16_t>().data())
                : classes.mutable_values<std::uint8_t>().data();
    const std::size_t row_bytes = static_cast<std::size_t>(size.width) * (is_wide ? 2 : 1);
    std::vector<png_bytep> rows;
    for (int y = 0; y < size.height; ++y)
      rows.push_back(bytes + static_cast<std::size_t>(y) * row_bytes);
    read_passes(rows.data());
    return classes;
  }

 private:
  enum class Wanted { colours, classes };

  [[nodiscard]] ImageSize checked_size() const {
    const png_uint_32 height = png_get_image_height(png_, info_);
    const png_uint_32 width = png_get_image_width(png_, info_);
    require_decodable(height, width);
    return {.height = static_cast<int>(height), .width = static_cast<int>(width)};
  }

  // The library reports a fatal error by a call that must not return; it jumps back to here.
  void read_header(Wanted wanted) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw InvalidInput(reason());
    png_read_info(png_, info_);
    png_set_strip_alpha(png_);
    if (wanted == Wanted::colours) {
      png_set_expand(png_);
      png_set_strip_16(png_);
      png_set_gray_to_rgb(png_);
      constexpr png_uint_32 kFiller = 0xFF;
      png_set_filler(png_, kFiller, PNG_FILLER_AFTER);
    } else {
      png_set_packing(png_);  // a byte for each pixel
      if constexpr (std::endian::native == std::endian::little) png_set_swap(png_);
    }
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  void read_rows(int height, RowBuffer& buffer, StoredRows& rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw InvalidInput(reason());
    constexpr int kTogether = kRowsTogether;
    std::array<const std::uint8_t*, kRowsTogether> together = {};
    for (int first = 0; first < height; first += kTogether) {
      const auto count = static_cast<std::size_t>(std::min(kTogether, height - first));
      for (std::size_t i = 0; i < count; ++i) {
        png_read_row(png_, buffer.row(i), nullptr);
        together[i] = buffer.row(i);
      }
      rows.take(first, PictureRows(together).first(count));
    }
    png_read_end(png_, info_);
  }

  void read_passes(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw InvalidInput(reason());
    png_read_image(png_, rows);
    png_read_end(png_, info_);
  }

  static void on_error(png_structp png, png_const_charp text) {
    auto& message = static_cast<PngDecoder*>(png_get_error_ptr(png))->message_;
    std::strncpy(message.data(), text, message.size() - 1);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp /*png*/, png_const_charp /*text*/) {}

  static void read_bytes(png_structp png, png_bytep out, png_size_t count) {
    auto& rest = static_cast<PngDecoder*>(png_get_io_ptr(png))->rest_;
    if (count > rest.size()) png_error(png, "the file ends too early");
    std::memcpy(out, rest.data(), count);
    rest = rest.subspan(count);
  }

  [[nodiscard]] std::string reason() const {
    return std::string("libpng says '") + message_.data() + "'";
  }

  std::span<const std::byte> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::array<char, 200> message_ = {};  // a longjmp would leak a string
};

}  // namespace

Tensor decode_classes(std::span<const std::byte> file) {
  if (!begins_with(file, kPngMark))
    throw InvalidInput(file.empty() ? "it is empty" : "it is no PNG file");
  return PngDecoder(file).classes();
}

void decode_png(std::span<const std::byte> file, RowSink& sink) {
  PngDecoder(file).decode(png_orientation(file), sink);
}

}  // namespace quantsearch
