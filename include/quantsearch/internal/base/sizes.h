#pragma once

#include <cstddef>
#include <cstdint>

namespace quantsearch {

/// A count or an index of a model, which ONNX stores as int64, as the type that containers take.
/// The value is not negative.
[[nodiscard]] constexpr std::size_t to_size(std::int64_t value) noexcept {
  return static_cast<std::size_t>(value);
}

}  // namespace quantsearch
