#pragma once

// Makes optimizers by name. Options follow as text after a colon: "candidates=64,multivariate=0".

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/optimizers.h"

namespace quantsearch {

/// A list of name=number pairs. Each is taken once, and refuse_rest() refuses those that were not
/// taken.
class NamedNumbers {
 public:
  /// Throws InvalidInput when `text` is not a comma-separated list of name=number.
  explicit NamedNumbers(const std::string& text);
  [[nodiscard]] std::optional<double> take(const std::string& name);
  template <typename Number>
  void take_into(const std::string& name, Number& target) {
    if (const auto value = take(name)) target = static_cast<Number>(*value);
  }
  /// Throws InvalidInput that names the first option that was not taken.
  void refuse_rest(const std::string& optimizer) const;

 private:
  std::map<std::string, double> numbers_;
};

struct RunOptions {
  std::uint64_t seed = 0;
  std::size_t objectives = 1;
  std::int64_t budget = 200;
  std::int64_t workers = 1;
};

[[nodiscard]] std::vector<std::string> optimizer_names();
/// Throws InvalidInput for an unknown name or option.
[[nodiscard]] std::unique_ptr<Optimizer> make_optimizer(const std::string& name_and_options,
                                                        const Domain& domain,
                                                        const RunOptions& run);

/// Splits the names of a command line at ","; a "+" in a name means the "," between options.
[[nodiscard]] std::vector<std::string> split_names(const std::string& text);

}  // namespace quantsearch
