// JPEG by libjpeg-turbo, with its exact inverse transform and interpolated chroma, as Pillow and
// OpenCV use it.

#include <cstddef>
#include <cstdio>
// This header needs size_t and FILE.
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <string>

#include "media/decoders.h"
#include "media/exif.h"
#include "media/stored_rows.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr unsigned kLongestMarker = 0xFFFF;

/// The library reports a fatal error by a call that must not return; exceptions may not pass
/// through its frames, so the call jumps back to decode().
struct ErrorHandler {
  jpeg_error_mgr manager = {};
  std::jmp_buf back = {};
  std::array<char, JMSG_LENGTH_MAX> message = {};
};

ErrorHandler& handler_of(j_common_ptr info) { return *reinterpret_cast<ErrorHandler*>(info->err); }

void on_error(j_common_ptr info) {
  info->err->format_message(info, handler_of(info).message.data());
  std::longjmp(handler_of(info).back, 1);
}

/// Warnings are damaged data that the library can fill with gray. Only those after which no pixel
/// is missing are accepted, which are about bytes that do not belong to the picture.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  constexpr int kExtraneousData = 119;  // JWRN_EXTRANEOUS_DATA of jerror.h
  if (info->err->msg_code != kExtraneousData) on_error(info);
}

class JpegDecoder {
 public:
  explicit JpegDecoder(std::span<const std::byte> file) : file_(file) {
    info_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = on_error;
    errors_.manager.emit_message = on_message;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  void decode(RowSink& sink) {
    read_header();
    require_decodable(info_.image_height, info_.image_width);
    const ImageSize size{.height = static_cast<int>(info_.image_height),
                         .width = static_cast<int>(info_.image_width)};
    StoredRows rows(sink);
    const PictureRegion region = with_margin(rows.begin(size, orientation()), size);
    RowBuffer buffer(size.width);
    read_rows(region, buffer, rows);
    rows.finish();
  }

 private:
  // The frames between setjmp and a jump hold no object with a destructor.
  void read_header() {
    if (setjmp(errors_.back) != 0) throw InvalidInput(reason());
    jpeg_create_decompress(&info_);
    jpeg_save_markers(&info_, kExifMarker, kLongestMarker);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file_.data()), file_.size());
    jpeg_read_header(&info_, TRUE);
  }

  void read_rows(const PictureRegion& region, RowBuffer& buffer, StoredRows& rows) {
    if (setjmp(errors_.back) != 0) throw InvalidInput(reason());
    const bool is_cmyk = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = is_cmyk ? JCS_CMYK : JCS_EXT_RGBX;
    jpeg_start_decompress(&info_);
    auto left = static_cast<JDIMENSION>(region.left);
    auto width = static_cast<JDIMENSION>(region.right - region.left);
    if (width < info_.output_width) jpeg_crop_scanline(&info_, &left, &width);
    for (std::size_t i = 0; i < kRowsTogether; ++i) {
      rows_[i] = buffer.row(i);
      written_[i] = buffer.row(i) + std::size_t{left} * 4;
    }
    skip_to(region.top);
    read_until(region.bottom, rows);
    // The last row needs all that comes before it, so that a truncated file is noticed.
    skip_to(static_cast<int>(info_.output_height) - 1);
    read_until(static_cast<int>(info_.output_height), rows);
    jpeg_finish_decompress(&info_);
  }

  void skip_to(int row) {
    const auto wanted = static_cast<JDIMENSION>(row);
    if (wanted > info_.output_scanline) jpeg_skip_scanlines(&info_, wanted - info_.output_scanline);
  }

  void read_until(int end, StoredRows& rows) {
    while (info_.output_scanline < static_cast<JDIMENSION>(end)) {
      const auto first = static_cast<int>(info_.output_scanline);
      const auto most = std::min<JDIMENSION>(kRowsTogether, static_cast<JDIMENSION>(end - first));
      JDIMENSION count = 0;
      while (count < most) count += jpeg_read_scanlines(&info_, &written_[count], most - count);
      if (info_.out_color_space == JCS_CMYK) {
        for (JDIMENSION i = 0; i < count; ++i)
          from_cmyk({written_[i], std::size_t{info_.output_width} * 4});
      }
      rows.take(first, PictureRows(rows_).first(count));
    }
  }

  /// Pixels at the edge of what is decoded have no neighbours to interpolate chroma with. Columns
  /// are left out only for the usual samplings, with which the library has long been right.
  [[nodiscard]] PictureRegion with_margin(PictureRegion region, ImageSize size) const {
    constexpr int kMargin = 32;  // two blocks of the coarsest sampling
    region.top = std::max(0, region.top - kMargin);
    region.bottom = std::min(size.height, region.bottom + kMargin);
    const bool is_usual = std::all_of(
        info_.comp_info, info_.comp_info + info_.num_components, [](const auto& component) {
          return component.h_samp_factor <= 2 && component.v_samp_factor <= 2;
        });
    region.left = is_usual ? std::max(0, region.left - kMargin) : 0;
    region.right = is_usual ? std::min(size.width, region.right + kMargin) : size.width;
    return region;
  }

  [[nodiscard]] int orientation() const {
    for (const jpeg_marker_struct* marker = info_.marker_list; marker != nullptr;
         marker = marker->next) {
      if (marker->marker != kExifMarker) continue;
      const int found = exif_orientation(
          std::as_bytes(std::span<const JOCTET>(marker->data, marker->data_length)));
      if (found != 1) return found;
    }
    return 1;
  }

  /// Adobe's files hold the inverse of each ink.
  void from_cmyk(std::span<std::uint8_t> pixels) const {
    const std::uint8_t inverse = info_.saw_Adobe_marker != 0 ? 0 : 0xFF;
    for (std::size_t pixel = 0; pixel < pixels.size(); pixel += 4) {
      const unsigned light = pixels[pixel + 3] ^ inverse;
      for (std::size_t channel = pixel; channel < pixel + 3; ++channel) {
        constexpr unsigned kFull = 255;
        const unsigned ink = light * (pixels[channel] ^ inverse);
        pixels[channel] = static_cast<std::uint8_t>((ink + kFull / 2) / kFull);
      }
    }
  }

  [[nodiscard]] std::string reason() const {
    return std::string("libjpeg says '") + errors_.message.data() + "'";
  }

  std::span<const std::byte> file_;
  ErrorHandler errors_;
  jpeg_decompress_struct info_ = {};
  std::array<const std::uint8_t*, kRowsTogether> rows_ = {};
  std::array<JSAMPROW, kRowsTogether> written_ = {};  // the first pixel that is decoded of each
};

}  // namespace

void decode_jpeg(std::span<const std::byte> file, RowSink& sink) { JpegDecoder(file).decode(sink); }

}  // namespace quantsearch
