#include "quantsearch/internal/data/batch_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <numeric>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

Batch outputs_of(std::uint64_t run) {
  return {{"a", testing::random_tensor({2, 5}, run)},
          {"b", Tensor::of<std::int8_t>({3}, {1, 2, static_cast<std::int8_t>(run)})}};
}

TEST(BatchStore, ReturnsTheSameTensorsFromMemoryAndFromDisk) {
  const TemporaryFolder parent;
  SpillFolder folder(parent.path());
  const ByteBudget budget(1500);  // two of six runs
  BatchStore store(6, budget, 1500, folder);
  for (std::uint64_t run = 0; run < 6; ++run)
    store.put(static_cast<std::int64_t>(run), outputs_of(run));
  store.finish();
  for (std::uint64_t run = 0; run < 6; ++run)
    EXPECT_EQ(store.outputs(static_cast<std::int64_t>(run)), outputs_of(run));
  EXPECT_GT(store.kept_bytes(), 0);
  EXPECT_LE(store.kept_bytes(), 1500);
  EXPECT_EQ(budget.used(), store.kept_bytes());
  EXPECT_GT(store.spilled_bytes(), 0);
}

/// Resident memory of this process that belongs to files, in bytes.
std::int64_t resident_file_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t mapped = 0;
  std::int64_t resident = 0;
  std::int64_t of_files = 0;
  statm >> mapped >> resident >> of_files;
  return of_files * ::sysconf(_SC_PAGESIZE);
}

TEST(BatchStore, StoresOfOneFolderShareTheLimitOnResidentPages) {
  constexpr std::int64_t kStores = 6;
  constexpr std::int64_t kRuns = 5;
  const TemporaryFolder parent;
  SpillFolder folder(parent.path());
  const ByteBudget budget(0);
  std::vector<std::unique_ptr<BatchStore>> stores;
  for (std::int64_t at = 0; at < kStores; ++at) {
    stores.push_back(std::make_unique<BatchStore>(kRuns, budget, 0, folder));
    // 20 MiB in each store: alone it is below the limit.
    for (std::int64_t run = 0; run < kRuns; ++run)
      stores.back()->put(run, {{"a", Tensor(DataType::float32, {1 << 20})}});
    stores.back()->finish();
  }
  const std::int64_t before = resident_file_bytes();
  for (const auto& store : stores) {
    for (std::int64_t run = 0; run < kRuns; ++run) {
      const Tensor tensor = store->outputs(run).at("a");
      const std::span<const float> values = tensor.values<float>();
      EXPECT_EQ(std::accumulate(values.begin(), values.end(), 0.0F), 0);
    }
  }
  EXPECT_LT(resident_file_bytes() - before, std::int64_t{50} << 20);  // of 120 MiB that were read
}

TEST(BatchStore, LeavesNoFileBehind) {
  const TemporaryFolder parent;
  const std::filesystem::path path = parent.path() / "cache";
  const ByteBudget budget(0);
  {
    SpillFolder folder(path);
    BatchStore store(1, budget, 0, folder);
    store.put(0, outputs_of(1));
    store.finish();
    BatchStore other(1, budget, 0, folder);
    other.put(0, outputs_of(1));
    other.finish();
    EXPECT_TRUE(std::filesystem::exists(path / ".quantsearch_cache"));
    EXPECT_NO_THROW(SpillFolder second(path));  // it holds the marker
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SpillFolder, AFolderWithFilesOfOthersIsRefusedAndTheyStay) {
  const TemporaryFolder parent;
  const std::filesystem::path file = parent.path() / "thesis.txt";
  std::ofstream(file) << "years of work";
  try {
    const SpillFolder folder(parent.path());
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_EQ(std::string(error.what()), "data: the cache folder '" + parent.path().string() +
                                             "' is neither empty nor one of quantsearch (it has no "
                                             "'.quantsearch_cache'); give an empty or a new one");
  }
  EXPECT_THROW(SpillFolder folder(file), InvalidInput);
  EXPECT_EQ(read_file(file), "years of work");
}

TEST(SpillFolder, AMarkedFolderKeepsItsMarkerAndFiles) {
  const TemporaryFolder parent;
  std::ofstream(parent.path() / ".quantsearch_cache") << "x";
  std::ofstream(parent.path() / "other") << "y";
  {
    SpillFolder folder(parent.path());
    folder.prepare();
  }
  EXPECT_TRUE(std::filesystem::exists(parent.path() / ".quantsearch_cache"));
  EXPECT_TRUE(std::filesystem::exists(parent.path() / "other"));
}

}  // namespace
}  // namespace quantsearch
