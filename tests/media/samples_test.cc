// From a file to the tensor of a model's input: presets beside their own libraries, shapes, and
// inputs that cannot be fed.

#include <gtest/gtest.h>

#include "media/expected.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/media/sample_maker.h"

namespace quantsearch {
namespace {

using testing::expected_arrays;
using testing::largest_difference;
using testing::media_file;
using Sizes = std::vector<std::optional<std::int64_t>>;

constexpr std::optional<std::int64_t> kOpen;

std::vector<Tensor> samples_of(const std::string& file, const Value& preprocess,
                               const MediaInput& input) {
  const std::string content = read_file(media_file(file));
  const auto maker = sample_maker(parse_preprocess(preprocess), input);
  std::vector<Tensor> samples;
  for (const Tensor& kept : maker->keep(std::as_bytes(std::span(content))).samples)
    samples.push_back(maker->make(kept));
  return samples;
}

Tensor sample_of(const std::string& file, const Value& preprocess, const Sizes& sizes,
                 DataType type = DataType::float32) {
  return samples_of(file, preprocess, {.name = "x", .type = type, .dimensions = sizes}).at(0);
}

std::string input_fault(const Value& preprocess, const Sizes& sizes,
                        DataType type = DataType::float32) {
  try {
    (void)sample_maker(parse_preprocess(preprocess),
                       {.name = "x", .type = type, .dimensions = sizes});
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

/// One level of a pixel divided by the smallest std, and a little for rounding to float32.
constexpr double kLevel = 1.0 / 255 / 0.224 + 1e-6;

TEST(Samples, PresetsGiveTheTensorsOfTheirOwnLibraries) {
  for (const std::string name : {"cat", "woman"}) {
    const auto check = [&](const std::string& preset, const Value& preprocess, const Sizes& sizes,
                           double tolerance) {
      const Tensor expected = expected_arrays(preset + ":" + name).at("");
      EXPECT_LE(largest_difference(sample_of(name + ".png", preprocess, sizes), expected),
                tolerance)
          << preset << " " << name;
    };
    check("imagenet", "imagenet", {kOpen, 3, 28, 28}, 1e-6);
    check("clip", "clip", {1, 3, 29, 29}, 1e-6);
    check("yolo", "yolo", {kOpen, 3, 64, 64}, 1.0 / 255 + 1e-6);
    check("paddleocr", "paddleocr", {kOpen, 3, 24, 40}, 2.0 / 255 + 1e-6);
    check("paddleocr_open",
          Value::Map{{"preset", "paddleocr"}, {"default_size", Value::List{24, 30}}},
          {kOpen, 3, 24, kOpen}, 2.0 / 255 + 1e-6);
    check("paddleocr_det", Value::Map{{"preset", "paddleocr_det"}, {"size", 80}},
          {kOpen, 3, kOpen, kOpen}, kLevel);
  }
}

TEST(Samples, OpenSizesAreThoseOfThePreset) {
  EXPECT_EQ(sample_of("cat.png", "imagenet", {kOpen, 3, kOpen, kOpen}).shape(),
            (Shape{1, 3, 224, 224}));
  EXPECT_EQ(sample_of("cat.png", "yolo", {kOpen, 3, kOpen, kOpen}).shape(),
            (Shape{1, 3, 640, 640}));
  // 100 x 150 pixels: twice 48 high and 72 wide, which is padded.
  EXPECT_EQ(sample_of("cat.png", "paddleocr", {kOpen, 3, kOpen, kOpen}).shape(),
            (Shape{1, 3, 48, 320}));
  EXPECT_EQ(sample_of("cat.png", "imagenet", {3, 20, 10}).shape(), (Shape{3, 20, 10}));
}

ImagePlacing placing_of(const Value& preprocess, ImageSize image) {
  return sample_maker(parse_preprocess(preprocess), {.name = "x", .dimensions = {1, 3, 32, 64}})
      ->placing(image);
}

TEST(Samples, SayWhereTheImageIs) {
  // 100 x 60 pixels fit with a ratio of 32 / 60: 53 x 32, and 5 pixels to the left.
  const ImageSize image{.height = 60, .width = 100};
  const ImageSize sample{.height = 32, .width = 64};
  EXPECT_EQ(placing_of("yolo", image), (ImagePlacing{.image = image,
                                                     .sample = sample,
                                                     .scale_x = 0.53,
                                                     .scale_y = 32.0 / 60,
                                                     .left = 5,
                                                     .how = "resize: letterbox, place: center"}));
  EXPECT_EQ(placing_of(Value::Map{{"preset", "yolo"}, {"place", "top_left"}}, image),
            (ImagePlacing{.image = image,
                          .sample = sample,
                          .scale_x = 0.53,
                          .scale_y = 32.0 / 60,
                          .how = "resize: letterbox, place: top_left"}));
  EXPECT_EQ(placing_of(Value::Map{{"resize", "exact"}}, image),
            (ImagePlacing{.image = image,
                          .sample = sample,
                          .scale_x = 0.64,
                          .scale_y = 32.0 / 60,
                          .how = "resize: exact"}));
  // Scaled to 64 x 38, of which the middle is cut out.
  EXPECT_EQ(placing_of(Value::Map{{"resize", "shorter"}}, image),
            (ImagePlacing{.image = image,
                          .sample = sample,
                          .scale_x = 0.64,
                          .scale_y = 38.0 / 60,
                          .top = -3,
                          .how = "resize: shorter"}));
  EXPECT_EQ(placing_of(Value::Map{{"resize", "none"}}, image),
            (ImagePlacing{.image = image, .sample = image, .how = "resize: none"}));
}

TEST(Samples, AnImageIsAsLargeAsItIsUpright) {
  const auto maker =
      sample_maker(parse_preprocess("yolo"), {.name = "x", .dimensions = {1, 3, 32, 64}});
  const std::string file = read_file(media_file("turned_6.jpg"));
  EXPECT_EQ(maker->keep(std::as_bytes(std::span(file))).image,
            (ImageSize{.height = 24, .width = 17}));
}

TEST(Samples, LayoutIsThatOfTheModel) {
  const Tensor planar = sample_of("cat.png", "imagenet", {kOpen, 3, 8, 8});
  const Tensor packed = sample_of("cat.png", "imagenet", {kOpen, 8, 8, 3});
  ASSERT_EQ(packed.shape(), (Shape{1, 8, 8, 3}));
  for (std::size_t pixel = 0; pixel < 64; ++pixel) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      ASSERT_EQ(packed.values<float>()[pixel * 3 + channel],
                planar.values<float>()[channel * 64 + pixel]);
    }
  }
  EXPECT_EQ(sample_of("cat.png", Value::Map{{"preset", "imagenet"}, {"layout", "NHWC"}},
                      {kOpen, kOpen, kOpen, kOpen})
                .shape(),
            (Shape{1, 224, 224, 3}));
}

TEST(Samples, ColoursAreOrderedAndMadeGray) {
  const Value::Map plain = {{"resize", "none"}, {"scale", 1}};
  const auto with = [&](const char* colors) {
    Value::Map keys = plain;
    keys.emplace_back("colors", colors);
    return Value(keys);
  };
  const Tensor rgb = sample_of("turned_1.jpg", with("RGB"), {kOpen, 3, kOpen, kOpen});
  const Tensor bgr = sample_of("turned_1.jpg", with("BGR"), {kOpen, 3, kOpen, kOpen});
  const Tensor gray = sample_of("turned_1.jpg", with("gray"), {kOpen, 1, kOpen, kOpen});
  const std::size_t plane = 17 * 24;
  ASSERT_EQ(gray.shape(), (Shape{1, 1, 17, 24}));
  for (std::size_t i = 0; i < plane; ++i) {
    const float red = rgb.values<float>()[i];
    const float green = rgb.values<float>()[plane + i];
    const float blue = rgb.values<float>()[2 * plane + i];
    ASSERT_EQ(bgr.values<float>()[i], blue);
    ASSERT_EQ(bgr.values<float>()[plane + i], green);
    ASSERT_EQ(bgr.values<float>()[2 * plane + i], red);
    ASSERT_NEAR(gray.values<float>()[i], 0.299F * red + 0.587F * green + 0.114F * blue, 0.51);
  }
  // Left open, the channels of the input decide.
  EXPECT_EQ(sample_of("turned_1.jpg", Value::Map{{"resize", "none"}, {"colors", Value()}},
                      {kOpen, 1, kOpen, kOpen})
                .shape(),
            (Shape{1, 1, 17, 24}));
}

TEST(Samples, Uint8IsThePixelAndFloat16ItsRoundedValue) {
  const Value none(Value::Map{{"resize", "none"}});
  const Tensor pixels = sample_of("cat.png", none, {kOpen, kOpen, kOpen, 3}, DataType::uint8);
  EXPECT_EQ(pixels.reshaped({100, 150, 3}), expected_arrays("decoded:cat.png").at(""));
  const Tensor half = sample_of("cat.png", "imagenet", {kOpen, 3, 8, 8}, DataType::float16);
  EXPECT_EQ(half, convert(sample_of("cat.png", "imagenet", {kOpen, 3, 8, 8}), DataType::float16));
}

TEST(Samples, PaddingIsAPixelOrZero) {
  const Value::Map letterbox = {
      {"resize", "letterbox"}, {"scale", 1}, {"mean", 100}, {"place", "top_left"}};
  Value::Map gray = letterbox;
  gray.emplace_back("pad_value", 7);
  const Tensor zero = sample_of("cat.png", letterbox, {1, 3, 12, 12});
  const Tensor seven = sample_of("cat.png", gray, {1, 3, 12, 12});
  // 150 x 100 becomes 12 x 8 at the top.
  EXPECT_EQ(zero.values<float>()[8 * 12], 0);
  EXPECT_EQ(seven.values<float>()[8 * 12], -93);
  EXPECT_EQ(zero.values<float>()[7 * 12], seven.values<float>()[7 * 12]);
}

TEST(Samples, AnInputThatIsNoImageIsRefused) {
  EXPECT_EQ(input_fault("imagenet", {kOpen, 10}),
            "preprocess: the model's input 'x' float32 [?, 10] is no image; expected 4 dimensions "
            "such as [N, 3, 224, 224], or 3 without N");
  EXPECT_EQ(input_fault("imagenet", {kOpen, 4, 224, 224}),
            "preprocess: the model's input 'x' float32 [?, 4, 224, 224] has no axis of 1 or 3 "
            "channels, as images have; make the samples yourself and give them as an .npz");
  EXPECT_EQ(input_fault("imagenet", {kOpen, 1, 28, 28}),
            "preprocess: the model's input 'x' float32 [?, 1, 28, 28] takes 1 channels and "
            "'colors: RGB' gives 3; set 'colors: gray'");
  EXPECT_EQ(input_fault(Value::Map{{"preset", "imagenet"}, {"colors", "gray"}}, {kOpen, 1, 28, 28}),
            "preprocess: the model's input 'x' float32 [?, 1, 28, 28] takes gray images and "
            "'mean' has 3 numbers; give one");
  EXPECT_EQ(input_fault(Value::Map{{"preset", "imagenet"}, {"size", 256}}, {kOpen, 3, 224, 224}),
            "preprocess: the model's input 'x' float32 [?, 3, 224, 224] has 224 where 'size' says "
            "256; leave out 'size'");
  EXPECT_EQ(input_fault(Value::Map{{"mean", 0.5}}, {kOpen, 3, kOpen, kOpen}),
            "preprocess: the model's input 'x' float32 [?, 3, ?, ?] leaves height and width open; "
            "give 'size: [height, width]'");
  EXPECT_EQ(input_fault("imagenet", {kOpen, 3, 8, 8}, DataType::uint8),
            "preprocess: the model's input 'x' uint8 [?, 3, 8, 8] takes the pixels as they are; "
            "set 'mean' and 'std' to null");
  EXPECT_EQ(input_fault("yolo", {kOpen, 3, 8, 8}, DataType::int64),
            "preprocess: the model's input 'x' int64 [?, 3, 8, 8] takes no float32, float16 or "
            "uint8, which images become; give an .npz");
  EXPECT_EQ(input_fault(Value::Map{{"dtype", "float16"}}, {kOpen, 3, 8, 8}),
            "preprocess: the model's input 'x' float32 [?, 3, 8, 8] does not take float16; leave "
            "out 'dtype'");
}

TEST(Samples, SoundsAreCutPaddedOrChunked) {
  const MediaInput input{.name = "x", .dimensions = {kOpen, 1, 1000}};
  const Value::Map same_rate = {{"sample_rate", 44100}};
  const Tensor all = expected_arrays("sound:16").at("");
  const std::vector<Tensor> cropped = samples_of("sound_16.wav", same_rate, input);
  ASSERT_EQ(cropped.size(), 1U);
  EXPECT_EQ(cropped[0].reshaped({1000}), all.rows(0, 1000));
  EXPECT_EQ(cropped[0].shape(), (Shape{1, 1, 1000}));
  Value::Map chunked = same_rate;
  chunked.emplace_back("fit", "chunks");
  const std::vector<Tensor> chunks = samples_of("sound_16.wav", chunked, input);
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0], cropped[0]);
  EXPECT_EQ(chunks[1].reshaped({1000}).rows(0, 500), all.rows(1000, 500));
  EXPECT_EQ(chunks[1].values<float>()[500], 0);
  // Without a length anywhere, the whole sound.
  EXPECT_EQ(
      samples_of("sound_16.wav", same_rate, {.name = "x", .dimensions = {1, kOpen}})[0].shape(),
      (Shape{1, 1500}));
  EXPECT_EQ(
      samples_of("sound_16.wav", "speech", {.name = "x", .dimensions = {kOpen, kOpen}})[0].shape(),
      (Shape{1, 545}));
  EXPECT_EQ(samples_of("sound_16.wav", same_rate, {.name = "x", .dimensions = {kOpen, 1600, 1}})[0]
                .shape(),
            (Shape{1, 1600, 1}));
}

