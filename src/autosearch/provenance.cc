#include "autosearch/provenance.h"

#include <fmt/core.h>

#include "quantsearch/base/processor.h"
#include "quantsearch/runtime.h"
#include "quantsearch/version.h"

namespace quantsearch {

namespace {

Value data_value(const DataOrigin& origin, std::int64_t samples, const std::string& fingerprint) {
  Value value(Value::Map{});
  if (!origin.file.empty()) value.set("file", origin.file);
  value.set("samples", samples);
  if (origin.available > 0) value.set("available", origin.available);
  value.set("fingerprint", fingerprint);
  return value;
}

/// The data that judge the candidates: a part of the calibration data without data of their own.
const DataOrigin& judging_origin(const SearchInput& input) {
  return input.evaluation != nullptr ? input.evaluation_origin : input.calibration_origin;
}

std::string text_at(const Value& value, const char* key) {
  const Value* const found = value.find(key);
  return found != nullptr && found->is_string() ? found->as_string() : "";
}

std::int64_t count_at(const Value& value, const char* key) {
  const Value* const found = value.find(key);
  return found != nullptr && found->is_number() ? found->as_int() : 0;
}

std::string model_text(const std::string& file) {
  return file.empty() ? "the model" : fmt::format("'{}'", file);
}

}  // namespace

std::string to_string(const DataOrigin& origin, std::int64_t samples) {
  const std::string of = origin.file.empty() ? "" : fmt::format(" of '{}'", origin.file);
  return origin.available > samples
             ? fmt::format("{} of the {} samples{}", samples, origin.available, of)
             : fmt::format("{} samples{}", samples, of);
}

Value provenance_of(const Setup& setup, const Settings& settings) {
  const ModelOrigin origin = setup.pipeline->origin(resolve(settings));
  Value model(Value::Map{});
  if (!setup.input.model_name.empty()) model.set("file", setup.input.model_name);
  model.set("fingerprint", origin.float_model);
  Value value = Value::Map{{"quantsearch", std::string(kVersion)},
                           {"runtime", runtime_version()},
                           {"processor", to_string(this_processor())}};
  if (!setup.input.command_line.empty()) value.set("command_line", setup.input.command_line);
  value.set("model", model);
  value.set("calibration",
            data_value(setup.input.calibration_origin, origin.samples, origin.calibration));
  value.set("evaluation", data_value(judging_origin(setup.input), setup.data.evaluation->size(),
                                     setup.data.evaluation->content_key().hex()));
  if (!setup.input.labels_file.empty()) value.set("labels", setup.input.labels_file);
  value.set("seed", static_cast<std::int64_t>(setup.config.strategy.seed));
  return value;
}

Value provenance_of(const Setup& setup) { return provenance_of(setup, setup.config.base); }

Value inputs_in_words(const Setup& setup) {
  const SearchInput& input = setup.input;
  Value words = Value::Map{
      {"model", model_text(input.model_name)},
      {"calibration", to_string(input.calibration_origin, setup.data.calibration->size())},
      {"evaluation", to_string(judging_origin(input), setup.data.evaluation->size())}};
  const std::int64_t labels =
      setup.data.labels ? static_cast<std::int64_t>(setup.data.labels->size()) : 0;
  words.set("labels", labels == 0 ? "none"
                      : input.labels_file.empty()
                          ? fmt::format("{} labels", labels)
                          : fmt::format("{} labels of '{}'", labels, input.labels_file));
  return words;
}

std::vector<std::string> differences_from(const Value& provenance, const RunInputs& now) {
  std::vector<std::string> sentences;
  if (const Value* const model = provenance.find("model");
      model != nullptr && text_at(*model, "fingerprint") != now.origin.float_model) {
    sentences.push_back(fmt::format("the configuration was found for {}, and {} is another model",
                                    model_text(text_at(*model, "file")),
                                    model_text(now.model_file)));
  }
  const Value* const data = provenance.find("calibration");
  if (data == nullptr || text_at(*data, "fingerprint") == now.origin.calibration) return sentences;
  const DataOrigin then{.file = text_at(*data, "file"), .available = count_at(*data, "available")};
  const std::string before = to_string(then, count_at(*data, "samples"));
  const std::string after = to_string(now.calibration, now.origin.samples);
  sentences.push_back(fmt::format(
      "the configuration was found with {}, and this model is calibrated with {}{}; it will not be "
      "the model that was found",
      before, after, before == after ? ", whose content is another" : ""));
  return sentences;
}

std::vector<std::string> version_differences(const Value& provenance) {
  std::vector<std::string> sentences;
  const auto compare = [&](const char* key, const std::string& before, const std::string& now) {
    if (before.empty() || before == now) return;
    sentences.push_back(fmt::format(
        "the configuration was found with {} {}, and this is {}; the model may differ from the one "
        "that was found in its last bits",
        key, before, now));
  };
  compare("quantsearch", text_at(provenance, "quantsearch"), std::string(kVersion));
  compare("the runtime", text_at(provenance, "runtime"), runtime_version());
  return sentences;
}

}  // namespace quantsearch
