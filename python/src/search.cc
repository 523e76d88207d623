// The search, and the reports of its results.

#include <nanobind/nanobind.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "bindings.h"
#include "callbacks.h"
#include "environment.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/report.h"
#include "quantsearch/search/trial_order.h"
#include "search_request.h"
#include "trial_value.h"
#include "values.h"
#include "wording.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

/// A log file that is opened when the search begins, so that refused input leaves no file.
class LateLogFile {
 public:
  explicit LateLogFile(std::filesystem::path file) : file_(std::move(file)) {}

  void open() {
    const std::lock_guard lock(mutex_);
    if (file_.empty() || sink_) return;
    sink_ = open_log_file(file_);
    for (const auto& [level, line] : lines_) say(sink_, level, line);
    lines_.clear();
  }
  void add(LogLevel level, std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (file_.empty()) return;
    if (sink_) {
      say(sink_, level, in_python(line));
    } else {
      lines_.emplace_back(level, in_python(line));
    }
  }

 private:
  std::mutex mutex_;
  std::filesystem::path file_;
  LogSink sink_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

Value start_value(const SearchStart& start) {
  return Value::Map{{"raw", start.space.raw},
                    {"distinct", start.space.distinct},
                    {"objective", start.objective},
                    {"goal", start.goal.value == Goal::minimize ? "minimize" : "maximize"},
                    {"search_goal", to_string(start.goal.goal)},
                    {"most_trials", start.most_trials ? Value(*start.most_trials) : Value()}};
}

/// Finds the best trial so far, for the progress of a search.
class Incumbent {
 public:
  void begin(Ranking ranking) { ranking_ = ranking; }
  /// Returns the number of the best trial after this one.
  std::optional<std::int64_t> after(const Trial& trial) {
    const bool counts = trial.state == TrialState::complete && is_feasible(trial);
    if (counts && (!best_ || TrialOrder(ranking_)(trial, *best_))) best_ = trial;
    return best_ ? std::optional(best_->number) : std::nullopt;
  }

 private:
  Ranking ranking_ = Goal::minimize;
  std::optional<Trial> best_;
};

std::optional<CustomEvaluator> evaluator_in(const SearchRequest& request, WatchedCall& call) {
  if (request.evaluator.is_none()) return std::nullopt;
  return evaluator_of(request.evaluator, call.evaluators);
}

SearchEnvironment environment_of(const SearchRequest& request, WatchedCall& call,
                                 LateLogFile& log_file) {
  EventQueue& queue = call.queue;
  SearchEnvironment environment{.budget = ByteBudget(memory_bytes(request.memory)),
                                .token = call.token,
                                .keep = request.keep,
                                .resume = request.resume,
                                .overwrite = request.overwrite};
  environment.log = [&log_file, to_queue = log_to(queue)](LogLevel level, std::string_view line) {
    log_file.add(level, line);
    to_queue(level, line);
  };
  environment.evaluator = evaluator_in(request, call);
  if (!request.worker_command.is_none())
    environment.worker_command = worker_command_of(request.worker_command);
  if (!request.remote.is_none()) environment.remote = remote_of(request.remote);
  const auto incumbent = std::make_shared<Incumbent>();
  environment.on_space = [&queue, &log_file, incumbent](const SearchStart& start) {
    log_file.open();
    incumbent->begin(start.goal);
    queue.put({.kind = "space", .content = start_value(start)});
  };
  environment.on_start = [&queue](std::int64_t number, const Point& point) {
    queue.put({.kind = "start",
               .content = Value::Map{{"number", number},
                                     {"config", Value::Map(point.begin(), point.end())}}});
  };
  environment.on_trial = [&queue, incumbent](const Trial& trial) {
    const std::optional<std::int64_t> best = incumbent->after(trial);
    queue.put({.kind = "trial",
               .content = Value::Map{{"trial", trial_value(trial)},
                                     {"best", best ? Value(*best) : Value()}}});
  };
  environment.on_earlier_best = [&queue, incumbent](const Trial& best) {
    (void)incumbent->after(best);
    queue.put({.kind = "earlier_best", .content = trial_value(best)});
  };
  return environment;
}

Value number_list(const std::vector<std::int64_t>& numbers) {
  return Value::List(numbers.begin(), numbers.end());
}

Value result_value(const SearchResult& result, bool interrupted) {
  const Study& study = result.study;
  return Value::Map{{"document", to_value(result.document)},
                    {"trials", trials_value(study.trials)},
                    {"best", result.best ? Value(*result.best) : Value()},
                    {"candidates", number_list(study.candidates)},
                    {"met_tolerance", result.met_tolerance},
                    {"stop_reason", to_string(study.stop_reason)},
                    {"stop_message", study.stop_message},
                    {"seconds", study.seconds},
                    {"output_folder", result.output_folder.string()},
                    {"interrupted", interrupted}};
}

nb::object search(nb::handle config, const SearchRequest& request, nb::handle on_event) {
  const AutoSearchConfig parsed = config_of(config, request);
  std::optional<SearchResult> result;
  WatchedCall call;
  LateLogFile log_file(request.log_file);
  const SearchEnvironment environment = environment_of(request, call, log_file);
  const auto work = [&] {
    ThreadPool pool(request.threads);
    SearchEnvironment with_pool = environment;
    with_pool.pool = &pool;
    result = auto_search(parsed, input_of(request), with_pool);
  };
  const Watched watched = watch(work, call, on_event);
  if (watched.failure) std::rethrow_exception(watched.failure);
  return to_python(result_value(*result, watched.interrupted));
}

/// Serves the trials of a search in another process over `socket`, which it takes over.
void serve(nb::handle config, const SearchRequest& request, std::int64_t memory,
           const std::string& device, int socket) {
  // Ends a process whose runtime or evaluator does not react to cancellation.
  constexpr unsigned kSecondsToEnd = 10;
  AutoSearchConfig parsed = config_of(config, request);
  parsed.execution.jobs = 1;
  parsed.execution.devices = parse_devices(device);
  WatchedCall call;
  SearchEnvironment environment{.budget = ByteBudget(memory),
                                .token = call.token,
                                .on_worker_closed = [] { ::alarm(kSecondsToEnd); }};
  environment.evaluator = evaluator_in(request, call);
  const auto work = [&] {
    ThreadPool pool(request.threads);
    environment.pool = &pool;
    serve_trials(parsed, input_of(request), environment, socket);
  };
  run_interruptibly(work, call, nb::cpp_function([](nb::handle, nb::handle) {}));
}

// The name under which results_of() adds the objective to the scores, which have it already.
constexpr const char* kUnnamed = "";

ResultsDocument document_of(nb::handle results) {
  return results_from(to_value(results, "results"));
}

}  // namespace

