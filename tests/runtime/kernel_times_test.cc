#include "quantsearch/internal/runtime/kernel_times.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

std::string event(const std::string& category, const std::string& name, int start, int duration,
                  const std::string& op_type = "") {
  return R"({"cat": ")" + category + R"(", "ts": )" + std::to_string(start) + R"(, "dur": )" +
         std::to_string(duration) + R"(, "name": ")" + name + R"(", "args": {"op_name": ")" +
         op_type + R"("}})";
}

std::string kernel(const std::string& name, int start, int duration, const std::string& op_type) {
  return event("Node", name + "_kernel_time", start, duration, op_type);
}

std::string list(const std::vector<std::string>& events) {
  std::string text = "[";
  for (const std::string& one : events) text += (text.size() > 1 ? "," : "") + one;
  return text + "]";
}

TEST(ReadProfile, GivesTheMedianOfEachKernelOverTheRuns) {
  std::vector<std::string> events = {event("Session", "session_initialization", 0, 10)};
  const int durations[] = {90, 5, 3, 4};  // the first run warms up
  for (int run = 0; run < 4; ++run) {
    events.push_back(event("Session", "model_run", 100 * run + 100, 95));
    events.push_back(kernel("b", 100 * run + 197, 1, "Relu"));
    events.push_back(kernel("a", 100 * run + 101, durations[run], "Conv"));
  }
  const std::vector<KernelTime> times = read_profile(list(events), 1);
  ASSERT_EQ(times.size(), 2);
  EXPECT_EQ(times[0], (KernelTime{.name = "a", .op_type = "Conv", .seconds = 4e-6}));
  EXPECT_EQ(times[1], (KernelTime{.name = "b", .op_type = "Relu", .seconds = 1e-6}));
}

TEST(ReadProfile, TellsKernelsOfOneNameApart) {
  const std::vector<KernelTime> times =
      read_profile(list({event("Session", "model_run", 0, 100), kernel("", 1, 2, "Mul"),
                         kernel("", 5, 3, "Mul")}),
                   0);
  ASSERT_EQ(times.size(), 2);
  EXPECT_EQ(times[0].seconds, 2e-6);
  EXPECT_EQ(times[1].seconds, 3e-6);
}

TEST(ReadProfile, CountsABodyAsItsOwner) {
  const std::vector<KernelTime> times =
      read_profile(list({event("Session", "model_run", 0, 100), kernel("if", 10, 30, "If"),
                         kernel("inner", 15, 5, "Add"), kernel("after", 41, 2, "Relu")}),
                   0);
  ASSERT_EQ(times.size(), 2);
  EXPECT_EQ(times[0].name, "if");
  EXPECT_EQ(times[1].name, "after");
}

TEST(ReadProfile, RefusesWhatIsNoProfile) {
  for (const char* text : {"{", "{}", R"([{"cat": "Node", "name": "a_kernel_time"}])"})
    EXPECT_THROW((void)read_profile(text, 0), InvalidInput) << text;
}

TEST(KernelTimes, ComeFromTheRuntime) {
  testing::ModelBuilder builder;
  builder.random_weight("w", {64, 64}, 1, 1);
  const std::string product =
      builder.node("MatMul", {builder.input("x", {64, 64}), "w"}, {}, "product");
  builder.output(builder.node("Softmax", {product}, {}, "last"), {64, 64});
  const Model model = builder.build();
  const std::vector<KernelTime> times =
      kernel_times(model, testing::random_inputs(model, 1), {.seconds = 0});
  ASSERT_EQ(times.size(), 2);
  EXPECT_EQ(times[0].op_type, "MatMul");
  EXPECT_EQ(times[1].name, "last");
  EXPECT_GT(times[0].seconds + times[1].seconds, 0);
}

}  // namespace
}  // namespace quantsearch
