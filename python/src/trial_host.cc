// A process that runs trials for a search in another one.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "bindings.h"
#include "callbacks.h"
#include "environment.h"
#include "quantsearch/autosearch.h"
#include "search_request.h"
#include "values.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

class Host {
 public:
  Host(nb::handle config, const SearchRequest& request, nb::handle greeting)
      : pool_(request.threads) {
    const AutoSearchConfig parsed = config_of(config, request);
    SearchEnvironment environment{.pool = &pool_,
                                  .budget = ByteBudget(memory_bytes(request.memory))};
    if (!request.evaluator.is_none())
      environment.evaluator = evaluator_of(request.evaluator, evaluators_);
    const Value message = to_value(greeting, "greeting");
    const nb::gil_scoped_release released;
    host_ = open_trial_host(parsed, input_of(request), environment, message);
  }

  [[nodiscard]] nb::object fingerprint() const { return to_python(host_->fingerprint()); }
  [[nodiscard]] int jobs() const { return host_->jobs(); }

  [[nodiscard]] nb::object answer(nb::handle request, std::int64_t ticket) {
    const Value message = to_value(request, "request");
    const CancellationToken token;
    Value reply;
    {
      const nb::gil_scoped_release released;
      {
        const std::lock_guard lock(mutex_);
        running_.insert_or_assign(ticket, token);
      }
      reply = host_->answer(message, token);
      const std::lock_guard lock(mutex_);
      running_.erase(ticket);
    }
    return to_python(reply);
  }

  void cancel(std::int64_t ticket) {
    const std::lock_guard lock(mutex_);
    if (const auto found = running_.find(ticket); found != running_.end()) found->second.cancel();
  }

 private:
  ThreadPool pool_;
  EvaluatorCalls evaluators_;
  std::unique_ptr<TrialHost> host_;
  std::mutex mutex_;
  std::map<std::int64_t, CancellationToken> running_;
};

}  // namespace

void bind_trial_host(nb::module_& module) {
  nb::class_<Host>(module, "TrialHost")
      .def(nb::init<nb::handle, const SearchRequest&, nb::handle>(), nb::arg("config"),
           nb::arg("request"), nb::arg("greeting"))
      .def_prop_ro("fingerprint", &Host::fingerprint)
      .def_prop_ro("jobs", &Host::jobs)
      .def("answer", &Host::answer, nb::arg("request"), nb::arg("ticket"))
      .def("cancel", &Host::cancel, nb::arg("ticket"));
  module.def("trial_bytes", &trial_bytes, nb::arg("model"));
}

}  // namespace quantsearch::python
