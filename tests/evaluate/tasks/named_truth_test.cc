// Truths that are found by the names of the files of the data.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "data/numpy_files.h"
#include "evaluate/tasks/task_case.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::scaled_by;
using testing::TaskCase;

// One sample of three steps with three classes, the blank first.
const std::vector<float> kSaysAB = {0, 9, 1, 9, 0, 0, 0, 1, 9};  // classes 1, blank, 2

TEST(Text, FilesFindTheirTextsByName) {
  const TemporaryFolder folder;
  const std::string charset = (folder.path() / "charset.txt").string();
  const std::string texts = (folder.path() / "texts.txt").string();
  write_file_atomically(charset, "a\nb\n");
  std::vector<float> both = kSaysAB;
  both.insert(both.end(), kSaysAB.begin(), kSaysAB.end());
  const auto test = [&](std::vector<std::string> names) {
    return TaskCase{.yaml = "{task: text, charset: " + charset + ", texts: " + texts + "}",
                    .samples = Tensor::of<float>({2, 3, 3}, both),
                    .names = std::move(names)};
  };
  const auto accuracy = [&](const std::vector<std::string>& names) {
    return test(names).scores(scaled_by(1, {1, 3, 3})).first.metrics.at("text_accuracy");
  };
  write_file_atomically(texts, "lost.png\tba\nx/2.png\tab\n1.png\tab\n");
  EXPECT_EQ(accuracy({"1.png", "x/2.png"}), 1);
  EXPECT_EQ(accuracy({"lost.png", "2.png"}), 0.5);
  EXPECT_EQ(test({"1.png", "3.png"}).refusal(),
            "evaluator text: 'texts': '" + texts +
                "' has no line with the name of '3.png' alone, expected one for each file of the "
                "data");
  write_file_atomically(texts, "1.png\tab\nab\n");
  EXPECT_EQ(test({"1.png", "2.png"}).refusal(),
            "evaluator text: 'texts': '" + texts +
                "' has line 2 without a tab, expected the name of a file, a tab and its text as in "
                "line 1");
  // Without names the lines are in the order of the samples.
  write_file_atomically(texts, "ab\nba\n");
  EXPECT_EQ(accuracy({"1.png", "2.png"}), 0.5);
}

/// Samples of 1 x 2 pixels whose classes the float model says.
Tensor said_classes(const std::vector<float>& classes) {
  return Tensor::of<float>({std::ssize(classes) / 2, 1, 2}, classes);
}

