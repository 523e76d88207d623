#pragma once

// The histogram while values are added. Exact zeros are counted separately until it is read.

#include <cstdint>
#include <memory>
#include <span>

#include "calibrate/value_kernels.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {

class BinCounts {
 public:
  /// `bins` is a power of two.
  explicit BinCounts(int bins);

  /// Counts many values in 16-bit counters, which are added to the histogram at the end or when
  /// they are full.
  class Counting {
   public:
    explicit Counting(BinCounts& target);
    ~Counting() { flush(); }
    Counting(const Counting&) = delete;
    Counting& operator=(const Counting&) = delete;
    /// Adds up to kBlockValues finite values whose summary is `summary`.
    void add(std::span<const float> values, const RunSummary& summary);

   private:
    void count_in_lanes(std::span<const float> values, std::size_t zeros);
    void flush();

    BinCounts& target_;
    std::unique_ptr<std::uint16_t[]> lanes_;  // [2 * bins, kLanes]; null until a block needs it
    std::size_t largest_lane_ = 0;            // upper bound of every counter
    std::uint64_t zeros_in_lanes_ = 0;        // zeros counted in the first positive bin
  };

  void merge(const BinCounts& other);
  [[nodiscard]] Histogram histogram() const;

 private:
  [[nodiscard]] float inverse_width() const;
  [[nodiscard]] std::uint64_t& bin_of(float value);
  [[nodiscard]] int exponent_for(float magnitude) const;
  void widen_to(int exponent);

  int bin_bits_;
  Histogram counts_;  // positive[0] without zeros
};

}  // namespace quantsearch
