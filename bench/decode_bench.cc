// How fast a folder of photos is decoded beside libjpeg-turbo alone, on all threads.
//
//   decode_bench FOLDER [--rounds N] [--threads N] [--size SIDE]
//
// Each round decodes every JPEG of the folder in each way, in turn, so that other work on the
// machine meets all alike:
//   library    libjpeg-turbo to RGB, into a buffer that each thread keeps
//   decode     a picture, upright
//   imagenet   a picture, scaled, cropped and packed, as search reads it
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
#include <vector>
// This header needs size_t and FILE.
#include <jpeglib.h>

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
  int rounds = 11;
  int threads = 0;
  int side = 224;
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
    } else if (text == "--size") {
      arguments.side = number();
    } else {
      arguments.folder = text;
    }
  }
  if (arguments.folder.empty() || arguments.rounds < 1)
    throw InvalidInput("decode_bench: expected FOLDER [--rounds N] [--threads N] [--size SIDE]");
  return arguments;
}

/// An error of the library ends the program, as its own handler does.
std::size_t decode_by_library(const std::string& file, std::vector<unsigned char>& pixels) {
  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors = {};
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  const std::size_t row_bytes = std::size_t{info.output_width} * 3;
  pixels.resize(std::max(pixels.size(), row_bytes * info.output_height));
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels.data() + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  const std::size_t count = std::size_t{info.output_width} * info.output_height;
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return count;
}

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
      const std::string extension = entry.path().extension().string();
      if (extension == ".jpg" || extension == ".jpeg") files_.push_back(read_file(entry.path()));
    }
    if (files_.empty())
      throw InvalidInput(fmt::format("decode_bench: '{}' has no .jpg", arguments.folder.string()));
    std::vector<unsigned char> pixels;
    for (const std::string& file : files_)
      megapixels_ += static_cast<double>(decode_by_library(file, pixels)) / 1e6;
  }

  void run() {
    const std::vector<std::pair<const char*, std::function<void(const std::string&, int)>>> ways = {
        {"library",
         [this](const std::string& file, int worker) {
           (void)decode_by_library(file, buffers_[static_cast<std::size_t>(worker)]);
         }},
        {"decode", [](const std::string& file,
                      int) { (void)decode_picture(std::as_bytes(std::span(file))); }},
        {"imagenet", [this](const std::string& file, int) {
           (void)maker_->keep(std::as_bytes(std::span(file)));
         }}};
    buffers_.resize(static_cast<std::size_t>(pool_.threads()));
    std::vector<std::vector<Pass>> passes(ways.size());
    for (int round = 0; round < arguments_.rounds; ++round) {
      for (std::size_t way = 0; way < ways.size(); ++way)
        passes[way].push_back(timed(ways[way].second));
    }
    fmt::print("{} files, {:.1f} megapixels, {} threads, {} rounds\n", files_.size(), megapixels_,
               pool_.threads(), arguments_.rounds);
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
  std::vector<std::vector<unsigned char>> buffers_;  // by thread
  double megapixels_ = 0;
  std::unique_ptr<const SampleMaker> maker_ = sample_maker(
      parse_preprocess("imagenet"),
      {.name = "x", .dimensions = {std::nullopt, 3, arguments_.side, arguments_.side}});
};

}  // namespace
}  // namespace quantsearch

int main(int count, char** values) {
  try {
    quantsearch::Bench(quantsearch::parse(count, values)).run();
    return 0;
  } catch (const quantsearch::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
