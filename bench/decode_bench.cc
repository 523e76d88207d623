// How fast a folder of photos is decoded and scaled beside the codec library alone, on all threads.
//
//   decode_bench FOLDER [--preset NAME] [--side N] [--rounds N] [--threads N]
//
// Each round takes every .jpeg, .png and .webp of the folder in each way, in turn, so that other
// work on the machine meets all alike:
//   library    libjpeg-turbo, libpng or libwebp to RGB, into a buffer that each thread keeps
//   decode     rows of an upright picture, with which nothing is done
//   keep       what a search keeps: scaled, cropped and packed as the preset says
// Printed are megapixels per second (median) and the medians of the paired ratios to the library:
// of time, and of the processor's time, which other work on the machine changes less.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>
// This header needs size_t and FILE.
#include <jpeglib.h>
#include <png.h>
#include <webp/decode.h>

#include "guarded_main.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/media/picture.h"
#include "quantsearch/internal/media/sample_maker.h"

namespace quantsearch {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::filesystem::path folder;
  std::string preset = "imagenet";
  int side = 224;  // of the model's input
  int rounds = 11;
  int threads = 0;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string text = values[i];
    const auto number = [&] { return i + 1 < count ? std::stoi(values[++i]) : 0; };
    if (text == "--rounds") {
      arguments.rounds = number();
    } else if (text == "--threads") {
      arguments.threads = number();
    } else if (text == "--side") {
      arguments.side = number();
    } else if (text == "--preset") {
      arguments.preset = i + 1 < count ? values[++i] : "";
    } else {
      arguments.folder = text;
    }
  }
  if (arguments.folder.empty() || arguments.rounds < 1)
    throw InvalidInput("expected FOLDER [--preset NAME] [--side N] [--rounds N] [--threads N]");
  return arguments;
}

using Pixels = std::vector<unsigned char>;

/// Room for rows of three bytes a pixel.
void make_room(Pixels& pixels, std::size_t height, std::size_t width) {
  pixels.resize(std::max(pixels.size(), height * width * 3));
}

/// Each returns the number of pixels. An error of a library ends the program.
std::size_t decode_jpeg_by_library(const std::string& file, Pixels& pixels) {
  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors = {};
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  make_room(pixels, info.output_height, info.output_width);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels.data() + std::size_t{info.output_scanline} * info.output_width * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  const std::size_t count = std::size_t{info.output_width} * info.output_height;
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return count;
}

std::size_t decode_png_by_library(const std::string& file, Pixels& pixels) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string_view rest = file;
  png_set_read_fn(png, &rest, [](png_structp reader, png_bytep out, png_size_t count) {
    auto& bytes = *static_cast<std::string_view*>(png_get_io_ptr(reader));
    bytes.copy(reinterpret_cast<char*>(out), count);
    bytes.remove_prefix(count);
  });
  png_read_info(png, info);
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  png_read_update_info(png, info);
  const std::size_t height = png_get_image_height(png, info);
  const std::size_t width = png_get_image_width(png, info);
  make_room(pixels, height, width);
  for (std::size_t y = 0; y < height; ++y)
    png_read_row(png, pixels.data() + y * width * 3, nullptr);
  png_read_end(png, info);
  png_destroy_read_struct(&png, &info, nullptr);
  return height * width;
}

std::size_t decode_webp_by_library(const std::string& file, Pixels& pixels) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(file.data());
  int width = 0;
  int height = 0;
  WebPGetInfo(bytes, file.size(), &width, &height);
  make_room(pixels, static_cast<std::size_t>(height), static_cast<std::size_t>(width));
  WebPDecodeRGBInto(bytes, file.size(), pixels.data(), pixels.size(), width * 3);
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
}

std::size_t decode_by_library(const std::string& file, Pixels& pixels) {
  if (file.starts_with("\x89PNG")) return decode_png_by_library(file, pixels);
  if (file.starts_with("RIFF")) return decode_webp_by_library(file, pixels);
  return decode_jpeg_by_library(file, pixels);
}

