#pragma once

// A buffer of floats that is not cleared when it grows, for uses that write every value.

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace quantsearch::reconstruction {

template <typename T>
class UnclearedAllocator : public std::allocator<T> {
 public:
  template <typename U>
  struct rebind {  // NOLINT(readability-identifier-naming): the name that containers look for
    using other = UnclearedAllocator<U>;
  };

  UnclearedAllocator() = default;
  template <typename U>
  explicit(false) UnclearedAllocator(const UnclearedAllocator<U>&) noexcept {}

  /// Called by resize(); leaves the new value uninitialized.
  template <typename U>
  void construct(U* /*at*/) noexcept {
    static_assert(std::is_trivially_default_constructible_v<U>);
  }
  template <typename U, typename... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    std::construct_at(at, std::forward<Arguments>(arguments)...);
  }
};

/// The values that resize() adds are undefined.
using FloatBuffer = std::vector<float, UnclearedAllocator<float>>;

}  // namespace quantsearch::reconstruction
