// Tests that every field of every options struct is in the key of the stage that reads it.

#include "pipeline/option_fields.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/content_keys.h"
#include "pipeline/stage_keys.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {
namespace {

using testing::kData;
using testing::kModel;
using Names = std::vector<std::string>;

struct IgnoreField {
  template <typename Field>
  void operator()(const char* /*name*/, Field& /*field*/) const {}
};

/// Calls visit(name, field) for each field that has no fields itself.
template <typename Options, typename Visit>
void for_each_leaf(Options& options, const Visit& visit, const std::string& path = "") {
  for_each_field(options, [&](const char* name, auto& field) {
    if constexpr (requires { for_each_field(field, IgnoreField{}); }) {
      for_each_leaf(field, visit, path + name + ".");
    } else {
      visit(path + name, field);
    }
  });
}

/// Changes the value to another of the same type.
template <typename T>
void change(T& value) {
  if constexpr (std::same_as<T, bool>) {
    value = !value;
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(static_cast<int>(value) + 1);
  } else if constexpr (std::is_arithmetic_v<T>) {
    value += 1;
  } else if constexpr (requires { value.has_value(); }) {
    value = value ? T{} : T{std::in_place};
  } else if constexpr (requires { value.emplace_back(); }) {
    value.emplace_back();
  } else if constexpr (requires { typename T::mapped_type; }) {
    value.try_emplace(typename T::key_type{});
  } else {
    value.emplace();
  }
}

/// Changes leaf number `number` and returns its name; empty beyond the last leaf.
template <typename Options>
std::string change_leaf(Options& options, int number) {
  std::string changed;
  int at = 0;
  for_each_leaf(options, [&](const std::string& name, auto& field) {
    if (at++ != number) return;
    changed = name;
    change(field);
  });
  return changed;
}

/// Returns the fields that `key_of` does not read.
template <typename Options, typename KeyOf>
Names unread_fields(const Options& base, const KeyOf& key_of) {
  Names unread;
  for (int number = 0;; ++number) {
    Options changed = base;
    const std::string name = change_leaf(changed, number);
    if (name.empty()) return unread;
    if (key_of(changed) == key_of(base)) unread.push_back(name);
  }
}

TEST(OptionFields, AreInTheKeyOfTheirStage) {
  const auto simplify = [](const SimplifyOptions& options) {
    return simplify_key(kModel, options);
  };
  EXPECT_EQ(unread_fields(SimplifyOptions{}, simplify), Names{});
  const auto equalize = [](const EqualizeOptions& options) {
    return equalize_key(kModel, options);
  };
  EXPECT_EQ(unread_fields(EqualizeOptions{.steps = 2}, equalize), Names{"bias_absorption"});
  const auto smooth = [](const SmoothOptions& options) {
    return smooth_key(kModel, kData, options);
  };
  EXPECT_EQ(unread_fields(SmoothOptions{.alpha = {}}, smooth), Names{});
  const auto quantize = [](const QuantizeOptions& options) {
    return quantize_key(kModel, {kData}, options);
  };
  EXPECT_EQ(unread_fields(QuantizeOptions{}, quantize), Names{"facts"});
  const auto precision = [](const PrecisionOptions& options) {
    return precision_key(kModel, kData, options);
  };
  EXPECT_EQ(unread_fields(PrecisionOptions{}, precision), Names{});
  const auto finetune = [](const FinetuneOptions& options) {
    return finetune_key(kModel, kData, options);
  };
  EXPECT_EQ(unread_fields(FinetuneOptions{}, finetune), Names{});
}

TEST(OptionFields, OfRangesAreInTheKeyOfTheMethodsThatReadThem) {
  const auto key_of = [](const RangeOptions& options) { return ranges_key(kModel, options); };
  const std::vector<RangeOptions> bases = {{.method = RangeMethod::min_max, .moving_average = true},
                                           {.method = RangeMethod::percentile},
                                           {.method = RangeMethod::layer_wise_percentile},
                                           {.method = RangeMethod::entropy},
                                           {.method = RangeMethod::min_mse}};
  Names never_read = unread_fields(bases.front(), key_of);
  for (const RangeOptions& base : bases) {
    const Names unread = unread_fields(base, key_of);
    std::erase_if(never_read, [&](const std::string& name) {
      return std::ranges::find(unread, name) == unread.end();
    });
  }
  EXPECT_EQ(never_read, Names{});
  EXPECT_EQ(unread_fields(bases[1], key_of),
            (Names{"moving_average", "moving_average_constant", "percentile_candidates",
                   "percentile_metric", "quantized_bins", "type", "symmetric_quantization",
                   "reduce_range", "tensors"}));
}

/// Returns the position of the first key that differs.
std::size_t first_difference(const std::vector<Key>& a, const std::vector<Key>& b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// The stages are simplify, observe, ranges, quantize and finetune. An option affects the keys of
// its stage and of those that follow.
TEST(OptionFields, DoNotAffectEarlierStages) {
  QuantizationConfig config;
  config.finetune.emplace();
  ASSERT_EQ(stage_keys(kModel, kData, config).size(), 5U);
  const auto expect_each = [&](auto member, std::size_t stage) {
    QuantizationConfig own = config;
    auto& options = member(own);
    const auto base = options;
    const std::vector<Key> before = stage_keys(kModel, kData, own);
    for (int number = 0;; ++number) {
      options = base;
      const std::string name = change_leaf(options, number);
      if (name.empty()) return;
      const std::size_t first = first_difference(before, stage_keys(kModel, kData, own));
      EXPECT_TRUE(first == stage || first == before.size()) << name << " reaches " << first;
    }
  };
  expect_each(
      [](QuantizationConfig & own) -> auto& { return own.simplify; }, 0);
  expect_each(
      [](QuantizationConfig & own) -> auto& { return own.ranges; }, 2);
  expect_each(
      [](QuantizationConfig & own) -> auto& { return *own.finetune; }, 4);
}

}  // namespace
}  // namespace quantsearch
