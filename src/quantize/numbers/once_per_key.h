#pragma once

// Runs work once for items with the same key.

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "quantsearch/base/thread_pool.h"

namespace quantsearch {

/// Runs `work` once per distinct key, in parallel, and returns for each item the result of its key.
template <typename Key, typename Result, typename Item>
std::vector<std::shared_ptr<const Result>> once_per_key(
    const std::vector<Item>& items, ThreadPool& pool, const std::function<Key(const Item&)>& key_of,
    const std::function<Result(const Item&)>& work) {
  std::vector<std::size_t> first_item;  // of each distinct key
  std::vector<std::size_t> slots(items.size());
  std::map<Key, std::size_t> known;
  for (std::size_t item = 0; item < items.size(); ++item) {
    const auto [entry, is_new] = known.try_emplace(key_of(items[item]), first_item.size());
    if (is_new) first_item.push_back(item);
    slots[item] = entry->second;
  }
  std::vector<std::shared_ptr<const Result>> distinct(first_item.size());
  pool.parallel_for(static_cast<std::int64_t>(first_item.size()), [&](std::int64_t at, int) {
    const auto slot = static_cast<std::size_t>(at);
    distinct[slot] = std::make_shared<const Result>(work(items[first_item[slot]]));
  });
  std::vector<std::shared_ptr<const Result>> results;
  for (const std::size_t slot : slots) results.push_back(distinct[slot]);
  return results;
}

}  // namespace quantsearch
