#include "autosearch/trial_service.h"

#include <unistd.h>

#include <new>
#include <thread>

#include "autosearch/trial_messages.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

Value failed(const std::string& reason) { return message_of(TrialFailure{.reason = reason, .details = {}}); }

// Ends a process whose runtime does not hear that it is cancelled.
constexpr unsigned kSecondsToEnd = 10;

}  // namespace

Value TrialService::answer(TrialRunner& runner, const Value& request, const CancellationToken& token) {
  const auto made = [&request](const BuiltModel& built) {
    save_model(*built.model, request.find("file")->as_string());
    return value_of(built.settings);
  };
  try {
    if (const Value* const trial = request.find("make")) return Value::Map{{"made", made(runner.rebuild(trial_of(*trial)))}};
    TrialRequest wanted{.point = point_of(*request.find("point")), .number = request.find("run")->as_int(), .token = token};
    if (const Value* const incumbent = request.find("incumbent")) wanted.incumbent = trial_of(*incumbent);
    const TrialOutcome outcome = runner.run(wanted);
    Value message = message_of(outcome);
    if (const auto* const success = std::get_if<TrialSuccess>(&outcome)) {
      message.set("made", made(std::static_pointer_cast<const BuiltProduct>(success->product)->load()));
    }
    return message;
  } catch (const Cancelled&) {
    return Value::Map{{"cancelled", true}};
  } catch (const std::bad_alloc&) {
    return failed("out of memory");
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}

void TrialService::reply(const Value& message) {
  try {
    channel_.send(message);
  } catch (const IoError&) {  // the search is gone; serve() sees it too
  }
}

LogSink TrialService::log() {
  return [this](LogLevel level, std::string_view line) {
    if (is_serving_) reply(Value::Map{{"log", static_cast<int>(level)}, {"line", line}});
  };
}

Scores TrialService::float_scores() {
  const MessageChannel::Received first = channel_.receive(-1);
  if (first.closed || first.message->find("float") == nullptr) throw InvalidInput("--trial-worker: is for quantsearch itself");
  return scores_of(*first.message->find("float"));
}

void TrialService::serve(TrialRunner& runner, const Value& fingerprint) {
  channel_.send(Value::Map{{"ready", fingerprint}});
  is_serving_ = true;
  std::jthread at_work;
  CancellationToken token;
  while (true) {
    const MessageChannel::Received received = channel_.receive(-1);
    if (received.closed) break;
    const Value& message = *received.message;
    if (message.find("cancel") != nullptr) {
      token.cancel();
    } else if (message.find("alone") != nullptr) {
      const std::lock_guard lock(mutex_);
      is_alone_ = true;
      changed_.notify_all();
    } else {
      if (at_work.joinable()) at_work.join();  // it has answered
      token = CancellationToken();
      at_work = std::jthread([this, &runner, message, token] { reply(answer(runner, message, token)); });
    }
  }
  ::alarm(kSecondsToEnd);
  token.cancel();
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

void TrialService::wait_until_alone() {
  reply(Value::Map{{"alone", true}});
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_alone_ || is_closed_; });
  is_alone_ = false;
}

}  // namespace quantsearch
