#include "quantsearch/internal/base/names.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

namespace quantsearch {

namespace {

constexpr std::size_t kMostShown = 3;    // suggestions
constexpr std::size_t kMostListed = 40;  // known names when none is near

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return result;
}

// Optimal string alignment distance (Damerau 1964, restricted): insert, delete, substitute, swap
// neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitute});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::vector<std::string> quoted(std::span<const std::string> names) {
  std::vector<std::string> result;
  for (const std::string& name : names) result.push_back(fmt::format("'{}'", name));
  return result;
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> known) {
  const std::string wanted = lower(name);
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& candidate : known) {
    const std::string other = lower(candidate);
    std::size_t distance = edit_distance(wanted, other);
    // "conv1" for "/backbone/conv1/Conv": part of a long name counts as near.
    if (wanted.size() >= 3 && other.find(wanted) != std::string::npos)
      distance = std::min<std::size_t>(distance, 2);
    if (distance <= std::max<std::size_t>(2, wanted.size() / 3))
      ranked.emplace_back(distance, candidate);
  }
  std::ranges::stable_sort(ranked, {}, &std::pair<std::size_t, std::string>::first);
  if (ranked.size() > kMostShown) ranked.resize(kMostShown);
  std::vector<std::string> result;
  for (auto& [distance, candidate] : ranked) result.push_back(std::move(candidate));
  return result;
}

std::string unknown_name_message(std::string_view what, std::string_view name,
                                 std::span<const std::string> known) {
  const std::vector<std::string> near = nearest_names(name, known);
  if (!near.empty()) {
    return fmt::format("unknown {} '{}'; nearest known: {}", what, name,
                       fmt::join(quoted(near), ", "));
  }
  const bool cut = known.size() > kMostListed;
  return fmt::format("unknown {} '{}'; known: {}{}", what, name,
                     fmt::join(quoted(cut ? known.first(kMostListed) : known), ", "),
                     cut ? ", …" : "");
}

std::string some_of(std::span<const std::string> names, std::size_t shown) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < shown; ++i)
    text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace quantsearch
