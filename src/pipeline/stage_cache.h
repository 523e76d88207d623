#pragma once

// Artefacts of stages by key. The least recently used are dropped when the byte budget is spent.
// Thread-safe: when several trials need an artefact at the same time, one computes it and the
// others wait for it. A stage whose input is the reason that it fails is not tried again.

#include <algorithm>
#include <any>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/hash.h"
#include "quantsearch/internal/base/stopwatch.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

class StageCache {
 public:
  explicit StageCache(const ByteBudget& budget) : budget_(budget) {}

  /// Returns the artefact under `key`. When it is not held, `compute` makes it, which may itself
  /// get artefacts of earlier stages. An artefact is returned but not kept when it does not fit
  /// even after everything else has been dropped, or when `bytes_of` returns no size. Appends a
  /// record of the stage to `records`; its seconds do not include those of stages inside `compute`.
  /// Passes on what `compute` throws. InvalidInput and Unsupported are kept and thrown whenever
  /// the artefact is wanted again; after other errors, or when the trial that computes is
  /// cancelled, a waiting one computes instead. Throws Cancelled when `token` is cancelled while
  /// waiting.
  template <typename Artefact>
  std::shared_ptr<const Artefact> get(
      const std::string& stage, const Key& key, const std::function<Artefact()>& compute,
      const std::function<std::optional<std::int64_t>(const Artefact&)>& bytes_of,
      std::vector<StageRecord>& records, const CancellationToken& token) {
    if (const std::optional<std::any> held = held_or_claim(key, token)) {
      records.push_back({.name = stage, .seconds = 0, .cached = true});
      return std::any_cast<std::shared_ptr<const Artefact>>(*held);
    }
    Claim claim(*this, key);
    const std::size_t before = records.size();
    const Stopwatch watch;
    std::shared_ptr<const Artefact> artefact = [&] {
      try {
        return std::make_shared<const Artefact>(compute());
      } catch (const InvalidInput&) {
        keep_failure(key, std::current_exception(), watch.seconds());
        throw;
      } catch (const Unsupported&) {
        keep_failure(key, std::current_exception(), watch.seconds());
        throw;
      }
    }();
    double seconds = watch.seconds();
    for (std::size_t inner = before; inner < records.size(); ++inner)
      seconds -= records[inner].seconds;
    seconds = std::max(seconds, 0.0);
    records.push_back({.name = stage, .seconds = seconds, .cached = false});
    if (const auto bytes = bytes_of(*artefact)) claim.settle(artefact, *bytes, seconds);
    return artefact;
  }

  /// Returns the artefact under `key` without counting it as used; null when it is not held.
  template <typename Artefact>
  [[nodiscard]] std::shared_ptr<const Artefact> held(const Key& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    return std::any_cast<std::shared_ptr<const Artefact>>(found->second.artefact);
  }

  [[nodiscard]] CacheReport report() const;

 private:
  struct Entry {
    std::any artefact;  // std::shared_ptr<const Artefact>
    double seconds = 0;
    ByteBudget::Reservation reservation;
    std::list<Key>::iterator age;
  };
  struct Failure {
    std::exception_ptr error;
    double seconds = 0;
  };
  /// An artefact in flight: one trial computes it.
  struct Flight {
    bool done = false;
    std::any artefact;  // empty when it failed
    double seconds = 0;
  };

  /// The claim of a trial to compute an artefact. Destroying it unsettled ends the flight without
  /// an artefact.
  class Claim {
   public:
    Claim(StageCache& cache, const Key& key) : cache_(cache), key_(key) {}
    ~Claim() {
      if (!settled_) cache_.land(key_, {}, 0, 0);
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    void settle(std::any artefact, std::int64_t bytes, double seconds) {
      settled_ = true;
      cache_.land(key_, std::move(artefact), bytes, seconds);
    }

   private:
    StageCache& cache_;
    Key key_;
    bool settled_ = false;
  };

  /// Returns the artefact held under `key`, waiting while another trial computes it; nullopt when
  /// the caller has to compute it. Throws the failure that is kept for it.
  std::optional<std::any> held_or_claim(const Key& key, const CancellationToken& token);
  /// Ends a flight: keeps the artefact, if there is one, and wakes the waiting trials.
  void land(const Key& key, std::any artefact, std::int64_t bytes, double seconds);
  void count_hit(double seconds);
  void keep(const Key& key, std::any artefact, std::int64_t bytes, double seconds);
  void keep_failure(const Key& key, std::exception_ptr error, double seconds);

  mutable std::mutex mutex_;
  std::condition_variable landed_;
  ByteBudget budget_;
  std::unordered_map<Key, Entry> entries_;
  std::unordered_map<Key, Failure> failures_;
  std::unordered_map<Key, std::shared_ptr<Flight>> flights_;
  std::list<Key> ages_;  // most recently used first
  CacheReport report_;
};

}  // namespace quantsearch
