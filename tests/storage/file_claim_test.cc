#include "storage/file_claim.h"

#include <gtest/gtest.h>

#include <optional>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "storage/place.h"

namespace quantsearch {
namespace {

TEST(FileClaim, ExcludesOthersAndLeavesNoFile) {
  TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "lock";
  {
    FileClaim alone(file);
    EXPECT_TRUE(alone.acquire(true));
    EXPECT_FALSE(FileClaim(file).acquire(true));
    EXPECT_FALSE(FileClaim(file).acquire(false));
    EXPECT_TRUE(std::filesystem::exists(file));
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  std::optional<FileClaim> one(file);
  EXPECT_TRUE(one->acquire(false));
  {
    FileClaim other(file);
    EXPECT_TRUE(other.acquire(false));
    EXPECT_FALSE(FileClaim(file).acquire(true));
  }
  EXPECT_TRUE(std::filesystem::exists(file));  // the first holder still shares it
  one.reset();
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(FileClaim, AMissingFolderIsAnError) {
  EXPECT_EQ(message_from<IoError>([] { (void)FileClaim("/nowhere/lock").acquire(true); }),
            "study lock '/nowhere/lock' cannot be opened: No such file or directory");
}

}  // namespace
}  // namespace quantsearch
