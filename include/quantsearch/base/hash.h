#pragma once

// Content keys: XXH3-128 over tagged fields. Stage artefacts, data sets and model files are named
// by them.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace quantsearch {

struct Key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Key&) const = default;
  /// 32 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const;
};

/// Streams fields into one key. Every field is preceded by its length, so ("ab", "c") and ("a",
/// "bc") differ.
class KeyBuilder {
 public:
  KeyBuilder();
  ~KeyBuilder();
  KeyBuilder(const KeyBuilder&) = delete;
  KeyBuilder& operator=(const KeyBuilder&) = delete;

  KeyBuilder& add(std::string_view text);
  KeyBuilder& add(const char* text) { return add(std::string_view(text)); }
  KeyBuilder& add(std::span<const std::byte> bytes);
  KeyBuilder& add(std::int64_t value);
  KeyBuilder& add(int value) { return add(static_cast<std::int64_t>(value)); }
  KeyBuilder& add(bool value) { return add(static_cast<std::int64_t>(value)); }
  /// Bit pattern of the value; -0.0 counts as 0.0.
  KeyBuilder& add(double value);
  KeyBuilder& add(const Key& key);
  [[nodiscard]] Key finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch

/// @cond  Doxygen has no page for a class of std.
template <>
struct std::hash<quantsearch::Key> {
  std::size_t operator()(const quantsearch::Key& key) const noexcept { return key.low; }
};
/// @endcond
