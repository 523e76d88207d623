#include "quantsearch/internal/base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include "quantsearch/base/error.h"

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

TEST(WriteFileAtomically, AFailedWriterKeepsTheOldFileAndLeavesNoTemporary) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.txt";
  write_file_atomically(file, "old");
  EXPECT_THROW(write_file_atomically(file,
                                     [](std::ostream& out) {
                                       out << "new";
                                       throw std::runtime_error("stop");
                                     }),
               std::runtime_error);
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

TEST(WriteFileAtomically, AFullDiskIsAnErrorOfItsOwnWithTheReason) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.txt";
  // A failed write to the device that is always full sets the reason that the message quotes.
  try {
    write_file_atomically(file, [&](std::ostream& out) {
      std::ofstream full("/dev/full", std::ios::binary);
      full << "x" << std::flush;
      if (!full) out.setstate(std::ios::badbit);
    });
    FAIL() << "no error";
  } catch (const DiskFull& error) {
    EXPECT_EQ(std::string(error.what()),
              "file '" + file.string() + "' cannot be written: No space left on device");
  }
  EXPECT_EQ(files_in(folder.path()), 0U);
}

TEST(FailToWrite, TellsAFullDiskFromOtherReasons) {
  for (const int full : {ENOSPC, EDQUOT, EFBIG}) EXPECT_THROW(fail_to_write(full, "m"), DiskFull);
  for (const int other : {0, EIO, EACCES, EROFS}) {
    try {
      fail_to_write(other, "m");
    } catch (const DiskFull&) {
      ADD_FAILURE() << other << " is no full disk";
    } catch (const IoError& error) {
      EXPECT_STREQ(error.what(), "m");
    }
  }
}

TEST(RequirePlaceFor, FailsWhereWritingWouldFail) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "none" / "a.txt";
  EXPECT_NO_THROW(require_place_for(folder.path() / "a.txt"));
  EXPECT_THROW(require_place_for(folder.path()), InvalidInput);
  try {
    require_place_for(file);
    FAIL() << "no error";
  } catch (const IoError& error) {
    EXPECT_EQ(std::string(error.what()),
              "file '" + file.string() + "' cannot be written: No such file or directory");
  }
  EXPECT_EQ(files_in(folder.path()), 0U);
}

/// The message of the InvalidInput that writing to the file throws.
std::string refusal(const std::filesystem::path& file) {
  try {
    write_file_atomically(file, "x");
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

TEST(WriteFileAtomically, ReplacesNeitherFoldersNorDevicesNorPipes) {
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(refusal(folder.path()),
            "'" + folder.path().string() + "' is a folder, expected the name of a file");
  EXPECT_EQ(refusal(pipe), "'" + pipe.string() + "' is a pipe, expected the name of a file");
  EXPECT_EQ(refusal("/dev/null"), "'/dev/null' is a device, expected the name of a file");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(WriteFileAtomically, RefusesALinkToADeviceByTheNameOfTheLink) {
  const TemporaryFolder folder;
  const auto link = folder.path() / "link";
  std::filesystem::create_symlink("/dev/null", link);
  EXPECT_EQ(refusal(link), "'" + link.string() + "' is a device, expected the name of a file");
}

TEST(WriteFileAtomically, WritesToTheTargetOfASymbolicLink) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "real");
  write_file_atomically(folder.path() / "real" / "a.txt", "old");
  std::filesystem::create_symlink("real/a.txt", folder.path() / "one");
  std::filesystem::create_symlink("one", folder.path() / "two");
  write_file_atomically(folder.path() / "two", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "two"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "one"));
  EXPECT_EQ(read_file(folder.path() / "real" / "a.txt"), "new");
}

TEST(WriteFileAtomically, CreatesTheMissingTargetOfALink) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "real");
  std::filesystem::create_symlink(folder.path() / "real" / "new.txt", folder.path() / "link");
  write_file_atomically(folder.path() / "link", "x");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path() / "link"));
  EXPECT_EQ(read_file(folder.path() / "real" / "new.txt"), "x");
}

TEST(WriteFileAtomically, RefusesLinksInACircle) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("b", folder.path() / "a");
  std::filesystem::create_symlink("a", folder.path() / "b");
  EXPECT_EQ(refusal(folder.path() / "a"),
            "'" + (folder.path() / "a").string() +
                "' is a symbolic link that leads to itself, expected the name of a file");
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

/// Sets TMPDIR for its own lifetime.
class TemporaryVariable {
 public:
  explicit TemporaryVariable(const std::string& value) {
    if (const char* const old = std::getenv("TMPDIR")) old_ = old;
    ::setenv("TMPDIR", value.c_str(), 1);
  }
  ~TemporaryVariable() {
    if (old_)
      ::setenv("TMPDIR", old_->c_str(), 1);
    else
      ::unsetenv("TMPDIR");
  }
  TemporaryVariable(const TemporaryVariable&) = delete;
  TemporaryVariable& operator=(const TemporaryVariable&) = delete;

 private:
  std::optional<std::string> old_;
};

TEST(TemporaryFolder, AMissingParentFolderIsAnIoErrorThatNamesIt) {
  const TemporaryFolder folder;
  const std::string missing = (folder.path() / "none").string();
  const TemporaryVariable variable(missing);
  try {
    const TemporaryFolder inner;
    FAIL() << "no error";
  } catch (const IoError& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "the folder for temporary files, '" + missing +
            "' (TMPDIR), cannot be used: No such file or directory; make it, or set TMPDIR to "
            "another");
  }
}

}  // namespace
}  // namespace quantsearch
