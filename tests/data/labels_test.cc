#include <gtest/gtest.h>

#include "data/numpy_files.h"
#include "quantsearch/data.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::npy;
using testing::zip;

class LoadLabels : public ::testing::Test {
 protected:
  Labels load(const std::string& content, std::int64_t expected) const {
    write_file_atomically(file_, content);
    return load_labels(file_, expected);
  }
  std::string message_of(const std::string& content, std::int64_t expected) const {
    try {
      (void)load(content, expected);
    } catch (const InvalidInput& error) {
      std::string message = error.what();
      message.replace(message.find(file_.string()), file_.string().size(), "l.npy");
      return message;
    }
    return "no error";
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "l.npy";
};

TEST_F(LoadLabels, ReadsAnArrayOfAnyIntegerType) {
  EXPECT_EQ(load(npy(Tensor::of<std::int64_t>({3}, {4, 0, 9})), 3), (Labels{4, 0, 9}));
  EXPECT_EQ(load(npy(Tensor::of<std::uint8_t>({2}, {255, 1})), 2), (Labels{255, 1}));
  EXPECT_EQ(load(npy(Tensor::of<std::int32_t>({2, 1}, {7, 8})), 2), (Labels{7, 8}));
}

TEST_F(LoadLabels, ReadsTheMemberLabelsOrTheOnlyOne) {
  const std::string labels = npy(Tensor::of<std::int64_t>({1}, {5}));
  const std::string other = npy(Tensor::of<float>({1}, {5}));
  EXPECT_EQ(
      load(zip({{.name = "labels.npy", .content = labels}, {.name = "x.npy", .content = other}}),
           1),
      Labels{5});
  EXPECT_EQ(load(zip({{.name = "y.npy", .content = labels, .deflate = true}}), 1), Labels{5});
}

TEST_F(LoadLabels, ReportsWrongLabelsInOneSentence) {
  const std::string one = npy(Tensor::of<std::int64_t>({1}, {5}));
  const std::pair<std::string, std::string> cases[] = {
      {npy(Tensor::of<std::int64_t>({3}, {1, 2, 3})),
       "labels: array 'l' of 'l.npy' has 3 labels, expected 2, one for each sample"},
      {npy(Tensor::of<float>({2}, {1, 2})),
       "labels: array 'l' of 'l.npy' is float32 [2], expected integers, one for each sample"},
      {npy(Tensor::of<std::int64_t>({2, 10}, std::vector<std::int64_t>(20))),
       "labels: array 'l' of 'l.npy' is int64 [2, 10], expected integers, one for each sample"},
      {npy(Tensor::of<std::int64_t>({2}, {1, -1})),
       "labels: array 'l' of 'l.npy' has label -1 for sample 1, expected class indices from 0"},
      {zip({{.name = "a.npy", .content = one}, {.name = "b.npy", .content = one}}),
       "labels: 'l.npy' has 'a', 'b', expected an array 'labels' or a single one"},
      {zip({}), "labels: 'l.npy' has no arrays, expected an array 'labels' or a single one"},
  };
  for (const auto& [content, message] : cases) EXPECT_EQ(message_of(content, 2), message);
}

TEST_F(LoadLabels, TruncatesThemToTheLimitOfTheData) {
  const auto x = in_memory_data({{"x", Tensor::of<float>({2, 1}, {1, 2})}});
  const LoadedData data{.source = x, .available = 3, .labels = {}};
  const auto load_for = [&](const Tensor& labels) {
    write_file_atomically(file_, npy(labels));
    return load_labels(file_, data);
  };
  EXPECT_EQ(load_for(Tensor::of<std::int64_t>({3}, {7, 8, 9})), (Labels{7, 8}));
  EXPECT_EQ(load_for(Tensor::of<std::int64_t>({2}, {7, 8})), (Labels{7, 8}));
  try {
    (void)load_for(Tensor::of<std::int64_t>({4}, {7, 8, 9, 9}));
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_EQ(error.what(), "labels: array 'l' of '" + file_.string() +
                                "' has 4 labels, expected 3, one for each sample, or 2, one for "
                                "each sample within the limit");
  }
}

}  // namespace
}  // namespace quantsearch
