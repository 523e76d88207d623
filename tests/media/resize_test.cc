// Scaling beside Pillow and OpenCV, beside sums that are written out, and by hand.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "media/expected.h"
#include "media/pictures.h"
#include "media/resize_taps.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::decoded;
using testing::expected_arrays;
using testing::gray_of;
using testing::largest_difference;
using testing::media_file;
using testing::scaled;

struct ScaledCase {
  Interpolation interpolation;
  ImageSize size;
};

/// Of a name such as "bilinear:61x47".
ScaledCase case_of(const std::string& name) {
  const std::map<std::string, Interpolation> kinds = {{"nearest", Interpolation::nearest},
                                                      {"bilinear", Interpolation::bilinear},
                                                      {"bicubic", Interpolation::bicubic},
                                                      {"lanczos", Interpolation::lanczos},
                                                      {"area", Interpolation::area}};
  const std::size_t colon = name.find(':');
  const std::size_t cross = name.find('x', colon);
  return {.interpolation = kinds.at(name.substr(0, colon)),
          .size = {.height = std::stoi(name.substr(cross + 1)),
                   .width = std::stoi(name.substr(colon + 1))}};
}

Tensor cat() { return decoded(read_file(media_file("cat.png"))); }

Tensor scaled_whole(const Tensor& picture, const ScaledCase& wanted, bool antialias) {
  return scaled(picture, {.part = {.scaled = wanted.size, .size = wanted.size},
                          .interpolation = wanted.interpolation,
                          .antialias = antialias});
}

// Pillow 13 scales columns before rows where it expects that to be faster, here at 160 x 37;
// rounding between the passes then differs by at most one level.
double pillow_tolerance(const std::string& name) { return name.ends_with("160x37") ? 1 : 0; }

TEST(Scaled, AntialiasedIsPillowBitForBitInTheSameOrderOfPasses) {
  const Tensor picture = cat();
  const Tensor gray = gray_of(picture);
  const auto expected = expected_arrays("pillow:");
  EXPECT_EQ(expected.size(), 24U);
  for (const auto& [name, pixels] : expected)
    EXPECT_LE(largest_difference(scaled_whole(picture, case_of(name), true), pixels),
              pillow_tolerance(name))
        << name;
  for (const auto& [name, pixels] : expected_arrays("pillow_gray:"))
    EXPECT_LE(largest_difference(scaled_whole(gray, case_of(name), true), pixels),
              pillow_tolerance(name))
        << name;
}

TEST(Scaled, WithoutAntialiasingIsOpenCvWithinOneLevel) {
  const Tensor picture = cat();
  const auto expected = expected_arrays("opencv:");
  EXPECT_EQ(expected.size(), 18U);
  for (const auto& [name, pixels] : expected)
    EXPECT_LE(largest_difference(scaled_whole(picture, case_of(name), false), pixels), 1) << name;
}

TEST(Scaled, HalvedByBilinearFilterIsTheHandComputedSum) {
  // A triangle of width 4 over 4 pixels: weights 1, 3, 3, 1 of 8; at the border 3, 3, 1 of 7.
  const Tensor row = Tensor::of<std::uint8_t>({1, 4}, {10, 20, 40, 80});
  EXPECT_EQ(scaled_whole(row, {.interpolation = Interpolation::bilinear, .size = {1, 2}}, true),
            Tensor::of<std::uint8_t>({1, 2}, {19, 54}));
}

TEST(Scaled, APartIsThatPartOfTheWhole) {
  const Tensor picture = cat();
  for (const bool antialias : {true, false}) {
    const ScaledPart part{.scaled = {.height = 61, .width = 83},
                          .top = 7,
                          .left = 30,
                          .size = {.height = 40, .width = 31}};
    const Tensor whole = scaled_whole(
        picture, {.interpolation = Interpolation::bilinear, .size = part.scaled}, antialias);
    const Tensor cut = scaled(picture, {.part = part, .antialias = antialias});
    ASSERT_EQ(cut.shape(), (Shape{40, 31, 3}));
    for (std::size_t y = 0; y < 40; ++y) {
      for (std::size_t i = 0; i < 31 * 3; ++i) {
        ASSERT_EQ(cut.values<std::uint8_t>()[y * 31 * 3 + i],
                  whole.values<std::uint8_t>()[((y + 7) * 83 + 30) * 3 + i]);
      }
    }
  }
}

