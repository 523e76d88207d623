#pragma once

// The trials of earlier runs of a study, for a search that repeats them. They are read once, part
// by part, when it is their turn. Of those that are read ahead, and of those that are not repeated,
// the keys of their points stay.
//
// That relies on numbers that follow one another without gaps, as every program gives them. What
// comes after a gap is looked through at once: more trials than are held then are read a second
// time, and the whole study is loaded when its trials are not in the order of their numbers.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>

#include "quantsearch/search/study.h"

namespace quantsearch {

class EarlierTrials {
 public:
  /// Calls `options.on_earlier` with each trial that it reads for the first time, and
  /// `options.on_earlier_end` after the last. Both arguments must outlive this object.
  EarlierTrials(StudyStore& store, const SearchOptions& options);

  /// The next finished trial in the order of numbers; null when all have been taken.
  [[nodiscard]] const Trial* next();
  /// True when next() has this number and point.
  [[nodiscard]] bool next_is(std::int64_t number, const Point& point);
  /// Takes the trial that next() returned.
  [[nodiscard]] Trial take();
  /// The same of a trial whose point was proposed and will not be again.
  [[nodiscard]] Trial take_repeated();
  /// The number of the finished trial with this point; reads on unless it was already read.
  [[nodiscard]] std::optional<std::int64_t> number_of(const Point& point);
  /// Reads all that was not read yet.
  void read_all();

 private:
  struct Read {
    Key key;  // of its point
    Trial trial;
  };

  /// Reads a part and holds its finished trials.
  void read_part();
  void take_in(Trial trial, bool is_held);
  void take_in_again(Trial trial);
  void end_reading();
  void load_in_order();

  StudyStore& store_;
  const SearchOptions& options_;
  std::unordered_map<Key, std::int64_t> numbers_;  // of finished trials, by point
  std::unique_ptr<TrialPages> pages_;              // null at the end
  std::deque<Read> read_;
  bool is_all_known_ = false;  // every trial has been read once
  bool has_gap_ = false;
  bool is_in_order_ = true;
  std::int64_t last_ = -1;   // the largest number that was read
  std::int64_t taken_ = -1;  // the last number that was taken
  // The last number that is held, when those after it are read a second time.
  std::optional<std::int64_t> held_to_;
};

}  // namespace quantsearch
