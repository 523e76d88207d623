#pragma once

// The processor that runs the program. The abilities of its 8-bit integer kernels decide whether a
// quantized model computes on this machine what its graph specifies.

#include <string>
#include <vector>

#include "quantsearch/base/value.h"

namespace quantsearch {

struct Processor {
  std::string architecture;  // "x86_64", "aarch64", or "unknown"
  std::string model;         // the brand string, empty where there is none
  // Those that matter to 8-bit kernels: "avx2", "avx512_vnni", "dotprod", ...
  std::vector<std::string> features;
  bool operator==(const Processor&) const = default;
};

/// Detected once, on the first call. Under an emulator this is the emulated processor.
[[nodiscard]] const Processor& this_processor();

/// True when products of uint8 and int8 are added in 32 bits: on x86 with VNNI of any kind or AMX,
/// and on every other architecture. Other x86 processors add two neighbouring products in 16 bits,
/// which saturate.
[[nodiscard]] bool multiplies_without_saturation(const Processor& processor = this_processor());

/// "NAME (x86_64) with avx2, avx512_vnni: 8-bit products are added in 32 bits".
[[nodiscard]] std::string to_string(const Processor& processor);
/// {architecture, model, features, multiplies_without_saturation}
[[nodiscard]] Value to_value(const Processor& processor);
/// The inverse of to_value(). Throws InvalidInput when a member is missing or has another type.
[[nodiscard]] Processor processor_from(const Value& value);

}  // namespace quantsearch
