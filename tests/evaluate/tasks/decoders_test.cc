#include "evaluate/tasks/decoders.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

constexpr PixelSize kInput{.height = 100, .width = 200};

/// A model with these outputs; only their names matter to a decoder.
Model with_outputs(const std::vector<std::string>& names) {
  Model model;
  for (const std::string& name : names)
    model.graph.outputs.push_back(
        {.name = name, .type = DataType::float32, .dimensions = {}, .extra = {}});
  return model;
}

std::unique_ptr<const Decoder> decoder(const std::string& yaml,
                                       const std::vector<std::string>& outputs = {"out"}) {
  Value value = parse_yaml(yaml, "test");
  value.set("task", "detection");
  return make_decoder(TaskOptions(read_task(value)), with_outputs(outputs), kInput);
}

struct Values {
  std::vector<float> values;
  Shape shape;
};

std::vector<Detection> decode(const Decoder& with, const std::vector<Values>& outputs) {
  SampleOutputs samples;
  for (const Values& output : outputs)
    samples.push_back({.values = output.values, .shape = output.shape});
  return with.decode(samples);
}

std::string refusal(const Decoder& with, const Values& output) {
  try {
    (void)decode(with, {output});
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

void expect_detection(const Detection& got, const Box& box, double score, std::int64_t category) {
  EXPECT_NEAR(got.box.x, box.x, 1e-5);
  EXPECT_NEAR(got.box.y, box.y, 1e-5);
  EXPECT_NEAR(got.box.width, box.width, 1e-5);
  EXPECT_NEAR(got.box.height, box.height, 1e-5);
  EXPECT_NEAR(got.score, score, 1e-6);
  EXPECT_EQ(got.category, category);
}

// A box around (50, 40) of 20 x 10, as a corner and a size.
constexpr Box kBox{.x = 40, .y = 35, .width = 20, .height = 10};

TEST(Decoders, YoloV5MultipliesObjectnessAndClass) {
  for (const char* name : {"yolov5", "yolov6", "yolov7"}) {
    const auto found =
        decode(*decoder(std::string("decoder: ") + name),
               {{{50, 40, 20, 10, 0.5F, 0.1F, 0.8F, 9, 9, 9, 9, 0, 1, 1}, {1, 2, 7}}});
    ASSERT_EQ(found.size(), 2U) << name;
    expect_detection(found[0], kBox, 0.4, 1);
    expect_detection(found[1], kBox, 0.05, 0);
  }
}

TEST(Decoders, YoloV8ReadsColumnsOrRows) {
  // Eight boxes with two classes, of which the second and the fifth have a score.
  constexpr std::size_t kBoxes = 8;
  constexpr std::size_t kColumns = 6;
  std::array<std::array<float, kColumns>, kBoxes> boxes{};
  boxes[1] = {50, 40, 20, 10, 0, 0.6F};
  boxes[4] = {9, 9, 4, 4, 0.3F, 0};
  Values rows{.values = {}, .shape = {1, kBoxes, kColumns}};
  Values columns{.values = {}, .shape = {1, kColumns, kBoxes}};
  for (const auto& box : boxes) rows.values.insert(rows.values.end(), box.begin(), box.end());
  for (std::size_t column = 0; column < kColumns; ++column) {
    for (const auto& box : boxes) columns.values.push_back(box[column]);
  }
  for (const char* name : {"yolov8", "yolov9", "yolov11"}) {
    for (const Values& output : {rows, columns}) {
      const auto found = decode(*decoder(std::string("decoder: ") + name), {output});
      ASSERT_EQ(found.size(), 2U) << name;
      expect_detection(found[0], kBox, 0.6, 1);
      expect_detection(found[1], {.x = 7, .y = 7, .width = 4, .height = 4}, 0.3, 0);
    }
  }
}

TEST(Decoders, NormalizedBoxesAreSharesOfTheInput) {
  const auto found = decode(*decoder("{decoder: yolov5, normalized: true}"),
                            {{{0.25F, 0.4F, 0.1F, 0.1F, 1, 0.5F}, {1, 1, 6}}});
  ASSERT_EQ(found.size(), 1U);
  expect_detection(found[0], kBox, 0.5, 0);
}

TEST(Decoders, FinalRowsAreSortedAndNotSuppressed) {
  for (const char* name : {"yolov10", "nms"}) {
    const auto found =
        decode(*decoder(std::string("decoder: ") + name), {{{40, 35, 60, 45, 0.3F, 2,  //
                                                             40, 35, 60, 45, 0.7F, 2,  //
                                                             0, 0, 0, 0, 0, 0},
                                                            {1, 3, 6}}});
    ASSERT_EQ(found.size(), 2U) << name;
    expect_detection(found[0], kBox, 0.7, 2);
    expect_detection(found[1], kBox, 0.3, 2);
  }
}

TEST(Decoders, RowsOfSevenBeginWithTheImageAndEndWithTheScore) {
  const auto found = decode(*decoder("decoder: nms"), {{{0, 40, 35, 60, 45, 3, 0.9F}, {1, 7}}});
  ASSERT_EQ(found.size(), 1U);
  expect_detection(found[0], kBox, 0.9, 3);
  EXPECT_TRUE(decode(*decoder("decoder: nms"), {{{}, {0, 7}}}).empty());
}

TEST(Decoders, SsdLeavesTheBackgroundOut) {
  const auto with = decoder(
      "{decoder: ssd, outputs: [boxes, scores], background: 0, activation: softmax, score: 0.1}",
      {"scores", "boxes"});
  EXPECT_EQ(with->outputs(), (std::vector<std::string>{"boxes", "scores"}));
  const auto third = static_cast<float>(std::log(3.0));
  const auto found = decode(
      *with, {{{40, 35, 60, 45, 0, 0, 1, 1}, {1, 2, 4}}, {{0, 0, third, 9, 0, 0}, {1, 2, 3}}});
  ASSERT_EQ(found.size(), 2U);
  expect_detection(found[0], kBox, 0.6, 1);
  expect_detection(found[1], kBox, 0.2, 0);
}

TEST(Decoders, SsdOffsetsAreRelativeToPriors) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "priors.npy").string();
  // A numpy file of float32 [1, 4]: the header is 118 bytes long, so that the values begin at 128.
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }";
  header.resize(117, ' ');
  std::string bytes =
      std::string("\x93NUMPY\x01\x00", 8) + std::string("\x76\x00", 2) + header + "\n";
  const std::vector<float> prior = {0.25F, 0.4F, 0.2F, 0.2F};
  bytes.append(reinterpret_cast<const char*>(prior.data()), 16);
  write_file_atomically(file, bytes);
  const auto with = decoder(
      "{decoder: ssd, outputs: [b, s], normalized: true, priors: " + file + "}", {"b", "s"});
  const auto half = static_cast<float>(std::log(0.5) / 0.2);
  // The centre moves by 0.1 * 5 of the prior's width, and the size becomes half of it.
  const auto found = decode(*with, {{{5, 0, half, half}, {1, 1, 4}}, {{0.5F}, {1, 1, 1}}});
  ASSERT_EQ(found.size(), 1U);
  expect_detection(found[0], {.x = 60, .y = 35, .width = 20, .height = 10}, 0.5, 0);
}

