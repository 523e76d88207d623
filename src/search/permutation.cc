#include "search/permutation.h"

#include <bit>

#include "quantsearch/base/random.h"

namespace quantsearch {

namespace {

// Finalizer of SplitMix64 (Steele, Lea & Flood 2014).
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

Permutation::Permutation(std::int64_t size, std::uint64_t seed)
    : size_(size),
      half_bits_((static_cast<int>(std::bit_width(static_cast<std::uint64_t>(size - 1))) + 1) / 2) {
  RandomStream random(seed, 0, "permutation");
  for (std::uint64_t& key : round_keys_) key = random.next();
}

std::uint64_t Permutation::encrypt(std::uint64_t block) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = block >> half_bits_;
  std::uint64_t right = block & mask;
  for (const std::uint64_t key : round_keys_) {
    const std::uint64_t next = left ^ (mix(right ^ key) & mask);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

std::int64_t Permutation::at(std::int64_t position) const {
  auto block = static_cast<std::uint64_t>(position);
  do {
    block = encrypt(block);
  } while (block >= static_cast<std::uint64_t>(size_));
  return static_cast<std::int64_t>(block);
}

}  // namespace quantsearch
