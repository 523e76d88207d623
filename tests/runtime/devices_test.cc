#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"

namespace quantsearch {
namespace {

TEST(Devices, ParsesTheCpuAndCardNumbers) {
  EXPECT_EQ(parse_devices("cpu"), std::vector<Device>{Device{}});
  EXPECT_EQ(parse_devices("cuda:0"), std::vector<Device>{Device{.card = 0}});
  EXPECT_EQ(parse_devices("cuda:1,0"), (std::vector<Device>{{.card = 1}, {.card = 0}}));
  EXPECT_EQ(to_string(Device{}), "cpu");
  EXPECT_EQ(to_string(Device{.card = 3}), "cuda:3");
  for (const char* text :
       {"", "gpu", "cuda", "cuda:", "cuda:x", "cuda:0,", "cuda:-1", "cuda:0;1", "cpu,cuda:0"}) {
    EXPECT_THROW((void)parse_devices(text), InvalidInput) << text;
  }
}

// The downloaded runtime has no CUDA provider.
TEST(Devices, RejectsACardWithoutAProviderNamingTheAvailableOnes) {
  require_devices({Device{}});
  try {
    require_devices({Device{}, Device{.card = 0}});
    GTEST_SKIP() << "this runtime has the CUDA provider";
  } catch (const Unsupported& error) {
    EXPECT_EQ(error.what(), runtime_version() +
                                " has no CUDAExecutionProvider, which 'cuda' devices need; it has "
                                "CPUExecutionProvider");
  }
  EXPECT_THROW(use_device(Device{.card = 0}), Unsupported);
  use_device(Device{});
}

}  // namespace
}  // namespace quantsearch
