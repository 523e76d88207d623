#include "quantsearch/base/processor.h"

#include <gtest/gtest.h>

#include "base/x86_features.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using Names = std::vector<std::string>;

constexpr std::uint32_t kXcr0IsReadable = 1U << 27;
constexpr std::uint64_t kEverything = 0x6'00e6;

// Haswell: AVX2 alone.
CpuidWords haswell() {
  return {.leaf1_ecx = kXcr0IsReadable, .leaf7_ebx = 1U << 5, .xcr0 = kEverything};
}

CpuidWords sapphire_rapids() {
  return {.leaf1_ecx = kXcr0IsReadable,
          .leaf7_ebx = (1U << 5) | (1U << 16),
          .leaf7_ecx = 1U << 11,
          .leaf7_edx = (1U << 24) | (1U << 25),
          .leaf7_1_eax = 1U << 4,
          .xcr0 = kEverything};
}

TEST(X86Features, AreDecodedFromTheirBits) {
  EXPECT_EQ(x86_features({}), Names{});
  EXPECT_EQ(x86_features(haswell()), Names({"avx2"}));
  EXPECT_EQ(x86_features(sapphire_rapids()),
            Names({"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8"}));
}

TEST(X86Features, NeedAnOperatingSystemThatSavesTheirRegisters) {
  CpuidWords words = sapphire_rapids();
  words.xcr0 = 0x6;
  EXPECT_EQ(x86_features(words), Names({"avx2", "avx_vnni"}));
  words.leaf1_ecx = 0;
  EXPECT_EQ(x86_features(words), Names{});
}

Processor x86_with(Names features) {
  return {.architecture = "x86_64", .model = "Some CPU", .features = std::move(features)};
}

TEST(Processor, AddsIn32BitsWithVnniOfAnyKindOrAmx) {
  EXPECT_FALSE(multiplies_without_saturation(x86_with({})));
  EXPECT_FALSE(multiplies_without_saturation(x86_with({"avx2", "avx512f"})));
  EXPECT_TRUE(multiplies_without_saturation(x86_with({"avx2", "avx512f", "avx512_vnni"})));
  EXPECT_TRUE(multiplies_without_saturation(x86_with({"avx2", "avx_vnni"})));
  EXPECT_TRUE(multiplies_without_saturation(x86_with({"amx_int8"})));
  EXPECT_TRUE(
      multiplies_without_saturation({.architecture = "aarch64", .model = "", .features = {}}));
}

TEST(Processor, IsDescribedInOneLine) {
  EXPECT_EQ(to_string(x86_with({"avx2", "avx_vnni"})),
            "Some CPU (x86_64) with avx2, avx_vnni: 8-bit products are added in 32 bits");
  EXPECT_EQ(
      to_string(x86_with({"avx2"})),
      "Some CPU (x86_64) with avx2: pairs of 8-bit products are added in 16 bits, which saturate");
  EXPECT_EQ(to_string(Processor{.architecture = "aarch64", .model = "", .features = {}}),
            "aarch64: 8-bit products are added in 32 bits");
}

TEST(Processor, SurvivesTheRoundTripThroughAValue) {
  const Processor processor = x86_with({"avx2", "amx_int8"});
  EXPECT_EQ(processor_from(to_value(processor)), processor);
  EXPECT_EQ(to_value(processor).find("multiplies_without_saturation")->as_bool(), true);
  try {
    static_cast<void>(processor_from(Value(Value::Map{{"architecture", "x86_64"}})));
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "processor: got no 'model', expected architecture, model and features");
  }
}

TEST(Processor, ThisProcessorHasAnArchitecture) {
  EXPECT_FALSE(this_processor().architecture.empty());
  EXPECT_EQ(&this_processor(), &this_processor());
}

}  // namespace
}  // namespace quantsearch
