#pragma once

// The events of a simulation in the order of their times. Events of the same time come out in the
// order in which they were added, so that a simulation depends on nothing but its inputs.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace quantsearch {

template <typename Event>
class EventQueue {
 public:
  void add(double time, Event event) {
    entries_.push_back({.time = time, .order = added_++, .event = std::move(event)});
    std::ranges::push_heap(entries_, is_later);
  }

  /// Removes the next event and moves the clock to its time. Requires !is_empty().
  Event next() {
    std::ranges::pop_heap(entries_, is_later);
    Entry entry = std::move(entries_.back());
    entries_.pop_back();
    now_ = entry.time;
    return std::move(entry.event);
  }

  [[nodiscard]] bool is_empty() const { return entries_.empty(); }
  [[nodiscard]] double now() const { return now_; }

 private:
  struct Entry {
    double time = 0;
    std::int64_t order = 0;
    Event event;
  };
  static bool is_later(const Entry& one, const Entry& other) {
    return std::pair(one.time, one.order) > std::pair(other.time, other.order);
  }

  std::vector<Entry> entries_;  // a heap
  std::int64_t added_ = 0;
  double now_ = 0;
};

}  // namespace quantsearch
