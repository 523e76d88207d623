#include "trials/worker_handle.h"

#include <fmt/core.h>
#include <signal.h>

#include <cstring>
#include <fstream>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr int kMomentMilliseconds = 10;

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string ending_of(const ChildResult& result) {
  const std::string last = result.last_error.empty()
                               ? ""
                               : fmt::format("; its last line of errors: {}", result.last_error);
  if (result.signal == 0) return fmt::format("ended with exit code {}{}", result.exit_code, last);
  const char* const hint =
      result.signal == SIGKILL ? ", which the system does when memory runs out" : "";
  return fmt::format("was ended by signal {} ({}){}{}", result.signal, ::strsignal(result.signal),
                     hint, last);
}

std::unique_ptr<ChildProcess> started(const std::vector<std::string>& command, Descriptor theirs) {
  auto process = std::make_unique<ChildProcess>(command, theirs.get());
  // When memory runs out, the system should kill a worker and not the search.
  std::ofstream(fmt::format("/proc/{}/oom_score_adj", process->id())) << 1000;
  return process;
}

}  // namespace

WorkerHandle::WorkerHandle(Options options, const CancellationToken& token)
    : WorkerHandle(std::move(options), token, open_socket_pair()) {}

WorkerHandle::WorkerHandle(Options options, const CancellationToken& token, SocketPair conversation)
    : options_(std::move(options)),
      channel_(std::move(conversation.ours)),
      process_(started(options_.command, std::move(conversation.theirs))) {
  send(options_.greeting);
  std::optional<Value> message;
  while (!message) {
    token.throw_if_cancelled();
    message = next_message();
  }
  const Value* const ready = message->find("ready");
  if (ready == nullptr)
    throw IoError(
        fmt::format("search: a worker process sent {} before it was ready", to_json(*message)));
  if (*ready != options_.fingerprint) {
    throw IoError(
        fmt::format("search: a worker process reads other input than the search: {} instead of {}; "
                    "did a file change?",
                    to_json(*ready), to_json(options_.fingerprint)));
  }
}

Value WorkerHandle::ask(const Value& request, const CancellationToken& token,
                        const std::function<void()>& alone) {
  send(request);
  std::optional<Clock::time_point> last_moment;
  while (true) {
    const std::optional<Value> message = next_message();
    if (message && message->find("alone") != nullptr) {
      alone();
      send(*message);
    } else if (message) {
      ++answered_;
      if (message->find("cancelled") != nullptr) throw Cancelled();
      return *message;
    }
    if (!token.is_cancelled()) continue;
    if (!last_moment) {
      last_moment = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                       std::chrono::duration<double>(options_.grace_seconds));
      send(Value::Map{{"cancel", true}});
    } else if (Clock::now() >= *last_moment) {
      process_.reset();
      throw Cancelled();
    }
  }
}

void WorkerHandle::send(const Value& message) {
  try {
    channel_.send(message);
  } catch (const IoError&) {  // the worker has closed the socket
    die(ending_of(process_->end()));
  }
}

std::optional<Value> WorkerHandle::next_message() {
  MessageChannel::Received received = channel_.receive(kMomentMilliseconds);
  process_->read(0);
  if (received.closed) die(ending_of(process_->end()));
  if (!received.message) {
    require_within_memory();
    return std::nullopt;
  }
  const Value* const level = received.message->find("log");
  if (level == nullptr) return std::move(received.message);
  say(options_.log, static_cast<LogLevel>(level->as_int()),
      received.message->find("line")->as_string());
  return std::nullopt;
}

void WorkerHandle::require_within_memory() {
  if (options_.memory_limit == 0) return;
  const std::int64_t own = own_memory_bytes(process_->id());
  if (own <= options_.memory_limit) return;
  process_->end();
  die(fmt::format("took {} of memory, its limit is {}", megabytes(own),
                  megabytes(options_.memory_limit)));
}

void WorkerHandle::die(const std::string& reason) {
  process_.reset();
  throw WorkerDied("the worker process " + reason);
}

}  // namespace quantsearch