Tensor random_picture(ImageSize size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Tensor picture(DataType::uint8, {size.height, size.width, 3});
  for (std::uint8_t& value : picture.mutable_values<std::uint8_t>())
    value = static_cast<std::uint8_t>(random());
  return picture;
}

/// Values of a picture [height, width, 3] along an axis, weighted by windows.
Tensor weighted(const Tensor& picture, const Taps& taps, bool along_rows) {
  const auto height = static_cast<std::size_t>(picture.shape()[0]);
  const auto width = static_cast<std::size_t>(picture.shape()[1]);
  const std::size_t outputs = taps.windows.size();
  const std::size_t lines = along_rows ? height : width;
  Tensor result(DataType::uint8, {static_cast<std::int64_t>(along_rows ? height : outputs),
                                  static_cast<std::int64_t>(along_rows ? outputs : width), 3});
  const auto in = picture.values<std::uint8_t>();
  const auto out = result.mutable_values<std::uint8_t>();
  const auto place = [&](std::size_t line, std::size_t along, std::size_t length) {
    return (along_rows ? line * length + along : along * width + line) * 3;
  };
  for (std::size_t line = 0; line < lines; ++line) {
    for (std::size_t output = 0; output < outputs; ++output) {
      const auto& [first, count] = taps.windows[output];
      for (std::size_t channel = 0; channel < 3; ++channel) {
        std::int64_t sum = std::int64_t{1} << (kTapBits - 1);
        for (int tap = 0; tap < count; ++tap) {
          const auto source = static_cast<std::size_t>(first + tap);
          sum += std::int64_t{taps.of(output)[tap]} * in[place(line, source, width) + channel];
        }
        out[place(line, output, outputs) + channel] =
            static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> kTapBits, 0, 255));
      }
    }
  }
  return result;
}

TEST(Scaled, AntialiasedIsTheSumThatIsWrittenOut) {
  const std::vector<std::pair<ImageSize, ImageSize>> sizes = {
      {{1, 1}, {3, 5}},     {{2, 3}, {1, 1}},    {{5, 2}, {5, 9}},      {{9, 17}, {4, 3}},
      {{40, 31}, {39, 30}}, {{64, 90}, {7, 90}}, {{120, 7}, {240, 14}}, {{33, 200}, {32, 9}}};
  for (const Interpolation filter : {Interpolation::bilinear, Interpolation::bicubic,
                                     Interpolation::lanczos, Interpolation::area}) {
    for (const auto& [from, to] : sizes) {
      const Tensor picture = random_picture(from, 5);
      const bool are_rows_enlarged = to.height > from.height;
      const bool are_columns_enlarged = to.width > from.width;
      const Taps columns = antialiased_taps({.source = from.width,
                                             .scaled = to.width,
                                             .first = 0,
                                             .count = to.width,
                                             .other_is_enlarged = are_rows_enlarged},
                                            filter);
      const Taps rows = antialiased_taps({.source = from.height,
                                          .scaled = to.height,
                                          .first = 0,
                                          .count = to.height,
                                          .other_is_enlarged = are_columns_enlarged},
                                         filter);
      EXPECT_EQ(scaled(picture, {.part = {.scaled = to, .size = to}, .interpolation = filter}),
                weighted(weighted(picture, columns, true), rows, false))
          << "filter " << static_cast<int>(filter) << ", " << to.width << " x " << to.height;
    }
  }
}

