#include "trials/isolated_trials.h"

#include <fmt/core.h>

#include "quantsearch/base/error.h"
#include "trials/messages.h"

namespace quantsearch {

namespace {

/// A model in a file that a worker has written. The file is removed with the object.
class ModelFile final : public BuiltProduct {
 public:
  ModelFile(std::filesystem::path file, Settings settings)
      : file_(std::move(file)), settings_(std::move(settings)) {}
  ~ModelFile() override {
    std::error_code ignored;  // the whole folder is removed later
    std::filesystem::remove(file_, ignored);
  }
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;
  BuiltModel load() const override {
    return {.model = std::make_shared<const Model>(load_model(file_)), .settings = settings_};
  }
  std::int64_t bytes() const override { return 0; }

 private:
  std::filesystem::path file_;
  Settings settings_;
};

}  // namespace

IsolatedTrials::IsolatedTrials(IsolationOptions options)
    : options_(std::move(options)),
      folder_(options_.folder),
      workers_(options_.commands.size()),
      free_(workers_.size()) {
  try {
    const SlotPool::Lease lease(free_);
    (void)worker_of(lease.slot(), options_.token);
  } catch (const WorkerDied& error) {
    throw InvalidInput(fmt::format("search: {} before its first trial{}", error.what(),
                                   options_.memory_limit > 0 ? "; raise --trial-memory" : ""));
  }
}

WorkerHandle& IsolatedTrials::worker_of(std::size_t slot, const CancellationToken& token) {
  std::unique_ptr<WorkerHandle>& worker = workers_[slot];
  if (worker == nullptr || !worker->is_alive()) {
    worker = std::make_unique<WorkerHandle>(
        WorkerHandle::Options{.command = options_.commands[slot],
                              .memory_limit = options_.memory_limit,
                              .greeting = Value::Map{{"float", value_of(options_.float_scores)}},
                              .fingerprint = options_.fingerprint,
                              .log = options_.log},
        token);
  }
  return *worker;
}

Value IsolatedTrials::ask(std::size_t slot, const Value& request, const CancellationToken& token,
                          const std::function<void()>& alone) {
  while (true) {
    WorkerHandle& worker = worker_of(slot, token);
    const bool is_new = worker.answered() == 0;
    try {
      return worker.ask(request, token, alone);
    } catch (const WorkerDied& error) {
      workers_[slot].reset();
      if (is_new) throw;
      say(options_.log, LogLevel::warning,
          fmt::format("{}; its request is sent to a new one", error.what()));
    }
  }
}

TrialOutcome IsolatedTrials::run(const TrialRequest& request) {
  const SlotPool::Lease lease(free_);
  const std::filesystem::path file = new_file();
  Value message = message_of(request);
  message.set("file", file.string());
  std::shared_lock at_work(latency_gate_);
  std::unique_lock alone(latency_gate_, std::defer_lock);
  const auto leave_alone = [&] {
    if (alone) return;  // a previous worker died while it was alone
    at_work.unlock();
    alone.lock();
  };
  try {
    const Value answer = ask(lease.slot(), message, request.token, leave_alone);
    TrialOutcome outcome = outcome_of(answer).value();
    if (const Value* const settings = answer.find("made")) {
      std::get<TrialSuccess>(outcome).product =
          std::make_shared<const ModelFile>(file, point_of(*settings));
    }
    return outcome;
  } catch (const WorkerDied& error) {
    return TrialFailure{.reason = error.what(), .details = {}};
  }
}

BuiltModel IsolatedTrials::rebuild(const Trial& trial) {
  const SlotPool::Lease lease(free_);
  const std::filesystem::path file = new_file();
  const auto impossible = [&trial](const std::string& reason) {
    return IoError(fmt::format("search: the model of {} cannot be built again: {}",
                               to_string(trial.point), reason));
  };
  try {
    Value message = Value::Map{{"make", reference_to(trial)}, {"file", file.string()}};
    const Value answer = ask(lease.slot(), message, {}, [] {});
    const Value* const settings = answer.find("made");
    if (settings == nullptr) throw impossible(to_json(answer));
    return ModelFile(file, point_of(*settings)).load();
  } catch (const WorkerDied& error) {
    throw impossible(error.what());
  }
}

std::filesystem::path IsolatedTrials::new_file() {
  const std::lock_guard lock(mutex_);
  return folder_.path() / fmt::format("{}.onnx", files_++);
}

std::unique_ptr<TrialExecutor> make_isolated_trials(IsolationOptions options) {
  return std::make_unique<IsolatedTrials>(std::move(options));
}

}  // namespace quantsearch
