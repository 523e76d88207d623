#include "quantsearch/internal/trials/worker_main.h"

#include <thread>

#include "quantsearch/base/error.h"
#include "trials/message_channel.h"
#include "trials/messages.h"

namespace quantsearch {

WorkerMain::WorkerMain(int socket)
    : channel_(std::make_unique<MessageChannel>(Descriptor(socket))) {}
WorkerMain::~WorkerMain() = default;

void WorkerMain::reply(const Value& message) {
  try {
    channel_->send(message);
  } catch (const IoError&) {  // the search has ended; serve() notices it too
  }
}

LogSink WorkerMain::log() {
  return [this](LogLevel level, std::string_view line) {
    if (is_serving_) reply(Value::Map{{"log", static_cast<int>(level)}, {"line", line}});
  };
}

Scores WorkerMain::float_scores() {
  const MessageChannel::Received first = channel_->receive(-1);
  if (first.closed || first.message->find("float") == nullptr)
    throw InvalidInput("--trial-worker: is an internal option of quantsearch");
  return scores_of(*first.message->find("float"));
}

void WorkerMain::serve(TrialExecutor& executor, const Value& fingerprint,
                       const std::function<void()>& on_closed) {
  channel_->send(Value::Map{{"ready", fingerprint}});
  is_serving_ = true;
  std::jthread at_work;
  CancellationToken token;
  while (true) {
    const MessageChannel::Received received = channel_->receive(-1);
    if (received.closed) break;
    const Value& message = *received.message;
    if (message.find("cancel") != nullptr) {
      token.cancel();
    } else if (message.find("alone") != nullptr) {
      const std::lock_guard lock(mutex_);
      is_alone_ = true;
      changed_.notify_all();
    } else {
      if (at_work.joinable()) at_work.join();  // its trial has been answered
      token = CancellationToken();
      at_work = std::jthread(
          [this, &executor, message, token] { reply(answer_request(executor, message, token)); });
    }
  }
  on_closed();
  token.cancel();
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

void WorkerMain::wait_until_alone() {
  reply(Value::Map{{"alone", true}});
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_alone_ || is_closed_; });
  is_alone_ = false;
}

}  // namespace quantsearch
