// Studies in files and databases, for reading and for the studies of quantsearch.search.

#include "quantsearch/storage.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
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

}  // namespace

void bind_storage(nb::module_& module) {
  module.def("list_studies", &studies, nb::arg("database"));
  module.def("load_trials", &trials, nb::arg("database"), nb::arg("study"));
}

}  // namespace quantsearch::python
