#include "quantsearch/internal/report/text.h"

#include <fmt/core.h>

#include <algorithm>

namespace quantsearch {

namespace {

using Row = std::vector<std::string>;

constexpr std::size_t kGap = 2;          // blanks between columns
constexpr std::size_t kDeepIndent = 4;   // of a last column on lines of its own
constexpr std::size_t kFewColumns = 20;  // narrower terminals are treated as this wide

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// The number of bytes of the longest beginning of `text` that fits in `columns`.
std::size_t fitting_bytes(std::string_view text, std::size_t columns) {
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!continues_character(text[at]) && used++ == columns) return at;
  }
  return text.size();
}

/// The number of bytes of `text` for a line of this many columns. `text` is wider than the line.
std::size_t line_bytes(std::string_view text, std::size_t columns) {
  const std::size_t fitting = fitting_bytes(text, columns);
  const std::size_t blank = text.rfind(' ', fitting);
  const bool is_indent = blank == std::string_view::npos ||
                         text.substr(0, blank).find_first_not_of(' ') == blank ||
                         text.substr(0, blank).find_first_not_of(' ') == std::string_view::npos;
  return is_indent ? fitting : blank;
}

std::string without_end_blanks(std::string_view line) {
  const std::size_t last = line.find_last_not_of(' ');
  return std::string(last == std::string_view::npos ? "" : line.substr(0, last + 1));
}

std::vector<std::size_t> widths_of(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], columns_of(row[column]));
  }
  return widths;
}

std::string padded(const std::string& cell, std::size_t width, bool is_left) {
  const std::string blanks(width - columns_of(cell), ' ');
  return is_left ? cell + blanks : blanks + cell;
}

/// The cells of a row but the last of the table.
std::string front_of(const Row& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t column = 0; column + 1 < widths.size(); ++column) {
    line += column > 0 ? std::string(kGap, ' ') : "";
    line += padded(column < row.size() ? row[column] : "", widths[column], column == 0);
  }
  return line;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !continues_character(byte); }));
}

std::string wrapped(std::string_view text, const Paragraph& paragraph) {
  const std::size_t width = std::max(paragraph.width, kFewColumns);
  const std::size_t indent = std::min(paragraph.indent, width / 2);
  std::string lines;
  std::string begin = paragraph.first;
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    while (columns_of(begin) + columns_of(line) > width && columns_of(begin) < width) {
      const std::size_t bytes = line_bytes(line, width - columns_of(begin));
      lines += without_end_blanks(begin + std::string(line.substr(0, bytes))) + '\n';
      line.remove_prefix(std::min(bytes, line.size()));
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      begin = std::string(indent, ' ');
    }
    lines += without_end_blanks(begin + std::string(line)) + '\n';
    if (end == text.size()) return lines;
    text.remove_prefix(end + 1);
    begin.clear();
  }
}

std::string text_table(const std::vector<Row>& rows, std::size_t width) {
  const std::vector<std::size_t> widths = widths_of(rows);
  std::string text;
  for (const Row& row : rows) {
    const std::string front = front_of(row, widths);
    const std::string last = row.size() == widths.size() ? row.back() : "";
    if (last.empty()) {
      text += wrapped(front, {.width = width, .indent = kDeepIndent});
      continue;
    }
    const std::string begin = front + (widths.size() > 1 ? std::string(kGap, ' ') : "");
    const std::size_t used = columns_of(begin);
    if (used + columns_of(last) > width && used + width / 3 > width) {
      text += wrapped(front, {.width = width, .indent = kDeepIndent});
      text += wrapped(
          last, {.width = width, .indent = kDeepIndent, .first = std::string(kDeepIndent, ' ')});
    } else {
      text += wrapped(last, {.width = width, .indent = used, .first = begin});
    }
  }
  return text;
}

}  // namespace quantsearch