TEST(Samples, AnInputThatIsNoSoundIsRefused) {
  EXPECT_EQ(input_fault("speech", {kOpen, 80, 800}),
            "preprocess: the model's input 'x' float32 [?, 80, 800] has several axes; expected one "
            "of samples, such as [N, 16000]");
  EXPECT_EQ(
      input_fault("speech", {}),
      "preprocess: the model's input 'x' float32 [] is no sound; expected an axis of samples, "
      "such as [N, 16000]");
  EXPECT_EQ(input_fault(Value::Map{{"preset", "speech"}, {"length", 10}}, {kOpen, 20}),
            "preprocess: the model's input 'x' float32 [?, 20] has 20 samples where 'length' says "
            "10; leave it out");
  EXPECT_EQ(input_fault(Value::Map{{"preset", "speech"}, {"fit", "chunks"}}, {kOpen, kOpen}),
            "preprocess: the model's input 'x' float32 [?, ?] leaves the number of samples open; "
            "give 'length', or 'fit: crop'");
}

TEST(MediaKind, IsByTheExtensionInAnyCase) {
  EXPECT_EQ(media_kind("a.b.JPEG"), MediaKind::image);
  EXPECT_EQ(media_kind("a.webp"), MediaKind::image);
  EXPECT_EQ(media_kind("a.WAV"), MediaKind::sound);
  EXPECT_FALSE(media_kind("a.csv"));
  EXPECT_FALSE(media_kind("jpg"));
  EXPECT_TRUE(is_foreign_image("a.BMP"));
}

}  // namespace
}  // namespace quantsearch
