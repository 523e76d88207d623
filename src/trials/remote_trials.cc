// Runs trials through messages that the caller of the search carries to other processes. Unlike a
// worker process on this machine, a host keeps the models it builds: most of them are never wanted,
// and one that is wanted is asked for by its trial.

#include <fmt/core.h>

#include <mutex>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/trials/executor.h"
#include "trials/messages.h"

namespace quantsearch {

namespace {

class RemoteExecutor final : public TrialExecutor {
 public:
  explicit RemoteExecutor(RemoteOptions options) : options_(std::move(options)) {
    options_.trials.begin(Value::Map{{"float", value_of(options_.float_scores)},
                                     {"fingerprint", options_.fingerprint}});
  }

  [[nodiscard]] int jobs() const override { return options_.jobs; }
  [[nodiscard]] TrialOutcome run(const TrialRequest& request) override;
  [[nodiscard]] BuiltModel rebuild(const Trial& trial) override;
  [[nodiscard]] std::optional<Places> places() const override { return options_.trials.places; }

 private:
  class Product;

  [[nodiscard]] Value ask(const Value& request, const CancellationToken& token);
  [[nodiscard]] BuiltModel rebuild_here(const Trial& trial);

  RemoteOptions options_;
  std::mutex mutex_;
  std::unique_ptr<TrialExecutor> local_;
};

/// The model of a trial, which stays with its host until it is loaded.
class RemoteExecutor::Product final : public BuiltProduct {
 public:
  Product(RemoteExecutor& executor, Trial trial) : executor_(executor), trial_(std::move(trial)) {}
  [[nodiscard]] BuiltModel load() const override { return executor_.rebuild(trial_); }
  [[nodiscard]] std::int64_t bytes() const override { return 0; }

 private:
  RemoteExecutor& executor_;
  Trial trial_;
};

Value RemoteExecutor::ask(const Value& request, const CancellationToken& token) {
  Value answer = options_.trials.ask(request, token);
  if (const Value* const reason = answer.find("lost")) {
    if (!options_.token.is_cancelled()) say(options_.log, LogLevel::error, reason->as_string());
    options_.token.cancel();
    throw Cancelled();
  }
  if (answer.find("cancelled") != nullptr) throw Cancelled();
  return answer;
}

TrialOutcome RemoteExecutor::run(const TrialRequest& request) {
  std::optional<TrialOutcome> outcome = outcome_of(ask(message_of(request), request.token));
  if (!outcome) throw InternalError("search: a trial on another machine ended without an outcome");
  if (auto* const success = std::get_if<TrialSuccess>(&*outcome)) {
    Trial trial;
    trial.number = request.number;
    trial.state = TrialState::complete;
    trial.point = request.point;
    trial.details = success->details;
    success->product = std::make_shared<const Product>(*this, std::move(trial));
  }
  return *std::move(outcome);
}

BuiltModel RemoteExecutor::rebuild(const Trial& trial) {
  if (options_.token.is_cancelled()) return rebuild_here(trial);
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  const Value request = Value::Map{{"make", reference_to(trial)}, {"file", file.string()}};
  const Value answer = options_.trials.ask(request, options_.token);
  const Value* const settings = answer.find("made");
  if (settings == nullptr) {
    say(options_.log, LogLevel::warning,
        fmt::format("the model of trial {} is built again on this machine, because no other one "
                    "has it: {}",
                    trial.number, to_json(answer)));
    return rebuild_here(trial);
  }
  return {.model = std::make_shared<const Model>(load_model(file)),
          .settings = point_of(*settings)};
}

BuiltModel RemoteExecutor::rebuild_here(const Trial& trial) {
  const std::lock_guard lock(mutex_);
  if (local_ == nullptr) local_ = options_.make_local();
  return local_->rebuild(trial);
}

}  // namespace

std::unique_ptr<TrialExecutor> make_remote_trials(RemoteOptions options) {
  return std::make_unique<RemoteExecutor>(std::move(options));
}

RemoteGreeting greeting_of(const Value& message) {
  return {.float_scores = scores_of(*message.find("float")),
          .fingerprint = *message.find("fingerprint")};
}

}  // namespace quantsearch
