#include "quantsearch/internal/media/sound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "media/expected.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::expected_arrays;
using testing::largest_difference;
using testing::media_file;

Sound decoded_sound(const std::string& content) {
  return decode_wav(std::as_bytes(std::span(content)));
}

std::string sound_fault(const std::string& content) {
  try {
    (void)decoded_sound(content);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

Tensor sound_row(const std::vector<float>& samples) {
  return Tensor::of<float>({static_cast<std::int64_t>(samples.size())}, samples);
}

TEST(DecodeWav, MixesEveryCodingToMono) {
  const auto expected = expected_arrays("sound:");
  EXPECT_EQ(expected.size(), 5U);
  for (const auto& [name, samples] : expected) {
    const Sound sound = decoded_sound(read_file(media_file("sound_" + name + ".wav")));
    EXPECT_EQ(sound.sample_rate, 44100);
    EXPECT_LE(largest_difference(sound_row(sound.samples), samples), 6e-8)
        << name;  // one float32 step
  }
}

TEST(DecodeWav, SaysWhatIsWrong) {
  const std::string whole = read_file(media_file("sound_16.wav"));
  EXPECT_EQ(sound_fault(""), "it is empty");
  EXPECT_EQ(sound_fault("fLaC"), "it is no WAV file");
  EXPECT_EQ(sound_fault(whole.substr(0, whole.size() - 100)),
            "it has 5900 bytes of samples, its header says 6000");
  EXPECT_EQ(sound_fault(whole.substr(0, 40)), "it has no WAV data");
  std::string law = whole;
  law[20] = 7;  // mu-law
  EXPECT_EQ(sound_fault(law),
            "its WAV coding is 7 with 16 bits, expected PCM (1) with 8, 16, 24 or 32 bits or "
            "floating point (3) with 32 or 64");
}

TEST(DecodeWav, AnUnknownLengthReachesToTheEnd) {
  std::string piped = read_file(media_file("sound_16.wav"));
  const std::size_t place = piped.find("data") + 4;
  piped.replace(place, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(decoded_sound(piped).samples.size(), 1500U);
}

TEST(Resampled, GivesTheValuesOfScipy) {
  const std::vector<float> samples =
      decoded_sound(read_file(media_file("sound_float.wav"))).samples;
  const auto expected = expected_arrays("resampled:");
  EXPECT_EQ(expected.size(), 5U);
  for (const auto& [name, made] : expected) {
    const int from = std::stoi(name);
    const int to = std::stoi(name.substr(name.find('_') + 1));
    EXPECT_LE(largest_difference(sound_row(resampled(samples, from, to)), made), 1e-6) << name;
  }
}

TEST(Resampled, KeepsAToneBelowBothNyquistFrequenciesAndRemovesOneAbove) {
  constexpr double kTurn = 2 * std::numbers::pi;
  std::vector<float> low;
  std::vector<float> high;
  for (int i = 0; i < 4800; ++i) {
    low.push_back(static_cast<float>(std::sin(kTurn * 1000 * i / 48000)));
    high.push_back(static_cast<float>(std::sin(kTurn * 12000 * i / 48000)));
  }
  const std::vector<float> kept = resampled(low, 48000, 16000);
  const std::vector<float> removed = resampled(high, 48000, 16000);
  ASSERT_EQ(kept.size(), 1600U);
  for (std::size_t i = 100; i < 1500; ++i) {
    EXPECT_NEAR(kept[i], std::sin(kTurn * 1000 * static_cast<double>(i) / 16000), 2e-3);
    EXPECT_NEAR(removed[i], 0, 2e-3);
  }
}

TEST(Resampled, TheSameRateIsLeftAlone) {
  EXPECT_EQ(resampled(std::vector<float>{1, 2, 3}, 8000, 8000), (std::vector<float>{1, 2, 3}));
}

}  // namespace
}  // namespace quantsearch
