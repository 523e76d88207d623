#include "optimizers.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "optimizers/tpe/tpe_optimizer.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

using Factory = std::unique_ptr<Optimizer> (*)(const Domain& domain, const RunOptions& run,
                                               NamedNumbers& numbers);
struct Row {
  std::string name;
  Factory factory;
};

std::unique_ptr<Optimizer> make_random(const Domain& domain, const RunOptions& run,
                                       NamedNumbers& /*numbers*/) {
  return random_optimizer(domain, {.seed = run.seed});
}

std::unique_ptr<Optimizer> make_gp(const Domain& domain, const RunOptions& run,
                                   NamedNumbers& numbers) {
  GpOptions options{.seed = run.seed, .objectives = run.objectives};
  numbers.take_into("startup", options.startup_trials);
  numbers.take_into("deterministic", options.deterministic_objective);
  return gp_optimizer(domain, options);
}

std::unique_ptr<Optimizer> make_qmc(const Domain& domain, const RunOptions& run,
                                    NamedNumbers& numbers) {
  QmcOptions options{.seed = run.seed};
  if (numbers.take("halton").value_or(0) != 0) options.kind = QmcKind::halton;
  numbers.take_into("scramble", options.scramble);
  return qmc_optimizer(domain, options);
}

std::unique_ptr<Optimizer> make_tpe(const Domain& domain, const RunOptions& run,
                                    NamedNumbers& numbers) {
  TpeOptions options{.seed = run.seed, .objectives = run.objectives};
  numbers.take_into("startup", options.startup_trials);
  numbers.take_into("candidates", options.candidates);
  if (const auto joint = numbers.take("multivariate")) options.multivariate = *joint != 0;
  if (const auto liar = numbers.take("constant_liar")) options.constant_liar = *liar != 0;
  TpeTuning tuning;
  numbers.take_into("good_share", tuning.good_share);
  numbers.take_into("most_good", tuning.most_good);
  numbers.take_into("most_kernels", tuning.bandwidths.most_kernels);
  numbers.take_into("clip_exponent", tuning.bandwidths.clip_exponent);
  numbers.take_into("grid_clip_exponent", tuning.bandwidths.grid_clip_exponent);
  numbers.take_into("mixing", tuning.mixing);
  numbers.take_into("rank_power", tuning.rank_power);
  return tuned_tpe_optimizer(domain, options, tuning);
}

std::unique_ptr<Optimizer> make_cma(const Domain& domain, const RunOptions& run,
                                    NamedNumbers& numbers) {
  CmaOptions options{.seed = run.seed};
  numbers.take_into("population", options.population);
  numbers.take_into("sigma", options.sigma);
  numbers.take_into("restarts", options.restarts);
  numbers.take_into("rates", options.learning_rate_adaptation);
  return cma_optimizer(domain, options);
}

std::unique_ptr<Optimizer> make_nsga(const Domain& domain, const RunOptions& run,
                                     NamedNumbers& numbers) {
  NsgaOptions options{.seed = run.seed, .objectives = run.objectives};
  numbers.take_into("population", options.population);
  numbers.take_into("offspring", options.offspring);
  numbers.take_into("reference_points", options.reference_points);
  return nsga_optimizer(domain, options);
}

std::unique_ptr<Optimizer> make_auto(const Domain& domain, const RunOptions& run,
                                     NamedNumbers& numbers) {
  AutoOptions options{.seed = run.seed, .objectives = run.objectives};
  std::int64_t budget = 0;
  numbers.take_into("budget", budget);
  if (budget > 0) options.budget = budget;
  return auto_optimizer(domain, options);
}

/// Returns one row for each optimizer.
const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"auto", make_auto}, {"cma", make_cma},       {"gp", make_gp},   {"nsga", make_nsga},
      {"qmc", make_qmc},   {"random", make_random}, {"tpe", make_tpe},
  };
  return kRows;
}

}  // namespace

NamedNumbers::NamedNumbers(const std::string& text) {
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    const std::size_t equals = item.find('=');
    std::size_t read = 0;
    try {
      if (equals != std::string::npos)
        numbers_[item.substr(0, equals)] = std::stod(item.substr(equals + 1), &read);
    } catch (const std::exception&) {
      read = 0;
    }
    if (read == 0) throw InvalidInput(fmt::format("got '{}', expected name=number", item));
  }
}

std::optional<double> NamedNumbers::take(const std::string& name) {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return std::nullopt;
  const double value = found->second;
  numbers_.erase(found);
  return value;
}

void NamedNumbers::refuse_rest(const std::string& optimizer) const {
  if (numbers_.empty()) return;
  throw InvalidInput(
      fmt::format("optimizer '{}' has no option '{}'", optimizer, numbers_.begin()->first));
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const Row& row : rows()) names.push_back(row.name);
  return names;
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& name_and_options, const Domain& domain,
                                          const RunOptions& run) {
  const std::size_t colon = name_and_options.find(':');
  const std::string name = name_and_options.substr(0, colon);
  const auto row = std::ranges::find(rows(), name, &Row::name);
  if (row == rows().end()) {
    throw InvalidInput(fmt::format("got the optimizer '{}', expected one of {}", name,
                                   fmt::join(optimizer_names(), ", ")));
  }
  NamedNumbers numbers(colon == std::string::npos ? "" : name_and_options.substr(colon + 1));
  auto optimizer = row->factory(domain, run, numbers);
  numbers.refuse_rest(name);
  return optimizer;
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    std::ranges::replace(part, '+', ',');
    parts.push_back(part);
  }
  return parts;
}

}  // namespace quantsearch