class SegmentationMasks : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    write_file_atomically(folder_.path() / name, content);
  }
  static std::string mask(const std::vector<std::uint8_t>& classes, const Shape& shape = {1, 2}) {
    return testing::npy(Tensor::of<std::uint8_t>(shape, classes));
  }
  static std::string archive(const std::map<std::string, std::string>& arrays) {
    std::vector<testing::ZipPart> parts;
    for (const auto& [name, content] : arrays)
      parts.push_back({.name = name + ".npy", .content = content});
    return testing::zip(parts);
  }
  /// Two samples whose classes are (1, 2) and (3, 4).
  [[nodiscard]] TaskCase test(const std::string& masks, std::vector<std::string> names) const {
    return {.yaml = "{task: segmentation, axis: none, masks: " + path(masks) + "}",
            .samples = said_classes({1, 2, 3, 4}),
            .names = std::move(names)};
  }
  [[nodiscard]] double accuracy(const std::string& masks,
                                const std::vector<std::string>& names = {}) const {
    return test(masks, names).scores(scaled_by(1, {1, 1, 2})).first.metrics.at("pixel_accuracy");
  }
  [[nodiscard]] std::string refusal(const std::string& masks,
                                    const std::vector<std::string>& names = {}) const {
    const std::string message = test(masks, names).refusal();
    const std::string expected = "evaluator segmentation: 'masks': '" + path(masks) + "' ";
    return message.starts_with(expected) ? message.substr(expected.size()) : message;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(SegmentationMasks, OfAnArrayAreInTheOrderOfTheSamples) {
  write("all.npy", mask({1, 2, 3, 9}, {2, 1, 2}));
  EXPECT_EQ(accuracy("all.npy"), 0.75);
  EXPECT_EQ(accuracy("all.npy", {"b.jpg", "a.jpg"}), 0.75);
  // `masks` among others is such an array.
  write("all.npz", archive({{"masks", mask({1, 2, 3, 9}, {2, 1, 2})}, {"names", mask({0, 0})}}));
  EXPECT_EQ(accuracy("all.npz", {"b.jpg", "a.jpg"}), 0.75);
}

TEST_F(SegmentationMasks, OfAnArchiveAreFoundByName) {
  write("m.npz", archive({{"a", mask({3, 4})}, {"x/b", mask({1, 9})}, {"lost", mask({7, 7})}}));
  EXPECT_EQ(accuracy("m.npz", {"x/b.jpg", "a.png"}), 0.75);
  EXPECT_EQ(refusal("m.npz", {"x/b.jpg", "c.png"}),
            "has no mask for 'c.png' alone, expected one for each file of the data");
  EXPECT_EQ(refusal("m.npz", {"a.jpg", "a.png"}),
            "has one mask for both 'a.jpg' and 'a.png', expected one for each file of the data");
}

TEST_F(SegmentationMasks, OfAFolderAreFoundByName) {
  write("m/a.npy", mask({3, 4}));
  write("m/x/b.npy", mask({1, 9}));
  EXPECT_EQ(accuracy("m", {"b.jpg", "a.png"}), 0.75);
  EXPECT_EQ(refusal("m", {"b.jpg", "c.png"}),
            "has no mask for 'c.png' alone, expected one for each file of the data");
  EXPECT_EQ(refusal("m"),
            "is a folder, whose masks are found by the names of images, and the samples have none; "
            "expected an array");
  write("m/x/b.npy", mask({1, 9, 9}, {1, 3}));
  EXPECT_EQ(test("m", {"b.jpg", "a.png"}).refusal(),
            "evaluator segmentation: the model gives 2 pixels for sample 'b.jpg' and the truth has "
            "3, expected masks of the size of output 'y_out'");
}

TEST_F(SegmentationMasks, AChangedMaskIsAnotherTruth) {
  const auto key = [&] {
    const Model model = scaled_by(1, {1, 1, 2});
    const auto data =
        with_names(in_memory_data({{"x", said_classes({1, 2, 3, 4})}}), {"b.jpg", "a.jpg"});
    return make_task(read_task(parse_yaml(test("m", {}).yaml, "test")),
                     {.float_model = model, .samples = data})
        ->key();
  };
  write("m/a.npy", mask({3, 4}));
  write("m/b.npy", mask({1, 2}));
  const Key before = key();
  EXPECT_EQ(key(), before);
  write("m/b.npy", mask({1, 1}));
  EXPECT_NE(key(), before);
}

class NamedPairsOfSamples : public ::testing::Test {
 protected:
  /// Four directions: the first two are near, and so are the last two.
  [[nodiscard]] TaskCase test(const std::string& lines, std::vector<std::string> names) const {
    write_file_atomically(file_, lines);
    return {.yaml = "{task: similarity, scores: " + file_ + "}",
            .samples = Tensor::of<float>({4, 2}, {1, 0, 1, 0.1F, 0, 1, 0.1F, 1}),
            .names = std::move(names)};
  }
  [[nodiscard]] std::string refusal(const std::string& lines,
                                    const std::vector<std::string>& names = kFiles) const {
    std::string message = test(lines, names).refusal();
    for (auto place = message.find(file_); place != std::string::npos; place = message.find(file_))
      message.replace(place, file_.size(), "F");
    return message;
  }

  inline static const std::vector<std::string> kFiles = {"a.png", "b.png", "c.png", "d.png"};

 private:
  TemporaryFolder folder_;
  std::string file_ = (folder_.path() / "pairs.tsv").string();
};

TEST_F(NamedPairsOfSamples, AreThoseOfTheLines) {
  // The names are those of the files, in any order; other files are not asked for.
  const std::string lines = "c\td\t5\nx\ty\t9\na.png\tb.png\t4\n\na\tc\t1\n";
  EXPECT_EQ(test(lines, kFiles).scores(scaled_by(1, {1, 2})).first.metrics.at("spearman"),
            test(lines, kFiles).scores(scaled_by(1, {1, 2})).second.metrics.at("spearman"));
  EXPECT_GT(test(lines, kFiles).scores(scaled_by(1, {1, 2})).first.metrics.at("pearson"), 0.9);
  const std::string reversed = "c\td\t1\na\tb\t1\na\tc\t5\n";
  EXPECT_LT(test(reversed, kFiles).scores(scaled_by(1, {1, 2})).first.metrics.at("pearson"), -0.9);
}

TEST_F(NamedPairsOfSamples, ThatDoNotFitAreRefused) {
  EXPECT_EQ(refusal("a\tb\t1\nb\tc\t2\nc\tx\t3\nd\ta\t1\n"),
            "evaluator similarity: 'scores': line 3 of 'F' pairs 'c' with 'x', which is no file of "
            "the data, expected both or neither");
  EXPECT_EQ(refusal("a\tb\t1\nb\tc\t2\nc\ta\t3\n"),
            "evaluator similarity: 'scores': 'F' has no line with the name of 'd.png' alone, "
            "expected one or more for each file of the data");
  EXPECT_EQ(refusal("a\tb\t1\nb c 2\n"),
            "evaluator similarity: 'scores': line 2 of 'F' is 'b c 2', expected the names of two "
            "files and a score, with tabs between");
  EXPECT_EQ(refusal("a\tb\tmuch\n"),
            "evaluator similarity: 'scores': line 1 of 'F' is 'a\tb\tmuch', expected the names of "
            "two files and a score, with tabs between");
  EXPECT_EQ(refusal("a\tb\t1\nc\td\t2\n"),
            "evaluator similarity: 'scores': 'F' has 2 pairs of the samples, expected at least 3");
  EXPECT_EQ(refusal("a\tb\t1\n", {}),
            "evaluator similarity: 'scores': 'F' names files and the samples are none, expected an "
            "array with the score of each pair");
  EXPECT_EQ(refusal("a\tb\t1\n", {"a.wav", "a.wav", "b.wav", "b.wav"}),
            "evaluator similarity: 'scores': 'a.wav' became several samples, expected one for each "
            "file");
}

}  // namespace
}  // namespace quantsearch
