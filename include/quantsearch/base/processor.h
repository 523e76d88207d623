#pragma once

// The processor that runs the program: what its 8-bit integer kernels can do decides whether a
// quantized model computes here what its graph says.

#include <string>
#include <vector>

#include "quantsearch/base/value.h"

namespace quantsearch {

struct Processor {
  std::string architecture;  // "x86_64", "aarch64", or "unknown"
  std::string model;         // as the processor names itself; empty where it does not
  std::vector<std::string>
      features;  // those that matter to 8-bit kernels: "avx2", "avx512_vnni", ...
  bool operator==(const Processor&) const = default;
};

/// Looked at once, when it is first asked for. An emulator shows the processor that it emulates.
[[nodiscard]] const Processor& this_processor();

/// True when products of uint8 and int8 are added in 32 bits: on x86 with VNNI of any kind or AMX,
/// and on every other architecture. Else x86 adds two neighbouring products in 16 bits, which
/// saturate.
[[nodiscard]] bool multiplies_without_saturation(const Processor& processor = this_processor());

/// "NAME (x86_64) with avx2, avx512_vnni: 8-bit products are added in 32 bits".
[[nodiscard]] std::string to_string(const Processor& processor);
/// {architecture, model, features, multiplies_without_saturation}
[[nodiscard]] Value to_value(const Processor& processor);
/// Throws InvalidInput for another form.
[[nodiscard]] Processor processor_from(const Value& value);

}  // namespace quantsearch
