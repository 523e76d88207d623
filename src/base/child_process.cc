#include "quantsearch/internal/base/child_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "quantsearch/base/error.h"

extern char** environ;  // POSIX leaves the declaration to the program

namespace quantsearch {

namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr int kPollMilliseconds = 5;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

// Both ends are closed in every program that another thread starts meanwhile. Reads do not block.
Pipe make_pipe(const std::string& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw IoError(fmt::format("command '{}' cannot be started: {}", program, std::strerror(errno)));
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {.read_end = Descriptor(ends[0]), .write_end = Descriptor(ends[1])};
}

// Reads at most one buffer of what has arrived; closes the descriptor at the end of the stream.
void drain(Descriptor& descriptor, LastLine& line) {
  std::array<char, 16384> buffer;
  while (descriptor.is_open()) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count > 0) {
      line.add({buffer.data(), static_cast<std::size_t>(count)});
      return;  // a program that writes without end must not keep the caller from stopping it
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    descriptor.close();
  }
}

/// Start attributes: own process group, default signals, nothing inherited but the three standard
/// streams.
class SpawnSetup {
 public:
  /// Standard input is empty when `input` < 0.
  SpawnSetup(int input, int output, int error) {
    ::posix_spawn_file_actions_init(&actions_);
    if (input < 0) {
      ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    } else {
      ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    }
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, error, STDERR_FILENO);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
#endif
#endif
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD})
      ::sigaddset(&signals, signal);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

pid_t start(const std::vector<std::string>& command, const SpawnSetup& setup) {
  std::vector<std::string> arguments = command;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t process = -1;
  const int failure = ::posix_spawnp(&process, pointers[0], setup.actions(), setup.attributes(),
                                     pointers.data(), environ);
  if (failure != 0)
    throw IoError(
        fmt::format("command '{}' cannot be started: {}", command[0], std::strerror(failure)));
  return process;
}

}  // namespace

void LastLine::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    current_ += piece.substr(0, kLongestLine - std::min(kLongestLine, current_.size()));
    if (end == std::string_view::npos) return;
    std::string line = trimmed(current_);
    if (!line.empty() && on_line_) on_line_(line);
    if (!line.empty()) last_ = std::move(line);
    current_.clear();
    bytes.remove_prefix(end + 1);
  }
}

std::string LastLine::text() const {
  const std::string unfinished = trimmed(current_);
  return unfinished.empty() ? last_ : unfinished;
}

SocketPair open_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw IoError(
        fmt::format("a socket between processes cannot be opened: {}", std::strerror(errno)));
  }
  return {.ours = Descriptor(ends[0]), .theirs = Descriptor(ends[1])};
}

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  Pipe output = make_pipe(command[0]);
  Pipe error = make_pipe(command[0]);
  process_ = start(command, SpawnSetup(-1, output.write_end.get(), error.write_end.get()));
  output_ = std::move(output.read_end);
  error_ = std::move(error.read_end);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, int conversation,
                           std::function<void(std::string_view line)> on_error_line)
    : last_error_(std::move(on_error_line)) {
  Pipe error = make_pipe(command[0]);
  process_ = start(command, SpawnSetup(conversation, conversation, error.write_end.get()));
  error_ = std::move(error.read_end);
}

ChildProcess::~ChildProcess() {
  if (process_ > 0) (void)end();
}

void ChildProcess::read(int milliseconds) {
  std::array<pollfd, 2> sources = {{{.fd = output_.get(), .events = POLLIN, .revents = 0},
                                    {.fd = error_.get(), .events = POLLIN, .revents = 0}}};
  ::poll(sources.data(), sources.size(), milliseconds);  // ignores the -1 of a closed stream
  drain(output_, last_output_);
  drain(error_, last_error_);
}

bool ChildProcess::has_ended() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid != 0;
}

ChildResult ChildProcess::end() {
  ::kill(-process_, SIGKILL);
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  // The number of reads is limited, because a process that left the group may keep the pipes open
  // for ever. What they still hold is bounded by their size.
  constexpr int kMostReads = 64;
  for (int i = 0; i < kMostReads; ++i) {
    drain(output_, last_output_);
    drain(error_, last_error_);
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
          .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
          .last_output = last_output_.text(),
          .last_error = last_error_.text()};
}

ChildOutcome run_child(const std::vector<std::string>& command,
                       const std::function<bool()>& should_stop) {
  ChildProcess child(command);
  while (!child.has_ended()) {
    if (should_stop()) return {.stopped = true, .result = child.end()};
    child.read(kPollMilliseconds);
  }
  return {.stopped = false, .result = child.end()};
}

}  // namespace quantsearch
