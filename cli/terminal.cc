#include "terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "quantsearch/internal/report/text.h"

namespace quantsearch::cli {

namespace {

constexpr std::size_t kFewest = 40;  // narrower lines would have a word each

std::optional<std::size_t> columns_variable() {
  const char* const text = std::getenv("COLUMNS");
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  std::size_t columns = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), columns);
  if (error != std::errc() || end != digits.data() + digits.size() || columns == 0)
    return std::nullopt;
  return columns;
}

}  // namespace

std::size_t columns_at(int descriptor) {
  winsize size = {};
  std::size_t columns = kTextColumns;
  if (const auto given = columns_variable()) {
    columns = *given;
  } else if (isatty(descriptor) != 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0 &&
             size.ws_col > 0) {
    columns = size.ws_col;
  }
  return std::max(columns, kFewest);
}

void print_wrapped(std::string_view text, std::size_t indent) {
  fmt::print("{}", wrapped(text, {.width = columns_at(STDOUT_FILENO), .indent = indent}));
}

void print_message(std::string_view message) {
  if (isatty(STDERR_FILENO) != 0) {
    fmt::print(stderr, "{}", wrapped(message, {.width = columns_at(STDERR_FILENO), .indent = 2}));
  } else {
    fmt::print(stderr, "{}\n", message);
  }
}

}  // namespace quantsearch::cli
