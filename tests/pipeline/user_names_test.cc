#include "pipeline/user_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/quantize/option_keys.h"
#include "quantsearch/pipeline/pipeline.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using Names = std::vector<std::string>;

std::string conv(testing::ModelBuilder& builder, const std::string& input,
                 const std::string& name) {
  return builder.node("Conv", {input, builder.random_weight(name + "_w", {2, 2, 1, 1}, 1, 3)}, {},
                      name);
}

/// A model x -> conv_a -> bn_a -> copy -> conv_b with a computed constant.
Model model_as_read() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2, 3, 3});
  const auto channel = [&](const char* name, float value) {
    return builder.weight(name, {2}, {value, value});
  };
  const std::string norm = builder.node("BatchNormalization",
                                        {conv(builder, "x", "conv_a"), channel("s", 2),
                                         channel("b", 1), channel("m", 0), channel("v", 1)},
                                        {}, "bn_a");
  const std::string copy = builder.node("Identity", {norm}, {}, "copy");
  const std::string last = conv(builder, copy, "conv_b");
  const std::string constant = builder.node("Neg", {builder.weight("c", {1}, {1})}, {}, "computed");
  builder.output(builder.node("Add", {last, constant}, {}, "add"), {-1, 2, 3, 3});
  return builder.build();
}

QuantizationConfig config_with(const QuantizeOptions& options) {
  QuantizationConfig config;
  config.quantize = options;
  return config;
}

class UserNames : public ::testing::Test {
 protected:
  Names layers_left_float(const QuantizeOptions& options) {
    const NamedConfig named = with_simplified_names(config_with(options), simplified_);
    notes_ = named.notes;
    Names names;
    for (const LayerRecord& layer : plan_layers(simplified_.model, named.config.quantize)) {
      if (!layer.quantized && layer.op_type == "Conv") names.push_back(layer.node);
    }
    return names;
  }

  Simplified simplified_ = simplify(model_as_read());
  Names notes_;
};

TEST_F(UserNames, ANodeThatWasMergedExcludesTheNodeItIsPartOf) {
  EXPECT_EQ(layers_left_float({.exclude_nodes = {"bn_a"}}), Names{"conv_a"});
  EXPECT_EQ(notes_, Names{"nodes_to_exclude: simplification took out 'bn_a': it is part of "
                          "'conv_a', which stands for it"});
}

TEST_F(UserNames, ACopyOrAComputedConstantExcludesNothing) {
  EXPECT_EQ(layers_left_float({.exclude_nodes = {"copy", "computed"}}), Names{});
  EXPECT_EQ(notes_,
            (Names{"nodes_to_exclude: simplification took out 'computed': nothing of it is "
                   "left to quantize",
                   "nodes_to_exclude: simplification took out 'copy': nothing of it is left "
                   "to quantize"}));
}

TEST_F(UserNames, ExpressionsMatchNamesOfMergedNodes) {
  EXPECT_EQ(layers_left_float({.exclude_nodes = {"^bn_"}}), Names{"conv_a"});
  EXPECT_EQ(layers_left_float({.exclude_nodes = {"^(bn_a|conv_b)$"}}), (Names{"conv_a", "conv_b"}));
}

TEST_F(UserNames, NodesToQuantizeMeanTheNodesTheyWereMergedInto) {
  EXPECT_EQ(layers_left_float({.nodes = {"bn_a"}}), Names{"conv_b"});
}

TEST_F(UserNames, AnEmptiedListOfNodesToQuantizeIsAnError) {
  try {
    (void)layers_left_float({.nodes = {"copy"}});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "quantize: option 'nodes_to_quantize' names only nodes of which simplification "
                 "left nothing ('copy'), expected at least one that computes");
  }
}

TEST_F(UserNames, InputAndOutputNodesMayBeCopies) {
  EXPECT_EQ(layers_left_float({.input_tensors = {"copy"}}), Names{"conv_a"});
  EXPECT_EQ(layers_left_float({.output_tensors = {"copy"}}), Names{"conv_b"});
  EXPECT_EQ(layers_left_float({.input_tensors = {"copy_out"}}), Names{"conv_a"});
  EXPECT_EQ(layers_left_float({.output_tensors = {"conv_a_out"}}), Names{"conv_b"});
}

TEST_F(UserNames, ASubgraphMayBeginAndEndAtACopy) {
  EXPECT_EQ(layers_left_float({.exclude_subgraphs = {{.starts = {"copy"}, .ends = {"add"}}}}),
            Names{"conv_b"});
  EXPECT_EQ(layers_left_float({.exclude_subgraphs = {{.starts = {"conv_a"}, .ends = {"copy"}}}}),
            Names{"conv_a"});
  EXPECT_EQ(layers_left_float({.exclude_subgraphs = {{.starts = {"bn_a"}, .ends = {"bn_a"}}}}),
            Names{"conv_a"});
}

