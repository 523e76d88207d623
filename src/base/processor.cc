#include "quantsearch/base/processor.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/arm_features.h"
#include "base/x86_features.h"
#include "quantsearch/base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace quantsearch {

namespace {

#if defined(__x86_64__)

struct Registers {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Registers registers;  // stay zero when the leaf does not exist
  __get_cpuid_count(leaf, subleaf, &registers.eax, &registers.ebx, &registers.ecx, &registers.edx);
  return registers;
}

std::uint64_t read_xcr0() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

/// The brand string lies in three leaves, padded with blanks and zeros.
std::string brand() {
  std::array<char, 49> text{};
  for (std::uint32_t part = 0; part < 3; ++part) {
    const Registers registers = cpuid(0x8000'0002 + part, 0);
    std::memcpy(text.data() + std::size_t{16} * part, &registers, sizeof registers);
  }
  const std::string padded(text.data());
  const std::size_t first = padded.find_first_not_of(' ');
  return first == std::string::npos
             ? ""
             : padded.substr(first, padded.find_last_not_of(' ') + 1 - first);
}

Processor look() {
  constexpr std::uint32_t kXcr0IsReadable = 1U << 27;
  CpuidWords words;
  words.leaf1_ecx = cpuid(1, 0).ecx;
  const Registers extended = cpuid(7, 0);
  words.leaf7_ebx = extended.ebx;
  words.leaf7_ecx = extended.ecx;
  words.leaf7_edx = extended.edx;
  if (extended.eax >= 1) words.leaf7_1_eax = cpuid(7, 1).eax;
  if ((words.leaf1_ecx & kXcr0IsReadable) != 0) words.xcr0 = read_xcr0();
  return {.architecture = "x86_64", .model = brand(), .features = x86_features(words)};
}

#elif defined(__aarch64__) && defined(__linux__)

Processor look() {
  return {.architecture = "aarch64",
          .model = "",
          .features = arm_features({.hwcap = getauxval(AT_HWCAP), .hwcap2 = getauxval(AT_HWCAP2)})};
}

#elif defined(__aarch64__)

Processor look() { return {.architecture = "aarch64", .model = "", .features = {}}; }

#else

Processor look() { return {.architecture = "unknown", .model = "", .features = {}}; }

#endif

const Value& member(const Value& value, const char* key) {
  const Value* const found = value.find(key);
  if (found == nullptr)
    throw InvalidInput(
        fmt::format("processor: got no '{}', expected architecture, model and features", key));
  return *found;
}

}  // namespace

const Processor& this_processor() {
  static const Processor kProcessor = look();
  return kProcessor;
}

bool multiplies_without_saturation(const Processor& processor) {
  if (processor.architecture != "x86_64") return true;
  return std::ranges::any_of(processor.features, [](const std::string& feature) {
    return feature == "avx512_vnni" || feature == "avx_vnni" || feature == "amx_int8";
  });
}

std::string to_string(const Processor& processor) {
  std::string text = processor.model.empty()
                         ? processor.architecture
                         : fmt::format("{} ({})", processor.model, processor.architecture);
  if (!processor.features.empty())
    text += fmt::format(" with {}", fmt::join(processor.features, ", "));
  return text + (multiplies_without_saturation(processor)
                     ? ": 8-bit products are added in 32 bits"
                     : ": pairs of 8-bit products are added in 16 bits, which saturate");
}

Value to_value(const Processor& processor) {
  return Value::Map{{"architecture", processor.architecture},
                    {"model", processor.model},
                    {"features", Value::List(processor.features.begin(), processor.features.end())},
                    {"multiplies_without_saturation", multiplies_without_saturation(processor)}};
}

Processor processor_from(const Value& value) {
  Processor processor{.architecture = member(value, "architecture").as_string(),
                      .model = member(value, "model").as_string(),
                      .features = {}};
  for (const Value& feature : member(value, "features").as_list())
    processor.features.push_back(feature.as_string());
  return processor;
}

}  // namespace quantsearch
