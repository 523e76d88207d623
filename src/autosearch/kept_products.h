#pragma once

// Keeps the models of the best trials so far, so that delivered models need not be built again.

#include <cstdint>
#include <memory>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/internal/trials/executor.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {

class KeptProducts {
 public:
  /// Keeps the products of the `most` best trials by TrialOrder, as far as the budget allows.
  KeptProducts(Ranking ranking, std::size_t most, ByteBudget budget)
      : order_(ranking), most_(most), budget_(std::move(budget)) {}

  void add(const Trial& trial, const TrialProduct& product);
  /// Null when the product of that trial is not kept.
  [[nodiscard]] const BuiltProduct* find(std::int64_t number) const;

 private:
  struct Entry {
    Trial trial;
    std::shared_ptr<const BuiltProduct> product;
    ByteBudget::Reservation memory;
  };

  TrialOrder order_;
  std::size_t most_;
  ByteBudget budget_;
  std::vector<Entry> entries_;  // best first
};

}  // namespace quantsearch
