// Decoding and scaling beside Pillow and OpenCV, and by hand.

#include "quantsearch/internal/media/picture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "media/expected.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::expected_arrays;
using testing::largest_difference;
using testing::media_file;

Picture decoded_picture(const std::string& file_content) {
  return decode_picture(std::as_bytes(std::span(file_content)));
}

Tensor pixels_of(const Picture& picture) {
  const ImageSize size = picture.size();
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < size.height; ++y) {
    for (std::size_t i = 0; i < picture.row_bytes(); ++i) {
      if (picture.pixel_bytes() == 1 || i % 4 != 3) pixels.push_back(picture.row(y)[i]);
    }
  }
  if (picture.pixel_bytes() == 1)
    return Tensor::of<std::uint8_t>({size.height, size.width}, pixels);
  return Tensor::of<std::uint8_t>({size.height, size.width, 3}, pixels);
}

std::string picture_fault(const std::string& file_content) {
  try {
    (void)decoded_picture(file_content);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

TEST(DecodePicture, GivesThePixelsOfPillow) {
  const auto expected = expected_arrays("decoded:");
  EXPECT_EQ(expected.size(), 24U);
  for (const auto& [name, pixels] : expected) {
    const Picture picture = decoded_picture(read_file(media_file(name)));
    EXPECT_LE(largest_difference(pixels_of(picture), pixels), 1) << name;
  }
}

TEST(DecodePicture, APartHasThePixelsOfTheWhole) {
  for (const char* const name : {"cat.jpg", "full_chroma.jpg", "progressive.jpg", "gray.jpg",
                                 "cmyk.jpg", "turned_6.jpg", "cat.png", "cat.webp"}) {
    const std::string file = read_file(media_file(name));
    const Picture whole = decoded_picture(file);
    const ImageSize size = whole.size();
    const PictureRegion region{.top = size.height * 2 / 5,
                               .left = size.width * 2 / 5,
                               .bottom = size.height * 3 / 5,
                               .right = size.width * 3 / 5};
    const Picture part = decode_picture(std::as_bytes(std::span(file)), [&](ImageSize given) {
      EXPECT_EQ(given, size);
      return region;
    });
    ASSERT_EQ(part.size(), size);
    for (int y = region.top; y < region.bottom; ++y) {
      const std::uint8_t* const expected = whole.row(y);
      EXPECT_TRUE(std::equal(expected + region.left * 4, expected + region.right * 4,
                             part.row(y) + region.left * 4))
          << name << " row " << y;
    }
  }
}

TEST(DecodePicture, ATruncatedFileIsAnErrorWhenOnlyAPartIsNeeded) {
  const std::string whole = read_file(media_file("cat.jpg"));
  const std::string truncated = whole.substr(0, whole.size() - 40);
  EXPECT_THROW((void)decode_picture(std::as_bytes(std::span(truncated)),
                                    [](ImageSize size) {
                                      return PictureRegion{.bottom = size.height / 2,
                                                           .right = size.width};
                                    }),
               InvalidInput);
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

TEST(DecodePicture, TurnsAPictureUpright) {
  const Tensor upright = pixels_of(decoded_picture(read_file(media_file("turned_1.jpg"))));
  const Tensor turned = pixels_of(decoded_picture(read_file(media_file("turned_6.jpg"))));
  ASSERT_EQ(upright.shape(), (Shape{17, 24, 3}));
  ASSERT_EQ(turned.shape(), (Shape{24, 17, 3}));
  // Orientation 6 is turned by 90 degrees: what is stored on the left is shown on top.
  for (std::int64_t y = 0; y < 24; ++y) {
    for (std::int64_t x = 0; x < 17; ++x) {
      const auto from = static_cast<std::size_t>(((16 - x) * 24 + y) * 3);
      const auto to = static_cast<std::size_t>((y * 17 + x) * 3);
      ASSERT_EQ(turned.values<std::uint8_t>()[to], upright.values<std::uint8_t>()[from]);
    }
  }
}

TEST(DecodePicture, ATruncatedFileIsAnError) {
  for (const char* const name : {"cat.jpg", "progressive.jpg", "cat.png", "cat.webp"}) {
    const std::string whole = read_file(media_file(name));
    for (const std::size_t bytes : {whole.size() / 4, whole.size() / 2, whole.size() - 40})
      EXPECT_NE(picture_fault(whole.substr(0, bytes)), "no error") << name << " " << bytes;
  }
}

TEST(DecodePicture, SaysWhatAFileIsNot) {
  EXPECT_EQ(picture_fault(""), "it is empty");
  EXPECT_EQ(picture_fault("GIF89a"), "it is no JPEG, PNG or WebP file");
  EXPECT_EQ(picture_fault(read_file(media_file("sound_16.wav"))),
            "it is no JPEG, PNG or WebP file");
  const std::string jpeg = read_file(media_file("cat.jpg"));
  EXPECT_EQ(picture_fault(jpeg.substr(0, jpeg.size() / 2)),
            "libjpeg says 'Premature end of JPEG file'");
  const std::string png = read_file(media_file("cat.png"));
  EXPECT_EQ(picture_fault(png.substr(0, png.size() / 2)), "libpng says 'the file ends too early'");
}

TEST(DecodePicture, DamagedBytesNeverPassTheEndOfThePicture) {
  for (const char* const name :
       {"cat.jpg", "progressive.jpg", "palette.png", "cat.webp", "turned_6.jpg"}) {
    const std::string whole = read_file(media_file(name));
    for (std::size_t place = 0; place < whole.size(); place += 7) {
      std::string damaged = whole;
      damaged[place] = static_cast<char>(damaged[place] ^ 0x55);
      (void)picture_fault(damaged);
    }
  }
}

TEST(ToGray, WeighsColoursByTheirBrightness) {
  Picture picture({.height = 1, .width = 4}, 4);
  const std::vector<std::uint8_t> pixels = {255, 0, 0, 9, 0, 255, 0, 9, 0, 0, 255, 9, 7, 7, 7, 9};
  std::ranges::copy(pixels, picture.row(0));
  // 0.299, 0.587 and 0.114 of 255; gray stays.
  EXPECT_EQ(pixels_of(to_gray(picture)), Tensor::of<std::uint8_t>({1, 4}, {76, 150, 29, 7}));
}

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

Picture cat() { return decoded_picture(read_file(media_file("cat.png"))); }

Tensor scaled_whole(const Picture& picture, const ScaledCase& wanted, bool antialias) {
  return pixels_of(scaled(picture, {.scaled = wanted.size, .size = wanted.size},
                          wanted.interpolation, antialias));
}

// Pillow 13 scales columns before rows where it expects that to be faster, here at 160 x 37;
// rounding between the passes then differs by at most one level.
double pillow_tolerance(const std::string& name) { return name.ends_with("160x37") ? 1 : 0; }

TEST(Scaled, AntialiasedIsPillowBitForBitInTheSameOrderOfPasses) {
  const Picture picture = cat();
  const Picture gray = to_gray(picture);
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
  const Picture picture = cat();
  const auto expected = expected_arrays("opencv:");
  EXPECT_EQ(expected.size(), 18U);
  for (const auto& [name, pixels] : expected)
    EXPECT_LE(largest_difference(scaled_whole(picture, case_of(name), false), pixels), 1) << name;
}

TEST(Scaled, HalvedByBilinearFilterIsTheHandComputedSum) {
  // A triangle of width 4 over 4 pixels: weights 1, 3, 3, 1 of 8; at the border 3, 3, 1 of 7.
  Picture row({.height = 1, .width = 4}, 1);
  std::ranges::copy(std::vector<std::uint8_t>{10, 20, 40, 80}, row.row(0));
  EXPECT_EQ(scaled_whole(row, {.interpolation = Interpolation::bilinear, .size = {1, 2}}, true),
            Tensor::of<std::uint8_t>({1, 2}, {19, 54}));
}

TEST(Scaled, APartIsThatPartOfTheWhole) {
  const Picture picture = cat();
  for (const bool antialias : {true, false}) {
    const ScaledPart part{.scaled = {.height = 61, .width = 83},
                          .top = 7,
                          .left = 30,
                          .size = {.height = 40, .width = 31}};
    const Tensor whole = scaled_whole(
        picture, {.interpolation = Interpolation::bilinear, .size = part.scaled}, antialias);
    const Tensor cut = pixels_of(scaled(picture, part, Interpolation::bilinear, antialias));
    ASSERT_EQ(cut.shape(), (Shape{40, 31, 3}));
    for (std::size_t y = 0; y < 40; ++y) {
      for (std::size_t i = 0; i < 31 * 3; ++i) {
        ASSERT_EQ(cut.values<std::uint8_t>()[y * 31 * 3 + i],
                  whole.values<std::uint8_t>()[((y + 7) * 83 + 30) * 3 + i]);
      }
    }
  }
}

}  // namespace
}  // namespace quantsearch