TEST(Decoders, BoxesScoresAndClassesMayBeOutputsOfTheirOwn) {
  const auto with = decoder(
      "{decoder: boxes, outputs: [b, s, c], box_format: yxyx, normalized: true, first_class: 1}",
      {"b", "c", "s"});
  const auto found = decode(
      *with,
      {{{0.35F, 0.2F, 0.45F, 0.3F, 0, 0, 1, 1}, {1, 2, 4}}, {{0.5F, 0}, {1, 2}}, {{7, 1}, {1, 2}}});
  ASSERT_EQ(found.size(), 1U);
  expect_detection(found[0], kBox, 0.5, 6);
}

TEST(Decoders, AnotherShapeIsRefusedWithTheExpectedOne) {
  EXPECT_EQ(refusal(*decoder("decoder: yolov8"), {std::vector<float>(12), {1, 12}}),
            "evaluator detection: output 'out' has shape [1, 12] for one sample, expected "
            "[1, 4 + classes, boxes] or [1, boxes, 4 + classes]; choose another 'decoder' or "
            "'output', or export the model with its box decoding");
  EXPECT_EQ(refusal(*decoder("decoder: nms"), {std::vector<float>(10), {1, 2, 5}}),
            "evaluator detection: output 'out' has shape [1, 2, 5] for one sample, expected "
            "[1, boxes, 6] or [boxes, 7], as after suppression; choose another 'decoder' or "
            "'output', or export the model with its box decoding");
}

TEST(Decoders, OutputsAreChosenByName) {
  EXPECT_EQ(decoder("{decoder: yolov8, output: b}", {"a", "b"})->outputs(),
            std::vector<std::string>{"b"});
  const auto message = [](const std::string& yaml, const std::vector<std::string>& outputs) {
    try {
      (void)decoder(yaml, outputs);
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message("decoder: yolov8", {"a", "b"}),
            "evaluator detection: the model has the outputs a, b, expected the key 'output' to "
            "name the one to read");
  EXPECT_EQ(message("{decoder: yolov8, output: boxs}", {"boxes"}),
            "evaluator detection: unknown output 'boxs'; nearest known: 'boxes'");
  EXPECT_EQ(message("{decoder: ssd, outputs: a}", {"a"}),
            "evaluator detection: 'outputs': got 1 names, expected 2: [boxes, scores]");
  EXPECT_EQ(message("{decoder: yolo8}", {"a"}).substr(0, 47),
            "evaluator detection: unknown decoder 'yolo8'; n");
  EXPECT_EQ(message("{score: 2, decoder: yolov8}", {"a"}),
            "evaluator detection: 'score': got 2, expected a number from 0 to 1");
}

}  // namespace
}  // namespace quantsearch