/// Needs all pixels, and does nothing with them.
class NoSink final : public RowSink {
  [[nodiscard]] PictureRegion begin(ImageSize size) override {
    return {.bottom = size.height, .right = size.width};
  }
  void take(int /*first*/, PictureRows /*rows*/) override {}
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Of one pass over all files.
struct Pass {
  double seconds = 0;
  double processor_seconds = 0;  // of all threads
};

/// The median over the rounds of what `part` is in the first way, divided by what it is in this.
double paired_ratio(const std::vector<Pass>& library, const std::vector<Pass>& way,
                    double Pass::*part) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < way.size(); ++round)
    ratios.push_back(library[round].*part / way[round].*part);
  return median(ratios);
}

class Bench {
 public:
  explicit Bench(const Arguments& arguments) : arguments_(arguments), pool_(arguments.threads) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(arguments.folder)) {
      if (media_kind(entry.path().filename().string()) == MediaKind::image)
        files_.push_back(read_file(entry.path()));
    }
    if (files_.empty())
      throw InvalidInput(fmt::format("'{}' has no images", arguments.folder.string()));
    Pixels pixels;
    for (const std::string& file : files_)
      megapixels_ += static_cast<double>(decode_by_library(file, pixels)) / 1e6;
  }

  void run() {
    const std::vector<std::pair<const char*, std::function<void(const std::string&, int)>>> ways = {
        {"library",
         [this](const std::string& file, int worker) {
           (void)decode_by_library(file, buffers_[static_cast<std::size_t>(worker)]);
         }},
        {"decode",
         [](const std::string& file, int) {
           NoSink sink;
           decode_picture(std::as_bytes(std::span(file)), sink);
         }},
        {"keep", [this](const std::string& file, int) {
           (void)maker_->keep(std::as_bytes(std::span(file)));
         }}};
    buffers_.resize(static_cast<std::size_t>(pool_.threads()));
    std::vector<std::vector<Pass>> passes(ways.size());
    for (int round = 0; round < arguments_.rounds; ++round) {
      for (std::size_t way = 0; way < ways.size(); ++way)
        passes[way].push_back(timed(ways[way].second));
    }
    fmt::print("{} files, {:.1f} megapixels, preset {}, {} threads, {} rounds\n", files_.size(),
               megapixels_, arguments_.preset, pool_.threads(), arguments_.rounds);
    for (std::size_t way = 0; way < ways.size(); ++way) {
      std::vector<double> seconds;
      for (const Pass& pass : passes[way]) seconds.push_back(pass.seconds);
      fmt::print(
          "{:<10}{:>8.1f} megapixels/s{:>8.3f} times the library{:>8.3f} by processor time\n",
          ways[way].first, megapixels_ / median(seconds),
          paired_ratio(passes[0], passes[way], &Pass::seconds),
          paired_ratio(passes[0], passes[way], &Pass::processor_seconds));
    }
  }

 private:
  Pass timed(const std::function<void(const std::string&, int)>& decode) {
    const auto start = Clock::now();
    const std::clock_t processor_start = std::clock();
    pool_.parallel_for(std::ssize(files_), [&](std::int64_t file, int worker) {
      decode(files_[static_cast<std::size_t>(file)], worker);
    });
    const std::clock_t processor = std::clock() - processor_start;
    return {.seconds = std::chrono::duration<double>(Clock::now() - start).count(),
            .processor_seconds = static_cast<double>(processor) / CLOCKS_PER_SEC};
  }

  Arguments arguments_;
  ThreadPool pool_;
  std::vector<std::string> files_;
  std::vector<Pixels> buffers_;  // by thread
  double megapixels_ = 0;
  std::unique_ptr<const SampleMaker> maker_ = sample_maker(
      parse_preprocess(arguments_.preset),
      {.name = "x", .dimensions = {std::nullopt, 3, arguments_.side, arguments_.side}});
};

}  // namespace
}  // namespace quantsearch

int main(int count, char** values) {
  return quantsearch::bench::guarded_main("decode_bench", [&] {
    quantsearch::Bench(quantsearch::parse(count, values)).run();
    return 0;
  });
}
