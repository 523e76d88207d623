#pragma once

// An input that a search refuses. The test that runs for each of them is in bad_input_test.cc.

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace quantsearch::testing {

struct BadInput {
  std::string name;
  std::function<void()> spoil;  // in the folder that holds model.onnx and data.npz
  std::string message;
  std::vector<std::string> more = {};  // arguments
};

inline void PrintTo(const BadInput& input, std::ostream* stream) { *stream << input.name; }

class BadInputOfSearch : public ::testing::TestWithParam<BadInput> {};

inline std::string name_of(const ::testing::TestParamInfo<BadInput>& info) {
  return info.param.name;
}

}  // namespace quantsearch::testing
