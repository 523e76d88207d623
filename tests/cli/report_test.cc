// quantsearch report.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/descriptor.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/storage.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() {
    testing::write_model(at("model.onnx"), testing::small_model());
    testing::write_arrays(at("data.npz"),
                          {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
    write_file_atomically(at("config.yaml"),
                          "search_space: {calibrate_method: [MinMax, Percentile]}\n");
    const RunResult made = run({"search", "model.onnx", "--calibration", "data.npz", "--config",
                                "config.yaml", "--output", "out", "--tolerance", "100"});
    EXPECT_EQ(made.exit_code, 0) << made.error;
  }
  [[nodiscard]] fs::path at(const std::string& name) const { return folder_.path() / name; }
  [[nodiscard]] RunResult run(const std::vector<std::string>& arguments) const {
    return run_quantsearch(arguments, folder_.path());
  }
  /// The folder of a search that has run both trials and not ended.
  void make_running() const {
    Value head = load_config_file(at("out/results.json"));
    head.set("trials", Value::List{});
    head.set("candidates", Value::List{});
    head.set("best", Value());
    head.set("stop_reason", "running");
    write_file_atomically(at("out/running.json"), to_json(head));
  }

  TemporaryFolder folder_;
};

TEST_F(ReportTest, PrintsTheFormatThatIsAskedFor) {
  EXPECT_TRUE(run({"report", "out", "--format", "csv"}).out.starts_with("trial,state,candidate,"));
  EXPECT_TRUE(
      run({"report", "out", "--format", "markdown"}).out.starts_with("# Search of model.onnx\n"));
  EXPECT_EQ(run({"report", "out", "--format", "json"}).out, read_file(at("out/results.json")));
  EXPECT_EQ(run({"report", "out"}).out, run({"report", "out", "--format", "text"}).out);
  const RunResult refused = run({"report", "out", "--format", "xml"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.error.find("xml"), std::string::npos);
}

TEST_F(ReportTest, TheSearchSaysHowToBuildItsModelAgain) {
  const Value results = load_config_file(at("out/results.json"));
  const std::string command = results.find("rebuild_command")->as_string();
  EXPECT_EQ(command,
            "quantsearch quantize model.onnx --calibration data.npz --config out/best_config.yaml "
            "--output out/rebuilt.onnx");
  ASSERT_EQ(run({"quantize", "model.onnx", "--calibration", "data.npz", "--config",
                 "out/best_config.yaml", "--output", "out/rebuilt.onnx"})
                .exit_code,
            0);
  EXPECT_EQ(read_file(at("out/rebuilt.onnx")), read_file(at("out/best.onnx")));
}

TEST_F(ReportTest, OfASearchThatRunsHasItsTrialsSoFar) {
  make_running();
  const Value report = parse_json(run({"report", "out", "--json"}).out, "report");
  EXPECT_EQ(report.find("stop_reason")->as_string(), "running");
  EXPECT_EQ(report.find("trials")->as_list().size(), 2U);
  EXPECT_EQ(report.find("model")->as_string(), "model.onnx");
  EXPECT_FALSE(report.find("best")->is_null());
}

TEST_F(ReportTest, ComparesTwoSearches) {
  const RunResult text = run({"report", "--compare", "out", "out/results.json"});
  EXPECT_EQ(text.exit_code, 0) << text.error;
  EXPECT_NE(text.out.find("first  second"), std::string::npos) << text.out;
  const RunResult page =
      run({"report", "--compare", "out", "out", "--format", "json", "--html", "both.html"});
  EXPECT_EQ(parse_json(page.out, "report").find("searches")->as_list().size(), 2U);
  EXPECT_TRUE(fs::exists(at("both.html")));
}

TEST_F(ReportTest, RefusesWhatContradictsItself) {
  const auto message = [&](const std::vector<std::string>& arguments) {
    const RunResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2);
    return result.error;
  };
  EXPECT_EQ(message({"report"}),
            "quantsearch: report: got no PLACE; give the output folder of a search, or two with "
            "--compare\n");
  EXPECT_EQ(message({"report", "out", "--compare", "out", "out"}),
            "quantsearch: report: got both PLACE 'out' and --compare; give one of them\n");
  EXPECT_EQ(message({"report", "--compare", "out", "out", "--format", "csv"}),
            "quantsearch: report: --compare has no format 'csv', expected text or json\n");
}

/// The answer of a server on this machine to one request.
std::string answer_of(int port, const std::string& request) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return "not connected";
  (void)::send(socket.get(), request.data(), request.size(), 0);
  std::string answer;
  char part[4096];
  for (ssize_t count = 0; (count = ::recv(socket.get(), part, sizeof part, 0)) > 0;)
    answer.append(part, static_cast<std::size_t>(count));
  return answer;
}

