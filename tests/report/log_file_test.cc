#include <gtest/gtest.h>

#include <regex>

#include "quantsearch/base/error.h"
#include "quantsearch/base/files.h"
#include "quantsearch/report.h"

namespace quantsearch {
namespace {

TEST(LogFile, LinesCarryTimeAndLevel) {
  const TemporaryFolder folder;
  const LogSink log = open_log_file(folder.path() / "log");
  log(LogLevel::info, "hello");
  log(LogLevel::warning, "careful");
  const std::regex wanted(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info hello\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning careful\n)");
  EXPECT_TRUE(std::regex_match(read_file(folder.path() / "log"), wanted)) << read_file(folder.path() / "log");
}

TEST(LogFile, AppendsToWhatIsThere) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "log", "before\n");
  open_log_file(folder.path() / "log")(LogLevel::info, "after");
  EXPECT_TRUE(read_file(folder.path() / "log").starts_with("before\n"));
}

TEST(LogFile, AFolderThatIsNotThereIsAnError) {
  EXPECT_THROW((void)open_log_file("/nonexistent/folder/log"), IoError);
}

}  // namespace
}  // namespace quantsearch
