#include "quantsearch/base/hash.h"

#include <fmt/core.h>

#include <bit>

#define XXH_INLINE_ALL  // the library's own switch for header-only use
#include <xxhash.h>

namespace quantsearch {

std::string Key::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

struct KeyBuilder::State {
  XXH3_state_t hash;
};

KeyBuilder::KeyBuilder() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->hash); }
KeyBuilder::~KeyBuilder() = default;

KeyBuilder& KeyBuilder::add(std::span<const std::byte> bytes) {
  const auto length = static_cast<std::uint64_t>(bytes.size());
  XXH3_128bits_update(&state_->hash, &length, sizeof(length));
  XXH3_128bits_update(&state_->hash, bytes.data(), bytes.size());
  return *this;
}

KeyBuilder& KeyBuilder::add(std::string_view text) {
  return add(std::as_bytes(std::span(text.data(), text.size())));
}

KeyBuilder& KeyBuilder::add(std::int64_t value) { return add(std::as_bytes(std::span(&value, 1))); }

KeyBuilder& KeyBuilder::add(double value) {
  return add(std::bit_cast<std::int64_t>(value == 0.0 ? 0.0 : value));
}

KeyBuilder& KeyBuilder::add(const Key& key) {
  return add(static_cast<std::int64_t>(key.high)).add(static_cast<std::int64_t>(key.low));
}

Key KeyBuilder::finish() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(&state_->hash);
  return {.high = digest.high64, .low = digest.low64};
}

}  // namespace quantsearch
