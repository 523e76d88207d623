#pragma once

// The optimizers by name, with options given as text: "candidates=64,multivariate=0" after a colon.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/optimizers.h"

namespace quantsearch {

/// name=number pairs; each is taken once, and what nobody took is refused.
class NamedNumbers {
 public:
  /// Throws InvalidInput when `text` is not a comma-separated list of name=number.
  explicit NamedNumbers(const std::string& text);
  [[nodiscard]] std::optional<double> take(const std::string& name);
  template <typename Number>
  void take_into(const std::string& name, Number& target) {
    if (const auto value = take(name)) target = static_cast<Number>(*value);
  }
  /// Throws InvalidInput naming the options that no one took.
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
/// Throws InvalidInput for a name or an option that is not known.
[[nodiscard]] std::unique_ptr<Optimizer> make_optimizer(const std::string& name_and_options,
                                                        const Domain& domain,
                                                        const RunOptions& run);

/// Names of a command line, separated by ","; "+" inside one stands for the "," between options.
[[nodiscard]] std::vector<std::string> split_names(const std::string& text);

}  // namespace quantsearch
