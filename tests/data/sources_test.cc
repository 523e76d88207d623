#include <gtest/gtest.h>

#include <limits>

#include "quantsearch/data.h"
#include "quantsearch/data/fixed_data.h"
#include "support/messages.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

Model relu_model(const std::vector<std::int64_t>& shape) {
  ModelBuilder builder;
  builder.input("x", shape);
  builder.output(builder.node("Relu", {"x"}), shape);
  return builder.build();
}

const Tensor kThree = Tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});

TEST(InMemoryData, ReadsRowsWithoutCopying) {
  const auto source = in_memory_data({{"x", kThree}});
  EXPECT_EQ(source->size(), 3);
  EXPECT_EQ(source->largest_batch(), 3);
  const Batch batch = source->read(1, 2);
  EXPECT_EQ(batch.at("x"), Tensor::of<float>({2, 2}, {3, 4, 5, 6}));
  EXPECT_EQ(batch.at("x").bytes().data(), kThree.bytes().data() + 8);
}

TEST(InMemoryData, ReportsWrongArraysInOneSentence) {
  EXPECT_EQ(message_of([] { (void)in_memory_data({}); }),
            "data: got no arrays, expected one per model input");
  EXPECT_EQ(message_of([] {
              (void)in_memory_data({{"x", Tensor::scalar(1.0F)}});
            }),
            "data: array 'x' is a scalar, expected a first axis of samples");
  EXPECT_EQ(message_of([] {
              (void)in_memory_data({{"x", kThree}, {"y", Tensor(DataType::float32, {2})}});
            }),
            "data: array 'x' has 3 samples and array 'y' has 2, expected as many in each");
  EXPECT_EQ(message_of([] {
              (void)in_memory_data({{"x", Tensor(DataType::float32, {0, 2})}});
            }),
            "data: array 'x' has no samples, expected at least one");
}

TEST(DataSource, ReadingOutsideTheSamplesIsRefused) {
  const auto source = in_memory_data({{"x", kThree}});
  const std::string expected =
      "data: 2 samples from 2 were asked for, the source has 3 and gives up to 3 at once";
  EXPECT_EQ(message_of([&] { (void)source->read(2, 2); }), expected);
  EXPECT_NE(message_of([&] { (void)source->read(-1, 1); }), "no error");
  EXPECT_NE(message_of([&] { (void)source->read(0, 0); }), "no error");
  EXPECT_NE(message_of([&] { (void)source->read(std::numeric_limits<std::int64_t>::max(), 1); }),
            "no error");
}

TEST(CallbackData, GivesOneSampleAtATime) {
  const auto source = callback_data(3, [](std::int64_t sample) {
    return Batch{{"x", kThree.rows(sample, 1)}};
  });
  EXPECT_EQ(source->largest_batch(), 1);
  EXPECT_EQ(source->read(2, 1).at("x"), kThree.rows(2, 1));
  EXPECT_EQ(source->content_key(), in_memory_data({{"x", kThree}})->content_key());
  EXPECT_EQ(message_of([] { (void)callback_data(0, nullptr); }),
            "data: the callback gives 0 samples, expected at least one");
  EXPECT_EQ(message_of([] { (void)callback_data(1, nullptr); }),
            "data: got an empty callback, expected a function that reads a sample");
}

TEST(Subset, HoldsARangeOfSamplesAndHasTheirKey) {
  const auto source = in_memory_data({{"x", kThree}});
  const auto part = subset(source, 1, 2);
  EXPECT_EQ(part->size(), 2);
  EXPECT_EQ(part->read(1, 1).at("x"), kThree.rows(2, 1));
  EXPECT_EQ(part->content_key(), in_memory_data({{"x", kThree.rows(1, 2)}})->content_key());
  EXPECT_NE(part->content_key(), source->content_key());
  EXPECT_EQ(subset(source, 0, 3)->content_key(), source->content_key());
  EXPECT_EQ(message_of([&] { (void)subset(source, 2, 2); }),
            "data: a subset of 2 samples from 2 was asked for, the source has 3");
}

