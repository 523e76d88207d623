#include "autosearch/isolated_trials.h"

#include <fmt/core.h>

#include "autosearch/trial_messages.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

IsolatedTrials::IsolatedTrials(IsolationOptions options)
    : options_(std::move(options)), folder_(options_.folder), workers_(options_.commands.size()), free_(workers_.size()) {
  try {
    const FreePlaces::Lease lease(free_);
    (void)worker_of(lease.place(), options_.token);
  } catch (const WorkerDied& error) {
    throw InvalidInput(fmt::format("search: {} before its first trial{}", error.what(),
                                   options_.memory_limit > 0 ? "; raise --trial-memory" : ""));
  }
}

TrialWorker& IsolatedTrials::worker_of(std::size_t place, const CancellationToken& token) {
  std::unique_ptr<TrialWorker>& worker = workers_[place];
  if (worker == nullptr || !worker->is_alive()) {
    worker = std::make_unique<TrialWorker>(TrialWorker::Options{.command = options_.commands[place],
                                                                .memory_limit = options_.memory_limit,
                                                                .greeting = Value::Map{{"float", value_of(options_.float_scores)}},
                                                                .fingerprint = options_.fingerprint,
                                                                .log = options_.log},
                                           token);
  }
  return *worker;
}

Value IsolatedTrials::ask(std::size_t place, const Value& request, const CancellationToken& token, const std::function<void()>& alone) {
  while (true) {
    TrialWorker& worker = worker_of(place, token);
    const bool is_new = worker.answered() == 0;
    try {
      return worker.ask(request, token, alone);
    } catch (const WorkerDied& error) {
      workers_[place].reset();
      if (is_new) throw;
      say(options_.log, LogLevel::warning, fmt::format("{}; what it was at is tried again in a new one", error.what()));
    }
  }
}

TrialOutcome IsolatedTrials::run(const Point& point, std::int64_t number, const CancellationToken& token) {
  const FreePlaces::Lease lease(free_);
  Value request = Value::Map{{"run", number}, {"point", value_of(point)}};
  const std::filesystem::path file = new_file();
  request.set("file", file.string());
  {
    const std::lock_guard lock(mutex_);
    if (const auto rival = rivals_.extract(number)) request.set("rival", std::move(rival.mapped()));
  }
  std::shared_lock at_work(quiet_);
  std::unique_lock alone(quiet_, std::defer_lock);
  const auto leave_alone = [&] {
    if (alone) return;  // a worker died while it was alone, and this is the next one
    at_work.unlock();
    alone.lock();
  };
  try {
    const Value answer = ask(lease.place(), request, token, leave_alone);
    if (const Value* const settings = answer.find("made")) {
      const std::lock_guard lock(mutex_);
      kept_[key_of(point)] = {.file = file, .settings = point_of(*settings)};
    }
    return outcome_of(answer).value();
  } catch (const WorkerDied& error) {
    return TrialFailure{.reason = error.what(), .details = {}};
  }
}

void IsolatedTrials::set_rival(std::int64_t number, const Trial* best) {
  if (best == nullptr) return;
  const std::lock_guard lock(mutex_);
  rivals_[number] = Value::Map{{"number", best->number}, {"point", value_of(best->point)}};
}

TrialHost::Made IsolatedTrials::made(const Point& point) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(key_of(point)); found != kept_.end()) {
      return {.model = std::make_shared<const Model>(load_model(found->second.file)), .settings = found->second.settings};
    }
  }
  const FreePlaces::Lease lease(free_);
  const std::filesystem::path file = new_file();
  try {
    const Value answer = ask(lease.place(), Value::Map{{"make", value_of(point)}, {"file", file.string()}}, {}, [] {});
    const Value* const settings = answer.find("made");
    if (settings == nullptr) throw IoError(fmt::format("search: the model of {} cannot be made again: {}", to_string(point), to_json(answer)));
    Made made{.model = std::make_shared<const Model>(load_model(file)), .settings = point_of(*settings)};
    std::filesystem::remove(file);
    return made;
  } catch (const WorkerDied& error) {
    throw IoError(fmt::format("search: the model of {} cannot be made again: {}", to_string(point), error.what()));
  }
}

void IsolatedTrials::forget(const Point& point) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key_of(point));
  if (found == kept_.end()) return;
  std::error_code ignored;  // the folder goes in the end
  std::filesystem::remove(found->second.file, ignored);
  kept_.erase(found);
}

std::filesystem::path IsolatedTrials::new_file() {
  const std::lock_guard lock(mutex_);
  return folder_.path() / fmt::format("{}.onnx", files_++);
}

}  // namespace quantsearch
