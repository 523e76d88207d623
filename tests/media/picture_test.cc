// Decoding beside Pillow, and by hand.

#include "quantsearch/internal/media/picture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "media/expected.h"
#include "media/pictures.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::decoded;
using testing::expected_arrays;
using testing::gray_of;
using testing::largest_difference;
using testing::media_file;

std::string picture_fault(const std::string& file_content) {
  try {
    (void)decoded(file_content);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

TEST(DecodePicture, GivesThePixelsOfPillow) {
  const auto expected = expected_arrays("decoded:");
  EXPECT_EQ(expected.size(), 26U);
  for (const auto& [name, pixels] : expected) {
    EXPECT_LE(largest_difference(decoded(read_file(media_file(name))), pixels), 1) << name;
  }
}

TEST(DecodePicture, APartHasThePixelsOfTheWhole) {
  for (const char* const name : {"cat.jpg", "full_chroma.jpg", "progressive.jpg", "gray.jpg",
                                 "cmyk.jpg", "turned_6.jpg", "cat.png", "cat.webp"}) {
    const std::string file = read_file(media_file(name));
    const Tensor whole = decoded(file);
    const auto height = static_cast<int>(whole.shape()[0]);
    const auto width = static_cast<int>(whole.shape()[1]);
    const PictureRegion region{.top = height * 2 / 5,
                               .left = width * 2 / 5,
                               .bottom = height * 3 / 5,
                               .right = width * 3 / 5};
    const Tensor part = decoded(file, [&](ImageSize given) {
      EXPECT_EQ(given, (ImageSize{.height = height, .width = width}));
      return region;
    });
    ASSERT_EQ(part.shape(), whole.shape());
    for (int y = region.top; y < region.bottom; ++y) {
      const auto from = static_cast<std::size_t>(y * width + region.left) * 3;
      const auto count = static_cast<std::size_t>(region.right - region.left) * 3;
      EXPECT_TRUE(std::ranges::equal(whole.values<std::uint8_t>().subspan(from, count),
                                     part.values<std::uint8_t>().subspan(from, count)))
          << name << " row " << y;
    }
  }
}

TEST(DecodePicture, ATruncatedFileIsAnErrorWhenOnlyAPartIsNeeded) {
  const std::string whole = read_file(media_file("cat.jpg"));
  const std::string truncated = whole.substr(0, whole.size() - 40);
  EXPECT_THROW((void)decoded(truncated,
                             [](ImageSize size) {
                               return PictureRegion{.bottom = size.height / 2, .right = size.width};
                             }),
               InvalidInput);
}

TEST(DecodePicture, TurnsAPictureUpright) {
  const Tensor upright = decoded(read_file(media_file("turned_1.jpg")));
  const Tensor turned = decoded(read_file(media_file("turned_6.jpg")));
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

Tensor classes_of(const std::string& name) {
  const std::string file = read_file(media_file(name));
  return decode_classes(std::as_bytes(std::span(file)));
}

TEST(DecodeClasses, AreThePixelsAsTheyAreStored) {
  for (const auto& [name, pixels] : expected_arrays("classes:"))
    EXPECT_EQ(classes_of(name), pixels) << name;
  EXPECT_EQ(expected_arrays("classes:").size(), 5U);
}

TEST(DecodeClasses, ColoursAndOtherFilesAreRefused) {
  const auto reason = [](const std::string& name) -> std::string {
    try {
      (void)classes_of(name);
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(reason("cat.png"), "it holds colours, expected gray or a palette");
  EXPECT_EQ(reason("cat.jpg"), "it is no PNG file");
}

TEST(ToGray, WeighsColoursByTheirBrightness) {
  const Tensor picture =
      Tensor::of<std::uint8_t>({1, 4, 3}, {255, 0, 0, 0, 255, 0, 0, 0, 255, 7, 7, 7});
  // 0.299, 0.587 and 0.114 of 255; gray stays.
  EXPECT_EQ(gray_of(picture), Tensor::of<std::uint8_t>({1, 4}, {76, 150, 29, 7}));
}

}  // namespace
}  // namespace quantsearch
