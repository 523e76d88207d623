#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/media.h"

namespace quantsearch {
namespace {

std::string parse_fault(const Value& value) {
  try {
    (void)parse_preprocess(value);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

ImagePreprocess image_of(const Value& value) {
  return std::get<ImagePreprocess>(parse_preprocess(value));
}

TEST(Preprocess, AKeyBesideThePresetReplacesThatOfThePreset) {
  const ImagePreprocess plain = image_of("imagenet");
  EXPECT_EQ(plain.resize, ResizeMode::shorter);
  EXPECT_EQ(plain.mean, (std::vector<double>{0.485, 0.456, 0.406}));
  ImagePreprocess changed = plain;
  changed.crop_share = 1;
  changed.size = ImageSize{.height = 32, .width = 48};
  changed.colors.reset();
  EXPECT_EQ(image_of(Value::Map{{"preset", "imagenet"},
                                {"crop_share", 1},
                                {"size", Value::List{32, 48}},
                                {"colors", Value()}}),
            changed);
}

TEST(Preprocess, ATextInBracesIsAMapping) {
  EXPECT_EQ(image_of("{preset: yolo, pad_value: 0}"),
            image_of(Value::Map{{"preset", "yolo"}, {"pad_value", 0}}));
}

TEST(Preprocess, WhatIsWrittenReadsBackTheSame) {
  for (const PreprocessPreset& preset : preprocess_presets()) {
    const Preprocess read = parse_preprocess(preset.name);
    EXPECT_EQ(parse_preprocess(to_value(read)), read) << preset.name;
  }
}

TEST(Preprocess, NamesTheNearestKnownPresetAndKey) {
  EXPECT_EQ(parse_fault("imagnet"),
            "unknown preset 'imagnet'; nearest known: 'imagenet'; or give a mapping of keys "
            "(docs/data.md)");
  EXPECT_EQ(parse_fault(Value::Map{{"preset", "yolo"}, {"pad_valu", 3}}),
            "unknown key 'pad_valu'; nearest known: 'pad_value'");
  EXPECT_EQ(parse_fault(Value::Map{{"interpolation", "bilinar"}}),
            "'interpolation': unknown value 'bilinar'; nearest known: 'bilinear'");
}

TEST(Preprocess, RefusesWhatCannotBe) {
  EXPECT_EQ(parse_fault(Value(Value::Map{})),
            "got no key, expected a preset or keys such as 'resize' and 'mean'");
  EXPECT_EQ(parse_fault(Value::Map{{"preset", "speech"}, {"mean", 0.5}}),
            "'mean' is a key for images and 'sample_rate' one for sounds, expected those of one "
            "kind");
  EXPECT_EQ(parse_fault(Value::Map{{"preset", "yolo"}, {"interpolation", "bicubic"}}),
            "'antialias' is false, which only nearest, bilinear and area can be; leave it true");
  EXPECT_EQ(parse_fault(Value::Map{{"preset", "imagenet"}, {"resize", "letterbox"}}),
            "'crop_share' has no effect under this 'resize', expected 'shorter' or 'exact'; change "
            "one of them");
  EXPECT_EQ(parse_fault(Value::Map{{"size", Value::List{1, 2, 3}}}),
            "'size': got a list of 3, expected one number or [height, width]");
  EXPECT_EQ(parse_fault(Value::Map{{"std", 0}}), "'std': got 0, expected numbers above 0");
  EXPECT_EQ(parse_fault(Value::Map{{"pad_value", 256}}), "'pad_value': got 256, expected 0 to 255");
  EXPECT_EQ(parse_fault(Value::Map{{"dtype", "uint8"}, {"mean", 1}}),
            "'dtype' is uint8, whose values are the pixels; leave out 'mean' and 'std'");
  EXPECT_EQ(parse_fault(Value::Map{{"length", 16000}}),
            "'sample_rate' is missing, expected the Hz that the model was trained with");
}

}  // namespace
}  // namespace quantsearch
