// PNG by libpng: 16 bits become 8, palettes and gray become colours, transparency is dropped.

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "media/decoders.h"
#include "media/exif.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

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

  StoredPicture decode() {
    read_header();
    const ImageSize size{.height = static_cast<int>(png_get_image_height(png_, info_)),
                         .width = static_cast<int>(png_get_image_width(png_, info_))};
    require_decodable(size.height, size.width);
    StoredPicture stored{.picture = Picture(size, 4)};
    std::vector<png_bytep> rows;
    for (int y = 0; y < size.height; ++y) rows.push_back(stored.picture.row(y));
    read_rows(rows.data());
    stored.orientation = orientation();
    return stored;
  }

 private:
  // The library reports a fatal error by a call that must not return; it jumps back to here.
  void read_header() {
    if (setjmp(png_jmpbuf(png_)) != 0) throw InvalidInput(reason());
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    png_set_gray_to_rgb(png_);
    constexpr png_uint_32 kFiller = 0xFF;
    png_set_filler(png_, kFiller, PNG_FILLER_AFTER);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  }

  void read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) throw InvalidInput(reason());
    png_read_image(png_, rows);
    png_read_end(png_, info_);
  }

  [[nodiscard]] int orientation() const {
    png_uint_32 bytes = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &bytes, &exif) == 0) return 1;
    return exif_orientation(std::as_bytes(std::span<const png_byte>(exif, bytes)));
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

StoredPicture decode_png(std::span<const std::byte> file) { return PngDecoder(file).decode(); }

}  // namespace quantsearch
