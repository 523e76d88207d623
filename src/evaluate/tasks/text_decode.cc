#include "evaluate/tasks/text_decode.h"

#include <algorithm>
#include <numeric>

namespace quantsearch {

std::vector<std::int64_t> collapse(std::span<const std::int64_t> path, std::int64_t blank) {
  std::vector<std::int64_t> classes;
  std::int64_t previous = blank;
  for (const std::int64_t step : path) {
    if (step != previous && step != blank) classes.push_back(step);
    previous = step;
  }
  return classes;
}

std::int64_t edit_distance(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  // row[j]: the distance of the symbols of `a` so far and the first j of `b`.
  std::vector<std::int64_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::int64_t{0});
  for (const std::int32_t symbol : a) {
    std::int64_t diagonal = row[0]++;
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::int64_t substituted = diagonal + (symbol == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

Symbols code_points(std::string_view text) {
  Symbols points;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xC0 ? 1
                               : first < 0xE0 ? 2
                               : first < 0xF0 ? 3
                               : first < 0xF8 ? 4
                                              : 1;
    const bool is_valid =
        at + length <= text.size() &&
        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                    text.begin() + static_cast<std::ptrdiff_t>(at + length),
                    [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; });
    if (!is_valid || length == 1) {
      points.push_back(first);
      ++at;
      continue;
    }
    std::int32_t point = first & (0xFF >> (length + 1));
    for (std::size_t i = 1; i < length; ++i)
      point = (point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
    points.push_back(point);
    at += length;
  }
  return points;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<Symbols> characters_of(const std::vector<std::string>& lines, std::int64_t classes,
                                   std::int64_t blank) {
  const auto missing = classes - static_cast<std::int64_t>(lines.size());
  if (missing < 0 || missing > 2) return {};
  std::vector<std::string> texts = lines;
  if (missing == 2) texts.emplace_back(" ");
  if (missing > 0) texts.insert(texts.begin() + std::min(blank, classes - 1), "");
  std::vector<Symbols> characters;
  for (const std::string& text : texts) characters.push_back(code_points(text));
  return characters;
}

}  // namespace quantsearch