/// Each way of scaling, of 50 x 37 pixels.
std::vector<Scaling> all_scalings() {
  std::vector<Scaling> scalings;
  for (const ImageSize size :
       {ImageSize{.height = 21, .width = 30}, {50, 37}, {25, 18}, {90, 80}}) {
    for (const Interpolation interpolation :
         {Interpolation::nearest, Interpolation::bilinear, Interpolation::area}) {
      for (const bool antialias : {true, false})
        scalings.push_back({.part = {.scaled = size, .size = size},
                            .interpolation = interpolation,
                            .antialias = antialias});
    }
  }
  return scalings;
}

TEST(Scaled, RowsMayComeAsManyAtATimeAsTheyLike) {
  const Tensor picture = random_picture({.height = 50, .width = 37}, 1);
  for (const Scaling& scaling : all_scalings())
    EXPECT_EQ(scaled(picture, scaling, {1, 3, 2, 4, 4}), scaled(picture, scaling, {4}));
}

TEST(Scaled, ColoursInReverseAreThoseInOrder) {
  const Tensor picture = random_picture({.height = 50, .width = 37}, 2);
  for (Scaling scaling : all_scalings()) {
    const Tensor in_order = scaled(picture, scaling);
    scaling.colors = ColorOrder::bgr;
    Tensor reversed = scaled(picture, scaling);
    const auto values = reversed.mutable_values<std::uint8_t>();
    for (std::size_t i = 0; i < values.size(); i += 3) std::swap(values[i], values[i + 2]);
    EXPECT_EQ(reversed, in_order);
  }
}

TEST(Scaled, GrayIsOneOfThreeEqualColours) {
  Tensor picture = random_picture({.height = 50, .width = 37}, 3);
  const auto values = picture.mutable_values<std::uint8_t>();
  for (std::size_t i = 0; i < values.size(); i += 3) values[i + 1] = values[i + 2] = values[i];
  for (const Scaling& scaling : all_scalings()) {
    const Tensor colours = scaled(picture, scaling);
    const Tensor gray = scaled(gray_of(picture), scaling);
    for (std::int64_t i = 0; i < gray.size(); ++i) {
      const auto place = static_cast<std::size_t>(i);
      ASSERT_EQ(gray.values<std::uint8_t>()[place], colours.values<std::uint8_t>()[place * 3]);
    }
  }
}

TEST(PairedTaps, AreTheWeightsInTwoParts) {
  const Taps taps{.windows = {{.first = 0, .count = 3}, {.first = 5, .count = 1}},
                  .longest = 3,
                  .weights = {1000000, -5000, 3199304, 1 << kTapBits, 0, 0}};
  const PairedTaps paired(taps, 6);
  ASSERT_EQ(paired.pairs, 2U);
  // The second window would reach beyond pixel 5, so it begins at pixel 2.
  EXPECT_EQ(paired.firsts, (std::vector<int>{0, 2}));
  const auto weight = [&](std::size_t output, std::size_t tap) {
    const auto part = [&](std::size_t which) {
      const std::int32_t both = paired.of(output)[tap / 2 * 2 + which];
      return static_cast<std::int16_t>(tap % 2 == 0 ? both : both >> 16);
    };
    return part(0) * 2048 + part(1);
  };
  const std::vector<int> expected = {1000000, -5000, 3199304, 0, 0, 0, 0, 1 << kTapBits};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(weight(i / 4, i % 4), expected[i]);
}

TEST(PixelsFor, AreAllThatScalingReads) {
  // 100 pixels become 10, of which 4 to 6 are used: 40 to 60, and the filter beyond.
  const PictureRegion region = pixels_for({.scaled = {.height = 10, .width = 200},
                                           .top = 4,
                                           .left = 0,
                                           .size = {.height = 2, .width = 200}},
                                          {.height = 100, .width = 200});
  EXPECT_LE(region.top, 40 - 30);
  EXPECT_GE(region.bottom, 60 + 30);
  EXPECT_EQ(region.left, 0);
  EXPECT_EQ(region.right, 200);
}

}  // namespace
}  // namespace quantsearch
