#pragma once

// Artefacts of stages by key, least recently used first out when the byte budget is spent.

#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

class StageCache {
 public:
  explicit StageCache(const ByteBudget& budget) : budget_(budget) {}

  /// The artefact under `key`, computed by `compute` when it is not held. What does not fit even after everything else
  /// has been dropped is returned but not kept. Appends how the stage went to `records`.
  template <typename Artefact>
  std::shared_ptr<const Artefact> get(const std::string& stage, const Key& key,
                                      const std::function<Artefact()>& compute,
                                      const std::function<std::int64_t(const Artefact&)>& bytes_of,
                                      std::vector<StageRecord>& records) {
    if (const Entry* hit = find(key)) {
      records.push_back({.name = stage, .seconds = 0, .cached = true});
      return std::any_cast<std::shared_ptr<const Artefact>>(hit->artefact);
    }
    const auto start = std::chrono::steady_clock::now();
    auto artefact = std::make_shared<const Artefact>(compute());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    records.push_back({.name = stage, .seconds = seconds, .cached = false});
    keep(key, artefact, bytes_of(*artefact), seconds);
    return artefact;
  }

  [[nodiscard]] bool holds(const Key& key) const { return entries_.contains(key); }
  [[nodiscard]] const CacheReport& report() const { return report_; }

 private:
  struct Entry {
    std::any artefact;  // std::shared_ptr<const Artefact>
    double seconds = 0;
    ByteBudget::Reservation reservation;
    std::list<Key>::iterator age;
  };

  const Entry* find(const Key& key);
  void keep(const Key& key, std::any artefact, std::int64_t bytes, double seconds);

  ByteBudget budget_;
  std::unordered_map<Key, Entry> entries_;
  std::list<Key> ages_;  // most recently used first
  CacheReport report_;
};

}  // namespace quantsearch
