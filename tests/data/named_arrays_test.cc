#include "quantsearch/internal/data/named_arrays.h"

#include <gtest/gtest.h>

#include "data/numpy_files.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

using testing::npy;

const std::filesystem::path kPictures = testing::kSource / "tests" / "media" / "files";

std::string arrays_fault(const std::filesystem::path& place) {
  try {
    const auto arrays = open_named_arrays(place);
    for (std::size_t index = 0; index < arrays->names().size(); ++index) (void)arrays->read(index);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

TEST(NamedArrays, AreThoseOfAnArchive) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "masks.npz";
  const Tensor a = Tensor::of<std::uint8_t>({1, 2}, {3, 4});
  const Tensor b = Tensor::of<std::uint8_t>({2, 1}, {5, 6});
  write_file_atomically(file, testing::zip({{.name = "b.npy", .content = npy(b)},
                                            {.name = "x/a.npy", .content = npy(a)}}));
  const auto arrays = open_named_arrays(file);
  ASSERT_EQ(arrays->names(), (std::vector<std::string>{"b", "x/a"}));
  EXPECT_EQ(arrays->read(0), b);
  EXPECT_EQ(arrays->read(1), a);
}

TEST(NamedArrays, AreTheFilesOfAFolder) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "x");
  std::filesystem::create_directories(folder.path() / ".hidden");
  const Tensor a = Tensor::of<std::int32_t>({1, 2}, {3, 4});
  write_file_atomically(folder.path() / "x" / "a.npy", npy(a));
  write_file_atomically(folder.path() / ".hidden" / "c.npy", npy(a));
  write_file_atomically(folder.path() / "notes.txt", "none");
  std::filesystem::copy_file(kPictures / "palette.png", folder.path() / "b.png");
  const auto arrays = open_named_arrays(folder.path());
  ASSERT_EQ(arrays->names(), (std::vector<std::string>{"b", "x/a"}));
  EXPECT_EQ(arrays->read(0).shape(), (Shape{17, 24}));
  EXPECT_EQ(arrays->read(1), a);
}

TEST(NamedArrays, WhatHoldsNoneIsRefused) {
  const TemporaryFolder folder;
  const std::string place = folder.path().string();
  EXPECT_EQ(arrays_fault(place),
            "folder '" + place + "' has no .npy and no .png file, expected at least one");
  std::filesystem::copy_file(kPictures / "cat.png", folder.path() / "a.png");
  EXPECT_EQ(arrays_fault(place), "'" + place +
                                     "/a.png' cannot be read: it holds colours, expected gray or a "
                                     "palette");
  const std::filesystem::path empty = folder.path() / "empty.npz";
  write_file_atomically(empty, testing::zip({}));
  EXPECT_EQ(arrays_fault(empty), "'" + empty.string() + "' has no arrays, expected at least one");
}

}  // namespace
}  // namespace quantsearch
