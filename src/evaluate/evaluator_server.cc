#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "evaluate/command_text.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/child_process.h"

namespace quantsearch {

namespace {

constexpr int kPollServerMilliseconds = 10;
// An answer is one line; more than this without an end of line is none.
constexpr std::size_t kLongestAnswer = std::size_t{1} << 20;
constexpr std::chrono::seconds kTimeToEnd{1};

std::string without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

/// One running process and the connection to its standard input and output.
class ServerProcess {
 public:
  ServerProcess(const std::vector<std::string>& command, const LogSink& log, SocketPair pair)
      : socket_(std::move(pair.ours)),
        process_(command, pair.theirs.get(), [log](std::string_view line) {
          say(log, LogLevel::info, fmt::format("evaluator: {}", line));
        }) {}
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() {
    socket_.close();
    const Clock::time_point last = Clock::now() + kTimeToEnd;
    while (!is_killed_ && !process_.has_ended() && Clock::now() < last)
      process_.read(kPollServerMilliseconds);
  }

  /// False when the process takes no more input.
  [[nodiscard]] bool send(const std::string& line) {
    for (std::size_t sent = 0; sent < line.size();) {
      const ssize_t count =
          ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  struct Received {
    std::optional<std::string> line;  // absent when none came within the poll interval
    bool closed = false;              // no line will come any more
  };
  /// The next line that is not blank.
  [[nodiscard]] Received receive() {
    process_.read(0);
    if (auto line = next_line()) return {.line = std::move(line)};
    pollfd source{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&source, 1, kPollServerMilliseconds) <= 0) return {};
    std::array<char, 65536> buffer;
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (count > 0) received_.append(buffer.data(), static_cast<std::size_t>(count));
    auto line = next_line();
    return {.line = std::move(line), .closed = count <= 0 || received_.size() > kLongestAnswer};
  }

  /// Kills the process group and returns how it ended.
  [[nodiscard]] ChildResult kill() {
    // A process that closed its output is about to end; the reason is worth a moment.
    const Clock::time_point last = Clock::now() + kTimeToEnd;
    while (has_closed_ && !process_.has_ended() && Clock::now() < last)
      process_.read(kPollServerMilliseconds);
    is_killed_ = true;
    return process_.end();
  }
  void mark_closed() { has_closed_ = true; }

 private:
  [[nodiscard]] std::optional<std::string> next_line() {
    while (true) {
      const std::size_t end = received_.find('\n');
      if (end == std::string::npos) return std::nullopt;
      std::string line = without_blanks(std::string_view(received_).substr(0, end));
      received_.erase(0, end + 1);
      if (!line.empty()) return line;
    }
  }

  Descriptor socket_;
  ChildProcess process_;
  std::string received_;
  bool has_closed_ = false;
  bool is_killed_ = false;
};

}  // namespace

struct EvaluatorServer::State {
  CommandEvaluator evaluator;
  LogSink log;
  std::mutex mutex;
  std::vector<std::unique_ptr<ServerProcess>> idle;

  [[nodiscard]] std::unique_ptr<ServerProcess> started() const {
    try {
      return std::make_unique<ServerProcess>(evaluator.command, log, open_socket_pair());
    } catch (const IoError& error) {
      throw IoError(fmt::format("evaluate: {}", error.what()));
    }
  }

  [[nodiscard]] std::unique_ptr<ServerProcess> take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        std::unique_ptr<ServerProcess> process = std::move(idle.back());
        idle.pop_back();
        return process;
      }
    }
    return started();
  }

  void give_back(std::unique_ptr<ServerProcess> process) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(process));
  }

  /// Returns the answer; nullopt when the process has ended instead. The process is killed when no
  /// answer can come from it any more.
  [[nodiscard]] std::optional<std::string> ask(ServerProcess& process, const std::string& line,
                                               const CancellationToken& token) const {
    if (!process.send(line)) {
      process.mark_closed();
      return std::nullopt;
    }
    const Clock::time_point start = Clock::now();
    while (true) {
      ServerProcess::Received received = process.receive();
      if (received.line) return std::move(received.line);
      if (received.closed) {
        process.mark_closed();
        return std::nullopt;
      }
      if (token.is_cancelled()) {
        (void)process.kill();
        throw Cancelled();
      }
      if (std::chrono::duration<double>(Clock::now() - start).count() >=
          evaluator.timeout_seconds) {
        throw IoError(fmt::format(
            "evaluate: server '{}' took longer than {} s for a model and was killed{}",
            text_of(evaluator.command), evaluator.timeout_seconds, last_error_of(process.kill())));
      }
    }
  }
};

EvaluatorServer::EvaluatorServer(CommandEvaluator evaluator, LogSink log) {
  require_runnable(evaluator);
  state_ = std::make_unique<State>();
  state_->evaluator = std::move(evaluator);
  state_->log = std::move(log);
}

EvaluatorServer::~EvaluatorServer() = default;

void EvaluatorServer::rest() {
  std::vector<std::unique_ptr<ServerProcess>> ended;
  const std::lock_guard lock(state_->mutex);
  ended.swap(state_->idle);
}

EvaluatorScores EvaluatorServer::score(const std::filesystem::path& model,
                                       const CancellationToken& token) {
  token.throw_if_cancelled();
  const std::string command = text_of(state_->evaluator.command);
  const std::string request = std::filesystem::absolute(model).string() + "\n";
  std::unique_ptr<ServerProcess> process = state_->take();
  std::optional<std::string> answer = state_->ask(*process, request, token);
  if (!answer) {
    const ChildResult first = process->kill();
    say(state_->log, LogLevel::warning,
        fmt::format("evaluate: server '{}' {}; it is started again", command, ending_of(first)));
    process = state_->started();
    answer = state_->ask(*process, request, token);
  }
  if (!answer) {
    throw IoError(
        fmt::format("evaluate: server '{}' {}, instead of scoring the model, also when "
                    "it was started again",
                    command, ending_of(process->kill())));
  }
  std::optional<EvaluatorScores> scores;
  try {
    scores = read_scores(*answer);
  } catch (const std::runtime_error&) {  // the server says why there is no score, and goes on
    state_->give_back(std::move(process));
    throw;
  }
  if (!scores) {
    (void)process->kill();
    throw IoError(
        fmt::format("evaluate: server '{}' printed '{}', expected one line with a finite "
                    "number or a JSON mapping of scores for each model; print anything "
                    "else to stderr",
                    command, answer->substr(0, 200)));
  }
  state_->give_back(std::move(process));
  return *scores;
}

}  // namespace quantsearch
