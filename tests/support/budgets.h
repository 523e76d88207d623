#pragma once

// Memory budgets of tests.

#include <cstdint>

namespace quantsearch::testing {

/// Bytes that hold whatever a small model needs.
inline constexpr std::int64_t kPlenty = 1 << 24;

}  // namespace quantsearch::testing