TEST_F(UserNames, FormatsOfAMergedNodeAreThoseOfTheNodeItIsPartOf) {
  EXPECT_EQ(layers_left_float({.node_formats = {{"bn_a", {.keep_float = true}}}}), Names{"conv_a"});
}

TEST_F(UserNames, OverridesFollowTensorsWithTheSameValues) {
  const TensorOverride symmetric{.symmetric = true};
  QuantizationConfig config;
  config.quantize.overrides = {{"copy_out", symmetric}, {"conv_a_out", symmetric}};
  const NamedConfig named = with_simplified_names(config, simplified_);
  EXPECT_EQ(named.config.quantize.overrides,
            (std::map<std::string, TensorOverride>{{"bn_a_out", symmetric}}));
  EXPECT_EQ(named.notes,
            (Names{"TensorQuantOverrides: simplification took out 'conv_a_out': its values are not "
                   "computed any more ('bn_a_out' is), so what is asked for it has no effect",
                   "TensorQuantOverrides: simplification took out 'copy_out': 'bn_a_out' has its "
                   "values and stands for it"}));
}

TEST_F(UserNames, LayersOfMixedPrecisionAreTranslatedToo) {
  QuantizationConfig config;
  config.precision.emplace();
  config.precision->include_layers = {"bn_a", "conv_b"};
  config.precision->exclude_layers = {"copy"};
  const PrecisionOptions now = *with_simplified_names(config, simplified_).config.precision;
  EXPECT_EQ(now.include_layers, (Names{"conv_a", "conv_b"}));
  EXPECT_EQ(now.exclude_layers, Names{});
}

TEST_F(UserNames, AnUnknownNameIsLeftForTheStageToReport) {
  EXPECT_EQ(with_simplified_names(config_with({.exclude_nodes = {"nobody"}}), simplified_)
                .config.quantize.exclude_nodes,
            Names{"nobody"});
}

TEST_F(UserNames, APipelineAcceptsNamesOfTheOriginalModel) {
  ThreadPool pool(1);
  Pipeline pipeline(model_as_read(),
                    in_memory_data({{"x", testing::random_tensor({2, 2, 3, 3}, 1)}}), pool,
                    ByteBudget(1 << 24), {});
  Settings settings = settings_from(Value());
  settings["nodes_to_exclude"] = Value::List{"bn_a", "copy"};
  const Candidate candidate = pipeline.build(resolve(settings), CancellationToken());
  const std::vector<LayerRecord>& layers = candidate.quantized->layers;
  const auto layer = [&](const char* name) {
    return *std::ranges::find(layers, name, &LayerRecord::node);
  };
  EXPECT_EQ(layer("conv_a").reason, "excluded by name");
  EXPECT_TRUE(layer("conv_b").quantized);
}

TEST(OptionKeys, AreKeysThatUsersCanWrite) {
  std::set<std::string, std::less<>> written;
  for (const OptionInfo& option : all_options()) written.insert(option.name);
  for (const std::string_view key : keys::kAll) EXPECT_TRUE(written.contains(key)) << key;
}

/// Returns the error of a build in which one option contains an unknown name.
std::string message_for(const std::string& option, const Value& value) {
  Settings settings = settings_from(Value());
  settings[option] = canonical_value(option, value);
  try {
    ThreadPool pool(1);
    Pipeline pipeline(model_as_read(),
                      in_memory_data({{"x", testing::random_tensor({2, 2, 3, 3}, 1)}}), pool,
                      ByteBudget(1 << 24), {});
    (void)pipeline.build(resolve(settings), CancellationToken());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// A message about an unknown name contains the key of the option, as the user wrote it.
TEST(OptionKeys, AreNamedInMessagesAboutUnknownNames) {
  const Value names = Value::List{"nobody"};
  const Value format = Value::Map{{"nobody", "Float"}};
  const std::map<std::string, Value> wrong = {
      {"op_types_to_quantize", names},
      {"extra_op_types_to_quantize", names},
      {"op_types_to_exclude", names},
      {"nodes_to_quantize", names},
      {"nodes_to_exclude", names},
      {"input_nodes", names},
      {"output_nodes", names},
      {"subgraphs_to_exclude", Value::List{Value::List{names, names}}},
      {"node_formats", format},
      {"extra_options.TensorQuantOverrides",
       Value::Map{{"nobody", Value::List{Value::Map{{"symmetric", true}}}}}},
      {"extra_options.CalibPassthroughOpTypes", names},
  };
  for (const auto& [option, value] : wrong) {
    const std::string key = option.substr(option.rfind('.') + 1);
    const std::string message = message_for(option, value);
    EXPECT_NE(message.find(key), std::string::npos) << option << ": " << message;
    EXPECT_NE(message.find("nobody"), std::string::npos) << option << ": " << message;
  }
}

}  // namespace
}  // namespace quantsearch
