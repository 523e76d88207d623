// Ask/tell optimizers over a domain of numbers and categories.

#include "quantsearch/optimizers.h"

#include <fmt/core.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.h"
#include "quantsearch/base/error.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

/// An optimizer with its domain, which its contract needs canonical points of.
class AskTell {
 public:
  AskTell(std::unique_ptr<Optimizer> optimizer) : optimizer_(std::move(optimizer)) {}

  [[nodiscard]] std::optional<Coordinates> ask(std::int64_t number,
                                               const std::vector<Pending>& pending) {
    const nb::gil_scoped_release released;
    return optimizer_->ask(number, pending);
  }
  void tell(const Observation& observation) {
    const nb::gil_scoped_release released;
    optimizer_->tell(observation);
  }

 private:
  std::unique_ptr<Optimizer> optimizer_;
};

std::vector<Pending> pending_of(const std::vector<std::pair<std::int64_t, Coordinates>>& pairs) {
  std::vector<Pending> pending;
  for (const auto& [number, at] : pairs) pending.push_back({.number = number, .at = at});
  return pending;
}

Outcome outcome_of(const std::string& name) {
  if (name == "complete") return Outcome::complete;
  if (name == "pruned") return Outcome::pruned;
  if (name == "failed") return Outcome::failed;
  throw InvalidInput("optimize: got the state '" + name +
                     "', expected 'complete', 'pruned' or 'failed'");
}

std::vector<SearchDimension> dimensions_of(const nb::list& list) {
  std::vector<SearchDimension> dimensions;
  for (nb::handle item : list) {
    if (nb::isinstance<FloatRange>(item)) {
      dimensions.emplace_back(nb::cast<FloatRange>(item));
    } else if (nb::isinstance<IntRange>(item)) {
      dimensions.emplace_back(nb::cast<IntRange>(item));
    } else {
      dimensions.emplace_back(nb::cast<Categories>(item));
    }
  }
  return dimensions;
}

Domain domain_of(const nb::list& dimensions) {
  Domain domain{.dimensions = dimensions_of(dimensions)};
  check(domain);
  return domain;
}

const char* truth(bool value) { return value ? "True" : "False"; }

void bind_float_range(nb::module_& module) {
  nb::class_<FloatRange>(module, "FloatRange")
      .def(
          "__init__",
          [](FloatRange* range, double low, double high, bool log, std::optional<double> step) {
            new (range) FloatRange{.low = low, .high = high, .log = log, .step = step};
          },
          nb::arg("low"), nb::arg("high"), nb::kw_only(), nb::arg("log") = false,
          nb::arg("step").none() = nb::none())
      .def_ro("low", &FloatRange::low)
      .def_ro("high", &FloatRange::high)
      .def_ro("log", &FloatRange::log)
      .def_ro("step", &FloatRange::step)
      .def("__repr__",
           [](const FloatRange& range) {
             return fmt::format("FloatRange({}, {}, log={}, step={})", range.low, range.high,
                                truth(range.log),
                                range.step ? fmt::format("{}", *range.step) : "None");
           })
      .def("__getstate__",
           [](const FloatRange& range) {
             return nb::make_tuple(range.low, range.high, range.log, range.step);
           })
      .def("__setstate__",
           [](FloatRange& range,
              const std::tuple<double, double, bool, std::optional<double>>& state) {
             const auto& [low, high, log, step] = state;
             new (&range) FloatRange{.low = low, .high = high, .log = log, .step = step};
           })
      .def(
          "__eq__", [](const FloatRange& a, const FloatRange& b) { return a == b; },
          nb::is_operator());
}

void bind_int_range(nb::module_& module) {
  nb::class_<IntRange>(module, "IntRange")
      .def(
          "__init__",
          [](IntRange* range, std::int64_t low, std::int64_t high, std::int64_t step, bool log) {
            new (range) IntRange{.low = low, .high = high, .step = step, .log = log};
          },
          nb::arg("low"), nb::arg("high"), nb::kw_only(), nb::arg("step") = 1,
          nb::arg("log") = false)
      .def_ro("low", &IntRange::low)
      .def_ro("high", &IntRange::high)
      .def_ro("step", &IntRange::step)
      .def_ro("log", &IntRange::log)
      .def("__repr__",
           [](const IntRange& range) {
             return fmt::format("IntRange({}, {}, step={}, log={})", range.low, range.high,
                                range.step, truth(range.log));
           })
      .def("__getstate__",
           [](const IntRange& range) {
             return nb::make_tuple(range.low, range.high, range.step, range.log);
           })
      .def("__setstate__",
           [](IntRange& range,
              const std::tuple<std::int64_t, std::int64_t, std::int64_t, bool>& state) {
             const auto& [low, high, step, log] = state;
             new (&range) IntRange{.low = low, .high = high, .step = step, .log = log};
           })
      .def(
          "__eq__", [](const IntRange& a, const IntRange& b) { return a == b; }, nb::is_operator());
}

void bind_categories(nb::module_& module) {
  nb::class_<Categories>(module, "Categories")
      .def(
          "__init__",
          [](Categories* categories, std::int64_t count, bool ordered) {
            new (categories) Categories{.count = count, .ordered = ordered};
          },
          nb::arg("count"), nb::kw_only(), nb::arg("ordered") = false)
      .def_ro("count", &Categories::count)
      .def_ro("ordered", &Categories::ordered)
      .def(
          "__eq__", [](const Categories& a, const Categories& b) { return a == b; },
          nb::is_operator());
}