Value trial_value(const Trial& trial) {
  if (trial.state == TrialState::running) {  // results have finished trials only
    return Value::Map{{"number", trial.number},
                      {"state", to_string(trial.state)},
                      {"config", Value::Map(trial.point.begin(), trial.point.end())}};
  }
  ResultsDocument document = results_of("", kUnnamed, {Goal::minimize}, visit_of({trial}));
  document.trials.front().model.scores.erase(kUnnamed);
  Value value = quantsearch::to_value(document).find("trials")->as_list().front();
  value.set("value", trial.value ? Value(*trial.value) : Value());
  value.set("objectives", Value::List(trial.objectives.begin(), trial.objectives.end()));
  value.set("constraints", Value::List(trial.constraints.begin(), trial.constraints.end()));
  return value;
}

Value trials_value(const std::vector<Trial>& trials) {
  Value::List list;
  for (const Trial& trial : trials) list.push_back(trial_value(trial));
  return list;
}

void bind_search(nb::module_& module) {
  nb::class_<SearchRequest>(module, "SearchRequest")
      .def(nb::init<>())
      .def_rw("model", &SearchRequest::model)
      .def_rw("model_name", &SearchRequest::model_name)
      .def_rw("calibration", &SearchRequest::calibration)
      .def_rw("evaluation", &SearchRequest::evaluation, nb::arg().none())
      .def_rw("labels", &SearchRequest::labels, nb::arg().none())
      .def_rw("holdout", &SearchRequest::holdout)
      .def_rw("evaluator", &SearchRequest::evaluator, nb::arg().none())
      .def_rw("worker_command", &SearchRequest::worker_command, nb::arg().none())
      .def_rw("remote", &SearchRequest::remote, nb::arg().none())
      .def_rw("threads", &SearchRequest::threads)
      .def_rw("memory", &SearchRequest::memory)
      .def_rw("keep", &SearchRequest::keep)
      .def_rw("resume", &SearchRequest::resume)
      .def_rw("overwrite", &SearchRequest::overwrite)
      .def_rw("log_file", &SearchRequest::log_file);
  module.def("search", &search, nb::arg("config"), nb::arg("request"), nb::arg("on_event"));
  module.def("serve_trials", &serve, nb::arg("config"), nb::arg("request"), nb::arg("memory"),
             nb::arg("device"), nb::arg("socket"));
  module.def(
      "summary_text", [](nb::handle results) { return summary_text(document_of(results)); },
      nb::arg("results"));
  module.def(
      "trials_table", [](nb::handle results) { return trials_table(document_of(results)); },
      nb::arg("results"));
  module.def(
      "html_report", [](nb::handle results) { return html_report(document_of(results)); },
      nb::arg("results"));
  module.def(
      "importances",
      [](nb::handle results) {
        nb::dict shares;
        for (const auto& [name, share] : importances_of(document_of(results)))
          shares[name.c_str()] = share;
        return shares;
      },
      nb::arg("results"));
}

}  // namespace quantsearch::python
