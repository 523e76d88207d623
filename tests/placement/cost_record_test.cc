#include "placement/cost_record.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using Split = std::vector<bool>;

/// x -> Relu -> Relu -> Tanh, where both Relus have one pattern and Tanh has no integer form.
Model chain() {
  testing::ModelBuilder builder;
  std::string value = builder.input("x", {1000});
  for (const char* op : {"Relu", "Relu", "Tanh"}) value = builder.node(op, {value});
  builder.output(value, {1000});
  return builder.build();
}

Units units_of_chain() {
  return {.units = {{.nodes = {0}, .pattern = "Relu", .can_be_integer = true},
                    {.nodes = {1}, .pattern = "Relu", .can_be_integer = true},
                    {.nodes = {2}, .pattern = "Tanh"}},
          .of_node = {0, 1, 2}};
}

CostRecord record_of(const Model& model, const KnownCosts& known = {}) {
  return {model.graph,
          units_of_chain(),
          {{"x", 1000}, {"Relu0_out", 1000}, {"Relu1_out", 1000}, {"Tanh2_out", 1000}},
          known};
}

TEST(CostRecord, AveragesUnitsOfAPatternAndAddsConversions) {
  const Model model = chain();
  CostRecord record = record_of(model);
  record.learn({.units = {10e-6, 20e-6, 5e-6}, .tensors = {}}, {false, false});
  record.learn({.units = {3e-6, 5e-6, 5e-6},
                .tensors = {{"x", {.quantize = 4e-6}}, {"Relu1_out", {.dequantize = 6e-6}}}},
               {true, false});
  EXPECT_NEAR(record.predicted({false, false}), 35e-6, 1e-12);
  EXPECT_NEAR(record.predicted({true, false}), 8e-6 + 5e-6 + 4e-6 + 6e-6, 1e-12);
  EXPECT_EQ(record.best_split(), (Split{true, false}));
  const std::vector<PatternCost> rows = record.report({true, false});
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[0].pattern, "Relu");
  EXPECT_EQ(rows[0].units, 2);
  EXPECT_NEAR(rows[0].float_ms, 0.030, 1e-9);
  EXPECT_NEAR(rows[0].integer_ms, 0.008, 1e-9);
  EXPECT_NEAR(rows[0].conversions_ms, 0.010, 1e-9);
  EXPECT_TRUE(rows[0].is_integer);
  EXPECT_FALSE(rows[1].can_be_integer);
}

TEST(CostRecord, ALaterProfileCorrectsAnEarlierOne) {
  const Model model = chain();
  CostRecord record = record_of(model);
  record.learn({.units = {10e-6, 10e-6, 5e-6}, .tensors = {}}, {false, false});
  record.learn({.units = {1e-6, 1e-6, 5e-6}, .tensors = {}}, {true, false});
  EXPECT_EQ(record.best_split(), (Split{true, false}));
  record.learn({.units = {9e-6, 9e-6, 5e-6}, .tensors = {}}, {true, false});
  EXPECT_EQ(record.best_split(), (Split{false, false}));
}

TEST(CostRecord, UsesWhatIsKnownOfTheMachine) {
  const Model model = chain();
  EXPECT_FALSE(record_of(model).knew_all());
  const KnownCosts known{.patterns = {{"Relu", {.on_float = 50e-6, .on_integers = 1e-6}},
                                      {"Other", {.on_float = 1, .on_integers = 1}}}};
  const CostRecord record = record_of(model, known);
  EXPECT_TRUE(record.knew_all());
  EXPECT_EQ(record.best_split(), (Split{true, false}));
  EXPECT_EQ(record.known().patterns.size(), 1);
  EXPECT_EQ(record.known().patterns.at("Relu"), known.patterns.at("Relu"));
}

TEST(KnownCosts, SurviveAFile) {
  const KnownCosts costs{.patterns = {{"Relu [2]", {.on_float = 5e-5, .on_integers = 1e-6}}}};
  const KnownCosts read = known_costs_from(parse_json(to_json(to_value(costs)), "test"));
  ASSERT_EQ(read.patterns.size(), 1);
  EXPECT_DOUBLE_EQ(read.patterns.at("Relu [2]").on_float, 5e-5);
  EXPECT_DOUBLE_EQ(read.patterns.at("Relu [2]").on_integers, 1e-6);
  for (const char* wrong :
       {"[]", "{a: 1}", "{a: {float_us: 1}}", "{a: {float_us: 1, integer_us: -1}}"})
    EXPECT_THROW((void)known_costs_from(parse_yaml(wrong, "test")), InvalidInput) << wrong;
}

}  // namespace
}  // namespace quantsearch
