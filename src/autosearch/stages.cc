#include "autosearch/stages.h"

#include <algorithm>
#include <set>

namespace quantsearch {

namespace {

const std::string kSwitch = "include_fast_ft";
const std::string kGroup = "extra_options.FastFinetune.";
const std::string kFormatSwitch = "include_auto_mp";
const std::string kFormatGroup = "extra_options.AutoMixprecision.";

bool is_varied(const Parameter& parameter) { return parameter.choices.size() != 1; }

bool switches_on(const std::vector<Parameter>& product) {
  const auto found = std::ranges::find(product, kSwitch, &Parameter::name);
  return found != product.end() &&
         std::ranges::find(found->choices, Value(true)) != found->choices.end();
}

bool is_format_setting(const std::string& name) {
  return name == kFormatSwitch || name.starts_with(kFormatGroup);
}

/// True when the product contains mixed precision both on and off.
bool has_two_positions(const std::vector<Parameter>& product) {
  const auto found = std::ranges::find(product, kFormatSwitch, &Parameter::name);
  return found != product.end() &&
         std::ranges::find(found->choices, Value(false)) != found->choices.end() &&
         found->choices.size() > 1;
}

Parameter fixed(const std::string& name, const Value& value) {
  return {.name = name, .choices = {value}};
}

bool admits(const Parameter& parameter, const Value& value) {
  return std::ranges::find(parameter.choices, value) != parameter.choices.end();
}

bool is_deferred(const Parameter& parameter, const std::vector<Parameter>& product,
                 Deferred deferred) {
  if (is_finetune_setting(parameter.name)) return true;
  return deferred == Deferred::finetuning_and_formats && is_format_setting(parameter.name) &&
         has_two_positions(product);
}

/// Returns the product with every setting that was not deferred fixed to its value in the point;
/// nullopt when the product does not contain the point. A setting without effect there takes its
/// first value.
std::optional<std::vector<Parameter>> frozen(const std::vector<Parameter>& product,
                                             const Point& winner, Deferred deferred) {
  std::vector<Parameter> result;
  for (const Parameter& parameter : product) {
    if (is_deferred(parameter, product, deferred)) {
      result.push_back(parameter);
    } else if (const auto own = winner.find(parameter.name); own != winner.end()) {
      const bool real = parameter.choices.empty();
      // A method without effect on the model is off in the point, even if the space does not
      // contain that choice.
      const bool is_idle = parameter.name.starts_with("include_") && own->second == Value(false);
      if (!real && !admits(parameter, own->second) && !is_idle) return std::nullopt;
      result.push_back(fixed(parameter.name, own->second));
    } else {
      result.push_back(
          parameter.choices.empty() ? parameter : fixed(parameter.name, parameter.choices.front()));
    }
  }
  return result;
}

/// Returns the product with the switch fixed to `position`.
Space with_switch(std::vector<Parameter> product, const std::string& name, bool position) {
  for (Parameter& parameter : product) {
    if (parameter.name == name) parameter = fixed(name, position);
  }
  return Space(std::move(product));
}

bool has_setting(const std::vector<Parameter>& product, const std::string& name) {
  return std::ranges::find(product, name, &Parameter::name) != product.end();
}

bool holds_every_setting(const std::vector<Parameter>& product, const Point& winner) {
  return std::ranges::all_of(winner, [&](const auto& setting) {
    return is_finetune_setting(setting.first) || has_setting(product, setting.first);
  });
}

/// Adds the settings of the point that the product does not have.
void add_missing(std::vector<Parameter>& product, const Point& winner) {
  for (const auto& [name, value] : winner) {
    if (!is_finetune_setting(name) && !has_setting(product, name))
      product.push_back(fixed(name, value));
  }
}

/// Adds the second stages of one product for one point.
void add_stages(std::vector<Space>& stages, const std::vector<Parameter>& product,
                const Point& winner, Deferred deferred) {
  auto stage = frozen(product, winner, deferred);
  if (!stage) return;
  add_missing(*stage, winner);
  stages.push_back(with_switch(*stage, kSwitch, true));
  if (deferred == Deferred::finetuning || !has_two_positions(product)) return;
  std::erase_if(*stage,
                [](const Parameter& parameter) { return parameter.name.starts_with(kGroup); });
  stages.push_back(with_switch(with_switch(*std::move(stage), kSwitch, false).products().front(),
                               kFormatSwitch, true));
}

}  // namespace

bool is_finetune_setting(const std::string& name) {
  return name == kSwitch || name.starts_with(kGroup);
}

Space with_base_switch(const Space& space, const Settings& base) {
  if (!effective_value(kSwitch, base).as_bool()) return space;
  std::vector<Space> completed;
  for (std::vector<Parameter> product : space.products()) {
    const bool tunes = std::ranges::any_of(
        product, [](const Parameter& parameter) { return parameter.name.starts_with(kGroup); });
    if (tunes && !has_setting(product, kSwitch)) product.push_back(fixed(kSwitch, true));
    completed.push_back(Space(std::move(product)));
  }
  return completed.size() == 1 ? completed.front() : Space::union_of(std::move(completed));
}

bool has_finetuning(const Space& space) {
  return std::ranges::any_of(space.products(), switches_on);
}

Space first_stage(const Space& space, Deferred deferred) {
  std::vector<Space> stages;
  for (const auto& product : space.products()) {
    std::vector<Parameter> kept;
    for (const Parameter& parameter : product) {
      if (!is_deferred(parameter, product, deferred)) kept.push_back(parameter);
    }
    kept.push_back(fixed(kSwitch, false));
    if (deferred == Deferred::finetuning_and_formats && has_two_positions(product))
      kept.push_back(fixed(kFormatSwitch, false));
    stages.push_back(Space(std::move(kept)));
  }
  return stages.size() == 1 ? stages.front() : Space::union_of(std::move(stages));
}

std::optional<Space> second_stage(const Space& space, const std::vector<Point>& winners,
                                  Deferred deferred) {
  std::vector<Space> stages;
  for (const Point& winner : winners) {
    const std::size_t before = stages.size();
    for (const bool whole : {true, false}) {
      for (const auto& product : space.products()) {
        if (switches_on(product) && holds_every_setting(product, winner) == whole)
          add_stages(stages, product, winner, deferred);
      }
      // A product that only tunes is used only for points that no product contains completely.
      if (stages.size() > before) break;
    }
  }
  if (stages.empty()) return std::nullopt;
  return stages.size() == 1 ? stages.front() : Space::union_of(std::move(stages));
}

std::vector<std::string> varied_finetune_settings(const Space& space) {
  std::set<std::string> names;
  for (const auto& product : space.products()) {
    for (const Parameter& parameter : product) {
      if (parameter.name != kSwitch && is_finetune_setting(parameter.name) && is_varied(parameter))
        names.insert(parameter.name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace quantsearch
