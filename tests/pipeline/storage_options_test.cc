#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {
namespace {

QuantizeOptions options_of(const std::string& extra_options) {
  return resolve(settings_from(parse_yaml("extra_options: " + extra_options, "test"))).quantize;
}

TEST(StorageOptions, TablesAreIntegersByDefault) {
  EXPECT_EQ(options_of("{}").table_weights, TableWeights::per_tensor);
  EXPECT_EQ(options_of("{TableWeights: per_row}").table_weights, TableWeights::per_row);
  EXPECT_EQ(options_of("{TableWeights: float}").table_weights, TableWeights::keep_float);
}

TEST(StorageOptions, RecurrentWeightsStayFloatByDefault) {
  EXPECT_EQ(options_of("{}").recurrent_weights, RecurrentWeights::keep_float);
  EXPECT_EQ(options_of("{RecurrentWeights: dynamic}").recurrent_weights, RecurrentWeights::dynamic);
}

TEST(StorageOptions, HardActivationsAreIntegersByDefault) {
  EXPECT_EQ(options_of("{}").hard_activations, HardActivations::integer);
  EXPECT_EQ(options_of("{HardActivations: float}").hard_activations, HardActivations::keep_float);
}

TEST(StorageOptions, RefuseOtherValues) {
  EXPECT_THROW((void)options_of("{TableWeights: per_column}"), InvalidInput);
  EXPECT_THROW((void)options_of("{RecurrentWeights: static}"), InvalidInput);
  EXPECT_THROW((void)options_of("{HardActivations: int8}"), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
