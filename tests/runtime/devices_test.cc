#include <gtest/gtest.h>

#include <algorithm>

#include "quantsearch/runtime.h"
#include "support/messages.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

const Device kCard{.provider = "cuda", .name = "0"};

bool has(const std::string& provider) {
  const RuntimeLibrary library = runtime_library();
  return std::ranges::find(library.providers, provider, &ExecutionProvider::name) !=
         library.providers.end();
}

std::string names() {
  std::string text;
  for (const ExecutionProvider& provider : runtime_library().providers)
    text += (text.empty() ? "" : ", ") + provider.name;
  return text;
}

TEST(Devices, ParsesOneDeviceOfEachProvider) {
  EXPECT_EQ(parse_devices("cpu"), std::vector<Device>{Device{}});
  EXPECT_EQ(parse_devices("cuda:0"), std::vector<Device>{kCard});
  EXPECT_EQ(parse_devices("openvino:CPU"),
            (std::vector<Device>{{.provider = "openvino", .name = "CPU"}}));
}

TEST(Devices, ParsesSeveralDevicesOfAKind) {
  EXPECT_EQ(parse_devices("cuda:1,0"),
            (std::vector<Device>{{.provider = "cuda", .name = "1"}, kCard}));
  EXPECT_EQ(parse_devices("openvino:GPU.0,GPU.1").back(),
            (Device{.provider = "openvino", .name = "GPU.1"}));
}

TEST(Devices, AreWrittenAsTheyAreParsed) {
  for (const char* text : {"cpu", "cuda:3", "openvino:NPU", "openvino:GPU.1"})
    EXPECT_EQ(to_string(parse_devices(text).front()), text);
}

TEST(Devices, RejectsOtherTexts) {
  for (const char* text :
       {"", "gpu", "cpu:0", "cuda", "cuda:", "cuda:x", "cuda:0,", "cuda:-1", "cuda:0;1",
        "cuda:9999999999", "cpu,cuda:0", "openvino", "openvino:", "openvino:cpu", "openvino:GPU.x",
        "openvino:GPU.", "openvino:AUTO", "openvino:FOO", "openvino:AUTO:GPU,CPU"}) {
    EXPECT_EQ(message_of<InvalidInput>([&] { (void)parse_devices(text); }),
              "got the devices '" + std::string(text) +
                  "', expected cpu, cuda:0,1 (the numbers of the cards) or openvino:CPU (or GPU, "
                  "NPU, GPU.1)");
  }
}

TEST(Devices, RejectsDevicesWhoseScoresCannotBeCompared) {
  EXPECT_EQ(message_of<InvalidInput>([] { (void)parse_devices("openvino:CPU,GPU"); }),
            "got the devices 'openvino:CPU' and 'openvino:GPU', expected devices of one kind, "
            "because trials that ran on different ones cannot be compared");
}

TEST(Devices, HaveTheKindOfTheirResults) {
  EXPECT_EQ(device_kind(Device{}), "cpu");
  EXPECT_EQ(device_kind({.provider = "cuda", .name = "1"}), "cuda");
  EXPECT_EQ(device_kind({.provider = "openvino", .name = "GPU.1"}), "openvino:GPU");
}

TEST(Devices, TheRuntimeHasTheCpu) {
  const ExecutionProvider last = runtime_library().providers.back();
  EXPECT_EQ(last.name, "CPUExecutionProvider");
  EXPECT_EQ(last.device, "cpu");
  require_devices({Device{}});
}

// The downloaded runtime has neither provider.
TEST(Devices, RejectsADeviceWithoutAProviderNamingTheAvailableOnes) {
  if (has("CUDAExecutionProvider")) GTEST_SKIP() << "this runtime has the CUDA provider";
  EXPECT_EQ(message_of<Unsupported>([] {
              require_devices({Device{}, kCard});
            }),
            runtime_version() +
                " has no CUDAExecutionProvider, which the device 'cuda:0' needs; it has " +
                names() +
                "; let ONNXRUNTIME_ROOT name a library that has it "
                "('quantsearch inspect --providers' lists those of a library)");
}

TEST(Devices, ASessionOnAMissingDeviceIsRefused) {
  if (has("CUDAExecutionProvider")) GTEST_SKIP() << "this runtime has the CUDA provider";
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.output(builder.node("Relu", {"x"}), {-1, 4});
  const Model model = builder.build();
  const std::string message =
      message_of<Unsupported>([&] { (void)open_session(model, {.device = kCard}); });
  EXPECT_TRUE(message.starts_with(runtime_version() + " cannot use the device 'cuda:0': "))
      << message;
  EXPECT_THROW((void)open_session(model, {.device = {.provider = "tpu"}}), InvalidInput);
  EXPECT_THROW((void)open_session(model, {.device = {.provider = "cuda"}}), InvalidInput);
  EXPECT_THROW(require_devices({{.provider = "openvino", .name = "cpu"}}), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
