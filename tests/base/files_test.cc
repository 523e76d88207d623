#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "quantsearch/base/error.h"
#include "quantsearch/base/files.h"

namespace quantsearch {
namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(WriteFileAtomically, WritesAndReplacesWholeFiles) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.txt";
  write_file_atomically(file, "one");
  write_file_atomically(file, "second");
  EXPECT_EQ(read_file(file), "second");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(WriteFileAtomically, AFailedWriterLeavesTheOldFileAndNoRest) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.txt";
  write_file_atomically(file, "old");
  EXPECT_THROW(write_file_atomically(file, [](std::ostream& out) {
    out << "new";
    throw std::runtime_error("stop");
  }), std::runtime_error);
  EXPECT_EQ(read_file(file), "old");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(WriteFileAtomically, AMissingFolderIsAnIoErrorWithTheReason) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "none" / "a.txt";
  try {
    write_file_atomically(file, "x");
    FAIL() << "no error";
  } catch (const IoError& error) {
    EXPECT_EQ(std::string(error.what()),
              "file '" + file.string() + "' cannot be written: No such file or directory");
  }
}

TEST(WriteFileAtomically, AFullDiskIsAnIoErrorWithTheReason) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.txt";
  // The temporary beside the target is a link to the device that is always full.
  try {
    write_file_atomically(file, [&](std::ostream& out) {
      std::ofstream full("/dev/full", std::ios::binary);
      full << "x" << std::flush;
      if (!full) out.setstate(std::ios::badbit);
    });
    FAIL() << "no error";
  } catch (const IoError& error) {
    EXPECT_EQ(std::string(error.what()), "file '" + file.string() + "' cannot be written: No space left on device");
  }
  EXPECT_EQ(files_in(folder.path()), 0U);
}

TEST(MapFile, GivesTheBytesAndOutlivesTheFile) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.bin";
  write_file_atomically(file, "abc");
  const MappedFile map = map_file(file);
  std::filesystem::remove(file);
  ASSERT_EQ(map.bytes.size(), 3U);
  EXPECT_EQ(map.bytes[2], std::byte{'c'});
}

TEST(MapFile, AnEmptyFileHasNoBytes) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "empty", "");
  EXPECT_TRUE(map_file(folder.path() / "empty").bytes.empty());
}

TEST(MapFile, MissingFilesAndFoldersAreInvalidInput) {
  const TemporaryFolder folder;
  EXPECT_THROW((void)map_file(folder.path() / "none"), InvalidInput);
  EXPECT_THROW((void)map_file(folder.path()), InvalidInput);
}

TEST(TemporaryFolder, IsRemovedWithItsContent) {
  std::filesystem::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    write_file_atomically(path / "x", "1");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace quantsearch
