// Folders of images and sounds as data.

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "data/numpy_files.h"
#include "quantsearch/base/error.h"
#include "quantsearch/data.h"
#include "quantsearch/data/fixed_data.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"
#include "support/source_tree.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

const std::filesystem::path kMedia = testing::kSource / "tests" / "media" / "files";

/// A classifier of `classes` classes; a negative side is open.
Model classifier(std::int64_t side, std::int64_t classes, std::int64_t batch = -1,
                 DataType type = DataType::float32) {
  ModelBuilder builder;
  builder.input("x", {batch, 3, side, side}, type);
  builder.output(builder.node("Identity", {"x"}), {batch, 3, side, side}, type);
  Model model = builder.build();
  model.graph.outputs[0].dimensions = {{Dimension{.size = std::nullopt, .symbol = "batch"},
                                        Dimension{.size = classes, .symbol = ""}}};
  return model;
}

class MediaFolder : public ::testing::Test {
 protected:
  void add(const std::string& source, const std::string& name) {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    std::filesystem::copy_file(kMedia / source, folder_.path() / name);
  }
  void add_text(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    write_file_atomically(folder_.path() / name, content);
  }
  LoadedData open(const Model& model, const Value& preprocess = "imagenet",
                  std::optional<std::int64_t> limit = std::nullopt) const {
    return open_data(folder_.path(), model,
                     {.limit = limit, .preprocess = parse_preprocess(preprocess)});
  }
  std::string without_folder(std::string message) const {
    const std::string name = folder_.path().string();
    for (auto place = message.find(name); place != std::string::npos; place = message.find(name))
      message.replace(place, name.size(), "F");
    return message;
  }
  std::string fault(const Model& model, const DataOptions& options) const {
    try {
      (void)open_data(folder_.path(), model, options);
    } catch (const Error& error) {
      return without_folder(error.what());
    }
    return "no error";
  }
  std::string fault(const Model& model, const Value& preprocess = "imagenet") const {
    return fault(model, {.preprocess = parse_preprocess(preprocess)});
  }
  TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

Names names_of(const LoadedData& data) {
  Names names;
  for (std::int64_t sample = 0; sample < data.source->size(); ++sample)
    names.push_back(data.source->sample_name(sample));
  return names;
}

TEST_F(MediaFolder, SamplesSayWhereTheirImagesAre) {
  add("cat.png", "a.png");    // 150 x 100
  add("woman.png", "b.png");  // 97 x 131
  const LoadedData data = open(classifier(30, 3), "yolo");
  const std::optional<ImagePlacing> placing = data.source->placing(1);
  ASSERT_TRUE(placing);
  EXPECT_EQ(placing->image, (ImageSize{.height = 131, .width = 97}));
  EXPECT_EQ(placing->sample, (ImageSize{.height = 30, .width = 30}));
  EXPECT_EQ(placing->how, "resize: letterbox, place: center");
  EXPECT_EQ(subset(data.source, 1, 1)->placing(0), placing);
  EXPECT_EQ(without_inputs(data.source, {"y"})->placing(1), placing);
}

TEST_F(MediaFolder, AFileOfEachSubFolderComesInTurnAndGivesItsClass) {
  add("cat.png", "cat/b.png");
  add("woman.png", "woman/1.png");
  add("cat.jpg", "cat/a.jpg");
  add("cat.webp", "cat/deep/c.WEBP");
  add("gray.png", "dog/x.png");
  add_text("readme.md", "no image");
  add("gray.png", ".hidden/x.png");
  const LoadedData data = open(classifier(16, 3));
  EXPECT_EQ(names_of(data),
            (Names{"cat/a.jpg", "dog/x.png", "woman/1.png", "cat/b.png", "cat/deep/c.WEBP"}));
  EXPECT_EQ(*data.labels, (Labels{0, 1, 2, 0, 0}));
  EXPECT_EQ(data.available, 5);
  EXPECT_TRUE(data.remarks.empty());
  EXPECT_EQ(data.source->size(), 5);
  EXPECT_EQ(data.source->largest_batch(), 5);
  EXPECT_EQ(data.source->read(0, 5).at("x").shape(), (Shape{5, 3, 16, 16}));
  EXPECT_EQ(data.source->read(3, 2).at("x").rows(1, 1), data.source->read(4, 1).at("x"));
  EXPECT_EQ(subset(data.source, 2, 2)->sample_name(1), "cat/b.png");
}

TEST_F(MediaFolder, TheLimitTakesTheFirstFiles) {
  add("cat.png", "a/1.png");
  add("woman.png", "a/2.png");
  add("gray.png", "b/1.png");
  const LoadedData data = open(classifier(16, 2), "imagenet", 2);
  EXPECT_EQ(names_of(data), (Names{"a/1.png", "b/1.png"}));
  EXPECT_EQ(*data.labels, (Labels{0, 1}));
  EXPECT_EQ(fault(classifier(16, 2), {.limit = 0}),
            "data: a limit of 0 samples was asked for, expected at least 1");
}

TEST_F(MediaFolder, AFixedBatchAxisTakesOneAtATime) {
  add("cat.png", "1.png");
  add("woman.png", "2.png");
  EXPECT_EQ(open(classifier(16, 2, 1)).source->largest_batch(), 1);
  // Images of their own size cannot be stacked.
  EXPECT_EQ(open(classifier(-1, 2), Value::Map{{"resize", "none"}}).source->largest_batch(), 1);
}

TEST_F(MediaFolder, ThePreprocessingDecidesTheContentKeyAndTheThreadsDoNot) {
  add("cat.png", "1.png");
  add("woman.png", "2.png");
  const Model model = classifier(16, 2);
  const Key key = open(model).source->content_key();
  EXPECT_EQ(open(model).source->content_key(), key);
  EXPECT_EQ(
      open_data(folder_.path(), model, {.preprocess = parse_preprocess("imagenet"), .threads = 1})
          .source->content_key(),
      key);
  EXPECT_NE(open(model, "clip").source->content_key(), key);
  EXPECT_NE(open(model, Value::Map{{"preset", "imagenet"}, {"mean", 0.5}}).source->content_key(),
            key);
  // The same samples as arrays have the same key.
  const Tensor samples = open(model).source->read(0, 2).at("x");
  EXPECT_EQ(in_memory_data({{"x", samples}})->content_key(), key);
}

TEST_F(MediaFolder, ManyPixelsGoToTheCacheFolder) {
  for (int i = 0; i < 20; ++i) add("cat.png", fmt::format("{}.png", i));
  const std::filesystem::path cache = folder_.path() / "cache";
  {
    // 20 times 1400 x 933 x 3 bytes are beyond 64 MiB.
    const LoadedData data =
        open_data(folder_.path(), classifier(1400, 2),
                  {.cache_folder = cache, .preprocess = parse_preprocess("yolo")});
    EXPECT_TRUE(std::filesystem::exists(cache / ".quantsearch_cache"));
    EXPECT_EQ(data.source->read(0, 1), data.source->read(19, 1));
  }
  EXPECT_FALSE(std::filesystem::exists(cache));
}

TEST_F(MediaFolder, FewUnreadableFilesAreLeftOutWithARemark) {
  for (int i = 0; i < 9; ++i) add("cat.png", fmt::format("{}.png", i));
  const std::string jpeg = read_file(kMedia / "cat.jpg");
  add_text("b.jpg", jpeg.substr(0, jpeg.size() / 2));
  add_text("c.bmp", "");
  const LoadedData data = open(classifier(16, 2));
  EXPECT_EQ(data.source->size(), 9);
  EXPECT_EQ(names_of(data).size(), 9U);
  ASSERT_EQ(data.remarks.size(), 2U);
  EXPECT_EQ(without_folder(data.remarks[0]),
            "data: left out 1 of 10 files in 'F', which cannot be decoded: 'b.jpg' (libjpeg says "
            "'Premature end of JPEG file')");
  EXPECT_EQ(without_folder(data.remarks[1]),
            "data: left out 1 images in 'F' that are no JPEG, PNG or WebP files");
}

TEST_F(MediaFolder, ManyUnreadableFilesAreAnError) {
  add("cat.png", "a.png");
  add_text("b.png", "");
  add_text("c.png", "GIF89a");
  EXPECT_EQ(fault(classifier(16, 2)),
            "data: 2 of 3 files in 'F' cannot be decoded, expected at most one in 10: 'b.png' (it "
            "is empty), 'c.png' (it is no JPEG, PNG or WebP file); repair or remove them");
}

TEST_F(MediaFolder, SubFoldersThatAreNotTheModelsClassesGiveNoLabels) {
  add("cat.png", "a/1.png");
  add("cat.png", "b/1.png");
  const LoadedData data = open(classifier(16, 1000));
  EXPECT_FALSE(data.labels);
  ASSERT_EQ(data.remarks.size(), 1U);
  EXPECT_EQ(without_folder(data.remarks[0]),
            "labels: 'F' has 2 sub-folders and the model's first output 1000 classes, so "
            "sub-folders are not taken as classes; name all classes in 'classes.txt' there if they "
            "are");
}

TEST_F(MediaFolder, AListOfClassesNumbersTheSubFolders) {
  add("cat.png", "cat/1.png");
  add("woman.png", "woman/1.png");
  add_text("classes.txt", "woman\r\n\ndog\ncat\n");
  EXPECT_EQ(*open(classifier(16, 3)).labels, (Labels{2, 0}));
  EXPECT_EQ(fault(classifier(16, 4)),
            "labels: 'F' has 3 lines in 'classes.txt' and the model's first output 4 classes");
  add("cat.png", "lion/1.png");
  EXPECT_EQ(fault(classifier(16, 3)),
            "labels: 'F/classes.txt' does not name the sub-folder 'lion', expected every class on "
            "a line of its own");
}

TEST_F(MediaFolder, ATextFileNamesTheLabels) {
  add("cat.png", "a/1.png");
  add("cat.png", "b c.png");
  const LoadedData data = open(classifier(16, 5));
  EXPECT_FALSE(data.labels);
  ASSERT_EQ(names_of(data), (Names{"b c.png", "a/1.png"}));
  const auto labels = [&](const std::string& name, const std::string& content) {
    TemporaryFolder other;
    write_file_atomically(other.path() / name, content);
    try {
      std::string text;
      for (const std::int64_t label : load_labels(other.path() / name, data))
        text += std::to_string(label) + " ";
      return text;
    } catch (const InvalidInput& error) {
      std::string message = error.what();
      message.erase(message.find(other.path().string()), other.path().string().size() + 1);
      return message;
    }
  };
  EXPECT_EQ(labels("l.csv", "image,label\n\"b c.png\",4\na/1.png, 3\nother.png,1\n"), "4 3 ");
  EXPECT_EQ(labels("l.txt", "b c.png 4\n1.png\t0\n"), "4 0 ");
  EXPECT_EQ(labels("l.csv", "b c.png,4\n"),
            "labels: 'l.csv' has no line for 'a/1.png', expected one for each sample");
  EXPECT_EQ(labels("l.csv", "b c.png,4\n1.png,cat\n"),
            "labels: 'l.csv' has the line '1.png,cat', expected a name, a comma and a class index "
            "from 0");
  EXPECT_EQ(labels("l.csv", "1.png,4\n1.png,3\n"),
            "labels: 'l.csv' names '1.png' twice, expected once");
  EXPECT_EQ(labels("l.npy", ""),
            "labels: got 'l.npy', expected a .csv or .txt that names the files of the samples");
}

TEST_F(MediaFolder, WithoutAPreprocessOnlyAnInputOfPixelsIsFed) {
  add("cat.png", "1.png");
  EXPECT_EQ(
      fault(classifier(16, 2), DataOptions{}),
      "data: folder 'F' holds images, which the model takes as they were scaled in its "
      "training; give that as preprocess: imagenet, clip, yolo, paddleocr, paddleocr_det or a "
      "mapping (docs/data.md)");
  const Model pixels = classifier(16, 2, -1, DataType::uint8);
  EXPECT_EQ(open_data(folder_.path(), pixels).source->read(0, 1).at("x").type(), DataType::uint8);
}

TEST_F(MediaFolder, SaysWhatAFolderIsNot) {
  add_text("notes.md", "");
  EXPECT_EQ(fault(classifier(16, 2)),
            "data: folder 'F' has no 'test_data_set_0' with input_0.pb, input_1.pb, …, no images "
            "and no sounds; give a folder of one of these, an .npz or an .npy");
  add_text("a.gif", "");
  EXPECT_EQ(fault(classifier(16, 2)),
            "data: folder 'F' holds 1 images, none of which is a JPEG, PNG or WebP file; convert "
            "them");
  add("cat.png", "1.png");
  EXPECT_EQ(fault(classifier(16, 2), "speech"),
            "data: folder 'F' holds images and the given preprocess is for sounds");
  add("sound_16.wav", "1.wav");
  EXPECT_EQ(fault(classifier(16, 2)),
            "data: folder 'F' holds images ('1.png') and sounds ('1.wav'), expected files of one "
            "kind");
}

TEST_F(MediaFolder, AModelOfSeveralInputsIsRefused) {
  add("cat.png", "1.png");
  ModelBuilder builder;
  builder.input("x", {-1, 3, 8, 8});
  builder.input("y", {-1, 2});
  builder.output(builder.node("Identity", {"x"}), {-1, 3, 8, 8});
  builder.output(builder.node("Identity", {"y"}), {-1, 2});
  EXPECT_EQ(fault(builder.build()),
            "data: folder 'F' holds images, which feed one input, and the model takes 2: 'x' "
            "float32 [batch, 3, 8, 8], 'y' float32 [batch, 2]; make the others constants with "
            "--fix, or give an .npz");
}

TEST_F(MediaFolder, SoundsAreChunkedIntoSamples) {
  add("sound_16.wav", "a/1.wav");
  add("sound_24.wav", "b/2.wav");
  ModelBuilder builder;
  builder.input("x", {-1, 1000});
  builder.output(builder.node("Identity", {"x"}), {-1, 1000});
  const Value chunks(Value::Map{{"sample_rate", 44100}, {"fit", "chunks"}});
  const LoadedData data = open(builder.build(), chunks);
  EXPECT_EQ(names_of(data), (Names{"a/1.wav", "a/1.wav", "b/2.wav", "b/2.wav"}));
  EXPECT_EQ(data.source->read(0, 4).at("x").shape(), (Shape{4, 1000}));
  EXPECT_EQ(open(builder.build(), chunks, 3).source->size(), 3);
}

TEST_F(MediaFolder, APreprocessHasNoEffectOnArraysWhichIsSaid) {
  const std::filesystem::path file = folder_.path() / "d.npy";
  write_file_atomically(file, testing::npy(testing::random_tensor({2, 2}, 1)));
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.output(builder.node("Identity", {"x"}), {-1, 2});
  const LoadedData data =
      open_data(file, builder.build(), {.preprocess = parse_preprocess("yolo")});
  ASSERT_EQ(data.remarks.size(), 1U);
  EXPECT_EQ(without_folder(data.remarks[0]),
            "data: 'F/d.npy' holds arrays, which are taken as they are; the preprocess has no "
            "effect on them");
}

}  // namespace
}  // namespace quantsearch
