// Studies in files and databases, for reading and for the studies of quantsearch.search.

#include "quantsearch/storage.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <memory>
#include <optional>

#include "bindings.h"
#include "quantsearch/base/error.h"
#include "trial_value.h"
#include "values.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

const char* name_of(Goal goal) { return goal == Goal::minimize ? "minimize" : "maximize"; }

nb::list studies(const std::string& database) {
  const std::vector<StudySummary> found = [&] {
    const nb::gil_scoped_release released;
    return list_studies(database);
  }();
  nb::list list;
  for (const StudySummary& study : found) {
    Value::List goals;
    for (const Goal goal : study.goals) goals.emplace_back(name_of(goal));
    const Value::List names(study.objective_names.begin(), study.objective_names.end());
    list.append(to_python(Value::Map{{"name", study.name},
                                     {"goals", goals},
                                     {"objective_names", names},
                                     {"fingerprint", study.fingerprint},
                                     {"trials", study.trials}}));
  }
  return list;
}

nb::object trials(const std::string& database, const std::string& study) {
  const Value value = [&] {
    const nb::gil_scoped_release released;
    return trials_value(load_trials(database, study));
  }();
  return to_python(value);
}

Distribution distribution_of(nb::handle dimension, const std::string& name) {
  if (nb::isinstance<FloatRange>(dimension)) return nb::cast<FloatRange>(dimension);
  if (nb::isinstance<IntRange>(dimension)) return nb::cast<IntRange>(dimension);
  return to_value(dimension, name).as_list();
}

nb::object dimension_of(const Distribution& distribution) {
  if (const auto* const range = std::get_if<FloatRange>(&distribution)) return nb::cast(*range);
  if (const auto* const range = std::get_if<IntRange>(&distribution)) return nb::cast(*range);
  return to_python(Value::List(std::get<std::vector<Value>>(distribution)));
}

TrialState state_of(const std::string& name) {
  const std::optional<TrialState> state = parse_trial_state(name);
  if (!state) throw InvalidInput("optimize: got the state '" + name + "' of a trial");
  return *state;
}

std::vector<double> numbers_in(const Value& list) {
  std::vector<double> numbers;
  for (const Value& number : list.as_list()) numbers.push_back(number.as_double());
  return numbers;
}

/// `described`: {number, state, params, values, user_attrs, constraints, seconds}.
DefineByRunTrial trial_of(nb::handle described, const nb::dict& distributions,
                          const std::map<std::int64_t, double>& intermediate) {
  const Value value = to_value(described, "trial");
  const Value& params = *value.find("params");
  const std::vector<double> values = numbers_in(*value.find("values"));
  DefineByRunTrial defined{
      .trial = {.number = value.find("number")->as_int(),
                .state = state_of(value.find("state")->as_string()),
                .point = Point(params.as_map().begin(), params.as_map().end()),
                .value = values.empty() ? std::nullopt : std::optional(values.front()),
                .objectives = values.size() > 1 ? values : std::vector<double>(),
                .constraints = numbers_in(*value.find("constraints")),
                .seconds = value.find("seconds")->as_double(),
                .details = *value.find("user_attrs")},
      .intermediate = intermediate};
  for (const auto& [key, dimension] : distributions) {
    const auto name = nb::cast<std::string>(key);
    defined.distributions.emplace(name, distribution_of(dimension, name));
  }
  return defined;
}

/// (described, distributions, intermediate values), as trial_of() takes them.
nb::tuple described(const DefineByRunTrial& defined) {
  const Trial& trial = defined.trial;
  std::vector<double> values = trial.objectives;
  if (values.empty() && trial.value) values = {*trial.value};
  nb::dict distributions;
  for (const auto& [name, distribution] : defined.distributions)
    distributions[name.c_str()] = dimension_of(distribution);
  const Value value =
      Value::Map{{"number", trial.number},
                 {"state", to_string(trial.state)},
                 {"params", Value::Map(trial.point.begin(), trial.point.end())},
                 {"values", Value::List(values.begin(), values.end())},
                 {"user_attrs", trial.details.is_map() ? trial.details : Value(Value::Map{})},
                 {"constraints", Value::List(trial.constraints.begin(), trial.constraints.end())},
                 {"seconds", trial.seconds}};
  return nb::make_tuple(to_python(value), distributions, defined.intermediate);
}

std::unique_ptr<DefineByRunStudy> open_by_run(const std::string& database, const std::string& name,
                                              const std::vector<std::string>& directions) {
  StudyDescription description{.name = name, .goals = {}};
  for (const std::string& direction : directions)
    description.goals.push_back(direction == "minimize" ? Goal::minimize : Goal::maximize);
  const nb::gil_scoped_release released;
  return define_by_run_study(database, description);
}

nb::list news_of(DefineByRunStudy& study) {
  const std::vector<DefineByRunTrial> news = [&] {
    const nb::gil_scoped_release released;
    return study.news();
  }();
  nb::list list;
  for (const DefineByRunTrial& defined : news) list.append(described(defined));
  return list;
}

}  // namespace

void bind_storage(nb::module_& module) {
  nb::class_<DefineByRunStudy>(module, "DefineByRunStudy")
      .def("begin", &DefineByRunStudy::begin, nb::call_guard<nb::gil_scoped_release>())
      .def(
          "finish",
          [](DefineByRunStudy& study, const nb::dict& trial, const nb::dict& distributions,
             const std::map<std::int64_t, double>& intermediate) {
            const DefineByRunTrial defined = trial_of(trial, distributions, intermediate);
            const nb::gil_scoped_release released;
            study.finish(defined);
          },
          nb::arg("trial"), nb::arg("distributions"), nb::arg("intermediate"))
      .def("news", &news_of);
  module.def("define_by_run_study", &open_by_run, nb::arg("database"), nb::arg("name"),
             nb::arg("directions"));
  module.def("list_studies", &studies, nb::arg("database"));
  module.def("load_trials", &trials, nb::arg("database"), nb::arg("study"));
}

}  // namespace quantsearch::python
