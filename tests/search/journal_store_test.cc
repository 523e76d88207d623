#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "quantsearch/base/files.h"
#include "search/problems.h"

namespace quantsearch {
namespace {

const Value kFingerprint = Value::Map{{"model", "abc"}, {"data", "def"}};

std::vector<Trial> examples() {
  Trial complete;
  complete.number = 0;
  complete.state = TrialState::complete;
  complete.point = {{"a", "text with \"quotes\"\nand a line"},
                    {"b", 1},
                    {"c", 1.0},
                    {"d", false},
                    {"e", Value::List{1, 0.1}}};
  complete.value = 0.1 + 0.2;
  complete.is_candidate = true;
  complete.seconds = 1.0 / 3;
  complete.details = Value::Map{
      {"scores", Value::Map{{"L2", 5e-324}, {"psnr", 1.7976931348623157e308}, {"zero", -0.0}}},
      {"size_bytes", std::int64_t{1} << 53}};
  Trial failed;
  failed.number = 1;
  failed.state = TrialState::failed;
  failed.reason = "no";
  return {complete, failed};
}

std::string text_of(const std::filesystem::path& file) { return read_file(file); }

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string opening_message(const std::filesystem::path& file,
                            const Value& fingerprint = kFingerprint) {
  return message_of<Error>([&] { (void)journal_store(file, fingerprint); });
}

class Journal : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "study.jsonl";
};

TEST_F(Journal, TrialsComeBackExactly) {
  const auto store = journal_store(file_, kFingerprint);
  EXPECT_TRUE(store->load().empty());
  for (const Trial& trial : examples()) store->save(trial);
  EXPECT_EQ(store->load(), examples());
}

TEST_F(Journal, TrialsComeBackExactlyAfterReopening) {
  for (const Trial& trial : examples()) journal_store(file_, kFingerprint)->save(trial);
  const std::vector<Trial> loaded = journal_store(file_, kFingerprint)->load();
  ASSERT_EQ(loaded, examples());
  EXPECT_TRUE(loaded[0].point.at("b").is_int());
  EXPECT_TRUE(loaded[0].point.at("c").is_double());
  EXPECT_TRUE(std::signbit(loaded[0].details.find("scores")->find("zero")->as_double()));
}

TEST_F(Journal, IsOneLineForEachTrial) {
  journal_store(file_, kFingerprint)->save(examples()[1]);
  EXPECT_EQ(text_of(file_),
            "{\"journal\":1,\"fingerprint\":{\"model\":\"abc\",\"data\":\"def\"}}\n"
            "{\"number\":1,\"state\":\"failed\",\"point\":{},\"is_candidate\":false,\"seconds\":0."
            "0,\"reason\":\"no\","
            "\"details\":null}\n");
}

TEST_F(Journal, AKillAtAnyByteLosesAtMostTheLastTrial) {
  for (const Trial& trial : examples()) journal_store(file_, kFingerprint)->save(trial);
  const std::string whole = text_of(file_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(file_, whole.substr(0, size));
    const auto lines = static_cast<std::size_t>(std::ranges::count(whole.substr(0, size), '\n'));
    const std::size_t trials = lines == 0 ? 0 : lines - 1;
    const bool goes_on = size % 16 == 0;  // each saved trial waits for the disk
    {
      const auto store = journal_store(file_, kFingerprint);
      ASSERT_EQ(store->load().size(), trials) << size;
      for (std::size_t next = trials; goes_on && next < 2; ++next) store->save(examples()[next]);
    }
    if (goes_on) {
      ASSERT_EQ(text_of(file_), whole) << size;
    }
  }
}

TEST_F(Journal, AnotherFingerprintIsRefusedWithWhatDiffers) {
  (void)journal_store(file_, kFingerprint);
  const std::string before = text_of(file_);
  EXPECT_EQ(opening_message(file_, Value::Map{{"model", "xyz"}, {"labels", 3}}),
            "study journal '" + file_.string() +
                "' belongs to another search: 'model' is \"xyz\", was \"abc\"; 'labels' is 3, was "
                "absent; 'data' is "
                "absent, was \"def\"; resume with what it was started with, or choose another "
                "output folder");
  EXPECT_EQ(text_of(file_), before);
  EXPECT_EQ(opening_message(file_, Value::Map{{"data", "def"}, {"model", "abc"}}),
            "nothing was thrown");
}

TEST_F(Journal, AnotherFileIsRefusedAndKept) {
  const std::string message =
      "study journal '" + file_.string() +
      "': the first line is not that of a study journal of version 1; choose another output "
      "folder";
  for (const std::string text :
       {"hello", "hello\n", "{}\n", "[1]\n", "{\"journal\":2,\"fingerprint\":{}}\n",
        "{\"journal\":1,\"fingerprint\":3}\n"}) {
    write(file_, text);
    EXPECT_EQ(opening_message(file_), message) << text;
    EXPECT_EQ(text_of(file_), text);
  }
}

TEST_F(Journal, ABrokenLineInTheMiddleIsNamed) {
  (void)journal_store(file_, kFingerprint);
  const std::string header = text_of(file_);
  write(file_, header + "{\"number\":0}\n");
  EXPECT_EQ(opening_message(file_),
            "study journal '" + file_.string() +
                "' line 2: got no 'state', expected one; choose another output folder");
  write(file_, header + "{\"number\":0,\"state\":\"done\"}\n");
  EXPECT_EQ(opening_message(file_),
            "study journal '" + file_.string() +
                "' line 2: got state 'done', expected the state of a trial; choose another "
                "output folder");
}

TEST_F(Journal, IsForOneSearchAtATime) {
  const auto store = journal_store(file_, kFingerprint);
  EXPECT_EQ(opening_message(file_),
            "study journal '" + file_.string() +
                "' is in use by another search; wait for it or choose another output folder");
}

TEST_F(Journal, WhatCannotBeOpenedIsAnIoError) {
  const std::filesystem::path missing = folder_.path() / "none" / "j";
  EXPECT_THROW((void)journal_store(missing, kFingerprint), IoError);
  EXPECT_EQ(opening_message(missing),
            "study journal '" + missing.string() + "' cannot be opened: No such file or directory");
}

TEST_F(Journal, AFullDiskIsAnIoError) {
  EXPECT_EQ(opening_message("/dev/full"),
            "study journal '/dev/full' cannot be written: No space left on device");
}

}  // namespace
}  // namespace quantsearch
