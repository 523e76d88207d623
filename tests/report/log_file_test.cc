#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/report.h"

namespace quantsearch {
namespace {

TEST(LogFile, LinesCarryTimeAndLevel) {
  const TemporaryFolder folder;
  const LogSink log = open_log_file(folder.path() / "log");
  log(LogLevel::info, "hello");
  log(LogLevel::warning, "careful");
  std::string text = read_file(folder.path() / "log");
  std::ranges::replace_if(
      text, [](char c) { return c >= '0' && c <= '9'; }, 'd');
  EXPECT_EQ(text,
            "dddd-dd-ddTdd:dd:dd.dddZ info hello\n"
            "dddd-dd-ddTdd:dd:dd.dddZ warning careful\n");
}

TEST(LogFile, AppendsToAnExistingFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "log", "before\n");
  open_log_file(folder.path() / "log")(LogLevel::info, "after");
  EXPECT_TRUE(read_file(folder.path() / "log").starts_with("before\n"));
}

TEST(LogFile, AMissingFolderIsAnError) {
  EXPECT_THROW((void)open_log_file("/nonexistent/folder/log"), IoError);
}

}  // namespace
}  // namespace quantsearch