std::string get(int port, const std::string& path, const std::string& host) {
  return answer_of(port, "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
}

/// `report PLACE --serve` until the end of the test.
class Served {
 public:
  explicit Served(const fs::path& folder, const std::string& place = "out") {
    const TemporaryFolder said_folder;
    const fs::path out = said_folder.path() / "served.txt";
    process_ = testing::start_quantsearch({"report", place, "--serve", "--port", "0"},
                                          folder.string(), out.string());
    const std::string before = "report: http://127.0.0.1:";
    while (::kill(process_, 0) == 0) {
      const std::string said = fs::exists(out) ? read_file(out) : "";
      if (said.find("/ ") == std::string::npos) {
        ::usleep(1000);
        continue;
      }
      port_ = std::stoi(said.substr(before.size()));
      return;
    }
  }
  ~Served() {
    if (process_ > 0) (void)end();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string data() const {
    const std::string answer = get(port_, "/data.json", "127.0.0.1:" + std::to_string(port_));
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  [[nodiscard]] int end() {
    ::kill(process_, SIGINT);
    return testing::wait_for(std::exchange(process_, 0));
  }

 private:
  int process_ = 0;
  int port_ = 0;
};

TEST_F(ReportTest, ServesThePageAndItsDataToThisMachineOnly) {
  Served served(folder_.path());
  const std::string host = "127.0.0.1:" + std::to_string(served.port());
  const std::string page = get(served.port(), "/", host);
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200 OK\r\n")) << page.substr(0, 200);
  EXPECT_NE(page.find("<!DOCTYPE html>"), std::string::npos);
  const std::string data = get(served.port(), "/data.json", host);
  const Value value = parse_json(data.substr(data.find("\r\n\r\n") + 4), "data.json");
  EXPECT_EQ(value.find("refresh_seconds")->as_int(), 3);
  EXPECT_TRUE(get(served.port(), "/data.json", "evil.example").starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(get(served.port(), "/etc/passwd", host).starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(answer_of(served.port(), "POST / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                  .starts_with("HTTP/1.1 405 "));
  EXPECT_EQ(served.end(), 0);
}

TEST_F(ReportTest, ServesWhatARunningSearchHasFoundSince) {
  make_running();
  Served served(folder_.path());
  const std::string host = "localhost:" + std::to_string(served.port());
  EXPECT_NE(get(served.port(), "/data.json", host).find(R"("running":true)"), std::string::npos);
  fs::remove(at("out/running.json"));
  EXPECT_NE(get(served.port(), "/data.json", host).find(R"("running":false)"), std::string::npos);
  fs::remove(at("out/results.json"));
  fs::remove(at("out/study.db"));
  EXPECT_TRUE(get(served.port(), "/data.json", host).starts_with("HTTP/1.1 500 "));
}

Trial started(std::int64_t number) {
  Trial trial;
  trial.number = number;
  trial.point = {{"bits", 2 + number % 7}};
  return trial;
}

Trial ended(std::int64_t number) {
  Trial trial = started(number);
  trial.state = number % 4 == 1 ? TrialState::failed : TrialState::complete;
  if (trial.state == TrialState::complete)
    trial.value = 1.0 / static_cast<double>(3 + number * 5 % 7);
  trial.seconds = 0.25;
  return trial;
}

TEST_F(ReportTest, ServesOfAStudyThatGrowsWhatAFreshReportHas) {
  const fs::path file = at("alone.db");
  const StudyDescription description{.name = "alone",
                                     .distributions = {{"bits", IntRange{.low = 2, .high = 8}}}};
  const auto open = [&] { return sqlite_store(file, description); };
  auto store = open();
  const Served served(folder_.path(), file.string());
  const auto expect_fresh = [&] {
    const std::string data = served.data();
    EXPECT_EQ(data, Served(folder_.path(), file.string()).data());
    return parse_json(data, "data").find("searches")->as_list()[0].find("trials")->as_list().size();
  };
  EXPECT_EQ(expect_fresh(), 0U);
  for (std::int64_t number = 0; number < 4; ++number) store->start(started(number));
  store->save(ended(2));
  store->save(ended(1));
  EXPECT_EQ(expect_fresh(), 2U);
  store->start(started(4));
  for (const std::int64_t number : {4, 0, 5, 6}) store->save(ended(number));
  EXPECT_EQ(expect_fresh(), 6U);
  store->save(ended(3));
  EXPECT_EQ(expect_fresh(), 7U);
  store.reset();
  fs::remove(file);
  store = open();
  store->save(ended(0));
  EXPECT_EQ(expect_fresh(), 1U);
}

}  // namespace
}  // namespace quantsearch