CmaOptions::Restarts restarts_of(const std::string& name) {
  if (name == "none") return CmaOptions::Restarts::none;
  if (name == "ipop") return CmaOptions::Restarts::ipop;
  if (name == "bipop") return CmaOptions::Restarts::bipop;
  throw InvalidInput("optimize: got restarts '" + name + "', expected 'none', 'ipop' or 'bipop'");
}

/// Optimizers that learn a model of the objective.
void bind_model_based(nb::module_& module) {
  using nb::arg;
  module.def(
      "tpe_optimizer",
      [](const nb::list& domain, std::uint64_t seed, std::size_t objectives,
         std::int64_t startup_trials, std::int64_t candidates, std::optional<bool> multivariate,
         std::optional<bool> constant_liar) {
        return AskTell(tpe_optimizer(domain_of(domain), {.seed = seed,
                                                         .objectives = objectives,
                                                         .startup_trials = startup_trials,
                                                         .candidates = candidates,
                                                         .multivariate = multivariate,
                                                         .constant_liar = constant_liar}));
      },
      arg("domain"), arg("seed"), arg("objectives"), arg("startup_trials"), arg("candidates"),
      arg("multivariate").none(), arg("constant_liar").none());
  module.def(
      "cma_optimizer",
      [](const nb::list& domain, std::uint64_t seed, const std::string& restarts,
         bool learning_rate_adaptation, std::int64_t population, std::optional<Coordinates> mean,
         double sigma) {
        return AskTell(
            cma_optimizer(domain_of(domain), {.seed = seed,
                                              .restarts = restarts_of(restarts),
                                              .learning_rate_adaptation = learning_rate_adaptation,
                                              .population = population,
                                              .mean = std::move(mean),
                                              .sigma = sigma}));
      },
      arg("domain"), arg("seed"), arg("restarts"), arg("learning_rate_adaptation"),
      arg("population"), arg("mean").none(), arg("sigma"));
  module.def(
      "gp_optimizer",
      [](const nb::list& domain, std::uint64_t seed, std::size_t objectives,
         std::int64_t startup_trials, bool deterministic_objective) {
        return AskTell(
            gp_optimizer(domain_of(domain), {.seed = seed,
                                             .objectives = objectives,
                                             .startup_trials = startup_trials,
                                             .deterministic_objective = deterministic_objective}));
      },
      arg("domain"), arg("seed"), arg("objectives"), arg("startup_trials"),
      arg("deterministic_objective"));
}

void bind_others(nb::module_& module) {
  using nb::arg;
  module.def(
      "random_optimizer",
      [](const nb::list& domain, std::uint64_t seed) {
        return AskTell(random_optimizer(domain_of(domain), {.seed = seed}));
      },
      arg("domain"), arg("seed"));
  module.def(
      "qmc_optimizer",
      [](const nb::list& domain, std::uint64_t seed, bool halton, bool scramble) {
        return AskTell(
            qmc_optimizer(domain_of(domain), {.seed = seed,
                                              .kind = halton ? QmcKind::halton : QmcKind::sobol,
                                              .scramble = scramble}));
      },
      arg("domain"), arg("seed"), arg("halton"), arg("scramble"));
  module.def(
      "nsga_optimizer",
      [](const nb::list& domain, std::uint64_t seed, std::size_t objectives,
         std::int64_t population, bool reference_points, std::int64_t offspring) {
        return AskTell(nsga_optimizer(domain_of(domain), {.seed = seed,
                                                          .objectives = objectives,
                                                          .population = population,
                                                          .reference_points = reference_points,
                                                          .offspring = offspring}));
      },
      arg("domain"), arg("seed"), arg("objectives"), arg("population"), arg("reference_points"),
      arg("offspring"));
  module.def(
      "auto_optimizer",
      [](const nb::list& domain, std::uint64_t seed, std::size_t objectives,
         std::optional<std::int64_t> budget, std::int64_t workers) {
        return AskTell(auto_optimizer(
            domain_of(domain),
            {.seed = seed, .objectives = objectives, .budget = budget, .workers = workers}));
      },
      arg("domain"), arg("seed"), arg("objectives"), arg("budget").none(), arg("workers"));
}

}  // namespace

void bind_optimizers(nb::module_& module) {
  bind_float_range(module);
  bind_int_range(module);
  bind_categories(module);
  nb::class_<AskTell>(module, "AskTell")
      .def(
          "ask",
          [](AskTell& optimizer, std::int64_t number,
             const std::vector<std::pair<std::int64_t, Coordinates>>& pending) {
            return optimizer.ask(number, pending_of(pending));
          },
          nb::arg("number"), nb::arg("pending"))
      .def(
          "tell",
          [](AskTell& optimizer, std::int64_t number, Coordinates at, const std::string& state,
             std::vector<double> objectives, std::vector<double> constraints, double variance) {
            optimizer.tell({.number = number,
                            .at = std::move(at),
                            .outcome = outcome_of(state),
                            .objectives = std::move(objectives),
                            .constraints = std::move(constraints),
                            .variance = variance});
          },
          nb::arg("number"), nb::arg("at"), nb::arg("state"), nb::arg("objectives"),
          nb::arg("constraints"), nb::arg("variance"));
  bind_model_based(module);
  bind_others(module);
}

}  // namespace quantsearch::python
