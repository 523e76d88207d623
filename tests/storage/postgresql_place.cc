#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "storage/place.h"

namespace quantsearch {

namespace {

namespace fs = std::filesystem;

/// The newest of Debian's folders, or one of the folders in PATH, that contains the server.
std::optional<fs::path> folder_of_programs() {
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    folders.push_back(version.path() / "bin");
  }
  std::ranges::sort(folders, std::ranges::greater());
  for (const char* folder : {"/usr/bin", "/usr/local/bin", "/usr/pgsql/bin"})
    folders.push_back(folder);
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / "initdb", ignored) && fs::exists(folder / "postgres", ignored))
      return folder;
  }
  return std::nullopt;
}

/// A server in a temporary folder, reached through a socket there. PostgreSQL refuses to run as
/// root, so root starts it as "postgres" or "nobody".
class Server {
 public:
  explicit Server(const fs::path& programs) {
    if (::geteuid() == 0) {
      const passwd* user = ::getpwnam("postgres");
      if (user == nullptr) user = ::getpwnam("nobody");
      if (user == nullptr) return;
      user_ = User{user->pw_uid, user->pw_gid};
      if (::chown(folder_.path().c_str(), user_->id, user_->group) != 0) return;
    }
    const std::string data = (folder_.path() / "data").string();
    int status = 0;
    const pid_t preparing = start({(programs / "initdb").string(), "-D", data, "-A", "trust", "-U",
                                   "tester", "--no-sync", "--no-instructions", "-E", "UTF8"});
    if (::waitpid(preparing, &status, 0) != preparing || status != 0) return;
    // The tests do not cover a crash of the machine.
    command_ = {(programs / "postgres").string(),
                "-D",
                data,
                "-k",
                folder_.path().string(),
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "timezone=Asia/Tokyo"};
    resume();
  }
  ~Server() { end(SIGQUIT); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] bool is_ready() const { return is_ready_; }
  /// Stops without waiting for the clients. Returns when the server has ended.
  void stop() { end(SIGINT); }
  void resume() {
    id_ = start(command_);
    is_ready_ = becomes_ready();
  }
  [[nodiscard]] std::string url(const std::string& options) const {
    return "postgresql+psycopg2://tester@/postgres?host=" + folder_.path().string() + options;
  }
  [[nodiscard]] std::string socket_folder() const { return folder_.path().string(); }

 private:
  struct User {
    uid_t id;
    gid_t group;
  };

  pid_t start(std::vector<std::string> words) const {
    const pid_t id = ::fork();
    if (id != 0) return id;
    if (user_ &&
        (::setgroups(0, nullptr) != 0 || ::setgid(user_->group) != 0 || ::setuid(user_->id) != 0)) {
      ::_exit(1);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // the server ends with its test
    const int log = ::open((folder_.path() / "log").c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    if (::chdir("/") != 0) ::_exit(1);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }

  void end(int signal) {
    if (id_ <= 0) return;
    ::kill(id_, signal);
    ::waitpid(id_, nullptr, 0);
    id_ = -1;
  }

  bool becomes_ready() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      try {
        (void)open_postgresql(url(""));
        return true;
      } catch (const IoError&) {
        if (::waitpid(id_, nullptr, WNOHANG) == id_) {
          id_ = -1;
          return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
    return false;
  }

  TemporaryFolder folder_;
  std::optional<User> user_;
  std::vector<std::string> command_;
  pid_t id_ = -1;
  bool is_ready_ = false;
};

/// One server for the whole program.
class ServerEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override {
    const auto programs = folder_of_programs();
    if (!programs) {
      std::cout << "PostgreSQL's server is not installed: its tests are skipped\n";
      return;
    }
    server_ = std::make_unique<Server>(*programs);
    if (!server_->is_ready()) FAIL() << "PostgreSQL's server is installed but does not start";
  }
  void TearDown() override { server_.reset(); }
  [[nodiscard]] Server* server() const { return server_.get(); }

 private:
  std::unique_ptr<Server> server_;
};

// GoogleTest owns the environment.
const auto* const the_environment = static_cast<const ServerEnvironment*>(
    ::testing::AddGlobalTestEnvironment(std::make_unique<ServerEnvironment>().release()));

class Schema final : public Place {
 public:
  Schema(Server& server, int number)
      : server_(server),
        url_(server.url(fmt::format("&options=-csearch_path%3Dtest_{}", number))),
        name_(fmt::format("study database 'postgresql://{}/postgres'", server.socket_folder())) {
    open_postgresql(server.url(""))->run(fmt::format("CREATE SCHEMA test_{}", number));
  }
  std::unique_ptr<StudyStore> open(const StudyDescription& description) const override {
    return postgresql_store(url_, description);
  }
  std::unique_ptr<SharedStudyStore> share(const StudyDescription& description,
                                          double lease_seconds) const override {
    return shared_postgresql_store(url_, description, lease_seconds);
  }
  std::string address() const override { return url_; }
  std::string name() const override { return name_; }
  std::unique_ptr<Database> connect() const override { return open_postgresql(url_); }
  bool stop() const override {
    server_.stop();
    return true;
  }
  void resume() const override { server_.resume(); }

 private:
  Server& server_;
  std::string url_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Place> new_place() {
  static int number = 0;
  Server* const server = the_environment->server();
  if (server == nullptr) return nullptr;
  return std::make_unique<Schema>(*server, ++number);
}

}  // namespace quantsearch
