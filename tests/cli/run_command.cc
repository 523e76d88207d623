#include "cli/run_command.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "quantsearch/internal/base/files.h"

namespace quantsearch::testing {

namespace {

/// A disk with room for files of this size: writing on fails with EFBIG as it fails with ENOSPC on
/// a full one, for root too.
void limit_file_size(std::int64_t bytes) {
  const rlimit limit{.rlim_cur = static_cast<rlim_t>(bytes),
                     .rlim_max = static_cast<rlim_t>(bytes)};
  std::signal(SIGXFSZ, SIG_IGN);  // stays ignored in the program
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(127);
}

/// Programs that spare test machines behave as on the user's.
void live_in(const std::string& home) {
  setenv("HOME", home.c_str(), 1);
  for (const char* name : {"CI", "XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY"}) unsetenv(name);
}

/// The words of a command as execvp() takes them.
std::vector<char*> argv_of(std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return argv;
}

/// The program, or the words of QUANTSEARCH_TEST_COMMAND: an emulator and a program for it.
std::vector<std::string> tested_command() {
  const char* const given = std::getenv("QUANTSEARCH_TEST_COMMAND");
  if (given == nullptr) return {QUANTSEARCH_PROGRAM};
  std::istringstream text(given);
  return {std::istream_iterator<std::string>(text), {}};
}

int start(const std::vector<std::string>& arguments, const std::string& folder,
          const std::string& out, const std::string& error, const RunOptions& options) {
  std::vector<std::string> words = tested_command();
  words.insert(words.end(), arguments.begin(), arguments.end());
  const std::vector<char*> argv = argv_of(words);
  const pid_t child = fork();
  if (child == 0) {
    const int to_out = open(out.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    const int to_error = open(error.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    dup2(to_out, 1);
    dup2(to_error, 2);
    unsetenv("COLUMNS");
    if (options.columns) setenv("COLUMNS", options.columns->c_str(), 1);
    if (options.home) live_in(*options.home);
    if (options.temporary) setenv("TMPDIR", options.temporary->c_str(), 1);
    if (options.runtime) setenv("ONNXRUNTIME_ROOT", options.runtime->c_str(), 1);
    if (options.largest_file_bytes) limit_file_size(*options.largest_file_bytes);
    if (chdir(folder.c_str()) == 0) execvp(argv[0], argv.data());
    _exit(127);
  }
  return child;
}

}  // namespace

int wait_for(int process) {
  int status = 0;
  waitpid(process, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int start_quantsearch(const std::vector<std::string>& arguments, const std::string& folder,
                      const std::string& out) {
  return start(arguments, folder, out, "/dev/null", {});
}

int start_program(const std::vector<std::string>& command, const std::string& folder,
                  const std::map<std::string, std::string>& variables) {
  std::vector<std::string> words = command;
  const std::vector<char*> argv = argv_of(words);
  const pid_t child = fork();
  if (child == 0) {
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    if (chdir(folder.c_str()) == 0) execvp(argv[0], argv.data());
    _exit(127);
  }
  return child;
}

RunResult run_quantsearch(const std::vector<std::string>& arguments, const std::string& folder,
                          const RunOptions& options) {
  const TemporaryFolder temporary;
  const std::string out = (temporary.path() / "out").string();
  const std::string error = (temporary.path() / "error").string();
  RunResult result;
  result.exit_code = wait_for(start(arguments, folder, out, error, options));
  result.out = read_file(out);
  result.error = read_file(error);
  return result;
}

}  // namespace quantsearch::testing
