#pragma once

// What the main() of every benchmark does with a fault.

#include <fmt/core.h>

#include <exception>
#include <string_view>

namespace quantsearch::bench {

/// The exit code of `run`, a function that returns one; 1 when it throws, with the message on
/// standard error after the name of the program.
template <class Run>
int guarded_main(std::string_view program, const Run& run) {
  try {
    return run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", program, error.what());
    return 1;
  }
}

}  // namespace quantsearch::bench