TEST(ContentKey, DependsOnNamesTypesShapesAndValues) {
  const Key key = in_memory_data({{"x", kThree}})->content_key();
  Tensor changed = kThree;
  changed.mutable_values<float>()[5] = 7;
  EXPECT_NE(in_memory_data({{"y", kThree}})->content_key(), key);
  EXPECT_NE(in_memory_data({{"x", convert(kThree, DataType::int32)}})->content_key(), key);
  EXPECT_NE(in_memory_data({{"x", kThree.reshaped({3, 2, 1})}})->content_key(), key);
  EXPECT_NE(in_memory_data({{"x", changed}})->content_key(), key);
}

TEST(CheckData, AcceptsSamplesForAnOpenAndForASingleFirstAxis) {
  EXPECT_NO_THROW(check_data(*in_memory_data({{"x", kThree}}), relu_model({-1, 2})));
  EXPECT_NO_THROW(check_data(*in_memory_data({{"x", kThree}}), relu_model({1, 2})));
}

TEST(CheckData, ReportsSampleAndModelWhenTheyDoNotFit) {
  const Model model = relu_model({-1, 2});
  const auto check = [&](std::map<std::string, Tensor> arrays) {
    return message_of([&] { check_data(*in_memory_data(std::move(arrays)), model); });
  };
  EXPECT_EQ(check({{"y", kThree}}),
            "data: sample 0 lacks input 'x': it has 'y' float32 [1, 2], the model takes 'x' "
            "float32 [batch, 2]");
  EXPECT_EQ(check({{"x", kThree}, {"y", kThree}}),
            "data: sample 0 has 'y', which is no input: it has 'x' float32 [1, 2], 'y' float32 [1, "
            "2], the model takes 'x' "
            "float32 [batch, 2]");
  EXPECT_EQ(check({{"x", kThree.reshaped({2, 3})}}),
            "data: sample 0 does not fit input 'x': it has 'x' float32 [1, 3], the model takes 'x' "
            "float32 [batch, 2]");
  EXPECT_EQ(check({{"x", convert(kThree, DataType::float64)}}),
            "data: sample 0 does not fit input 'x': it has 'x' float64 [1, 2], the model takes 'x' "
            "float32 [batch, 2]; save the values as float32");
}

TEST(CheckData, NamesTheArrayAndTheSampleOfNanAndInfinity) {
  const Model model = relu_model({-1, 2});
  Tensor values = kThree;
  values.mutable_values<float>()[4] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(
      message_of([&] {
        check_data(*in_memory_data({{"x", values}}), model);
      }),
      "data: array 'x' holds NaN in sample 2, expected finite numbers; fix or remove the sample");
  values.mutable_values<float>()[4] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(message_of([&] {
              check_data(*in_memory_data({{"x", values}}), model);
            }),
            "data: array 'x' holds an infinite value in sample 2, expected finite numbers; fix or "
            "remove the sample");
}

TEST(WithoutInputs, EqualsASourceThatNeverHadTheInputs) {
  const Tensor x = testing::random_tensor({3, 2}, 1);
  const auto plain = in_memory_data({{"x", x}});
  const auto both = in_memory_data({{"x", x}, {"rate", testing::random_tensor({3, 1}, 2)}});
  const auto without = without_inputs(both, {"rate", "unknown"});
  EXPECT_EQ(without->read(1, 2), plain->read(1, 2));
  EXPECT_EQ(without->size(), 3);
  EXPECT_EQ(without->largest_batch(), both->largest_batch());
  EXPECT_EQ(without->content_key(), plain->content_key());
  EXPECT_EQ(without_inputs(plain, {"rate"}), plain);
}

TEST(WithNames, GivesEachSampleItsName) {
  const auto plain = in_memory_data({{"x", testing::random_tensor({2, 1}, 1)}});
  EXPECT_EQ(plain->sample_name(1), "");
  const auto named = with_names(plain, {"a.png", "b.png"});
  EXPECT_EQ(named->sample_name(1), "b.png");
  EXPECT_EQ(named->content_key(), plain->content_key());
  EXPECT_EQ(subset(named, 1, 1)->sample_name(0), "b.png");
  EXPECT_EQ(named->placing(1), std::nullopt);
  const ImagePlacing placing{.image = {.height = 3, .width = 4}, .left = 2, .how = "resize: none"};
  EXPECT_EQ(with_names(plain, {"a.png", "b.png"}, {{}, placing})->placing(1), placing);
  EXPECT_THROW((void)with_names(plain, {"a.png", "b.png"}, {placing}), InvalidInput);
  EXPECT_THROW((void)with_names(plain, {"a.png"}), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
