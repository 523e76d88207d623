#include "common.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <new>
#include <system_error>
#include <vector>

#include "help.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/data/fixed_data.h"
#include "quantsearch/report.h"
#include "terminal.h"

namespace quantsearch::cli {

namespace {

// A signal handler can access only objects with static storage.
const CancellationToken& process_token() {
  static const CancellationToken kToken;
  return kToken;
}
volatile std::sig_atomic_t last_signal = 0;
volatile std::sig_atomic_t second_signal = 0;
static_assert(std::atomic<bool>::is_always_lock_free);
std::atomic<bool> holds_second = false;  // true while the results are not on disk

void die_of(int number) {
  std::signal(number, SIG_DFL);
  std::raise(number);
}

extern "C" void on_signal(int number) {
  if (last_signal == 0) {
    last_signal = number;
    process_token().cancel();
  } else if (second_signal == 0 && holds_second) {
    second_signal = number;
  } else {
    die_of(number);  // a second signal ends the process
  }
}

struct Failure {
  std::string kind;
  std::string message;
  int code = kInternalError;
};

/// Returns the failure for the exception that is being handled.
Failure failure_in_flight() {
  try {
    throw;
  } catch (const Cancelled&) {
    return {"interrupted", "interrupted before the first result",
            interruption_code().value_or(kInterrupted)};
  } catch (const InvalidInput& error) {
    return {"invalid_input", error.what(), kBadInput};
  } catch (const Unsupported& error) {
    return {"unsupported", error.what(), kBadInput};
  } catch (const IoError& error) {
    return {"io", error.what(), kBadInput};
  } catch (const std::bad_alloc&) {
    return {"out_of_memory", "out of memory; give a smaller --memory or use fewer --threads",
            kInternalError};
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::broken_pipe) return {"broken_pipe", "", kBrokenPipe};
    return {"internal", std::string("internal error: ") + error.what(), kInternalError};
  } catch (const std::exception& error) {
    return {"internal", std::string("internal error: ") + error.what(), kInternalError};
  }
}

}  // namespace

void add_common_options(CLI::App& command, CommonOptions& options, const CommonUses& uses) {
  const auto shown = [](bool is_used, const char* group) {
    return std::string(is_used ? group : kHidden);
  };
  const std::string run = shown(uses.computes, kRunGroup);
  command.add_option("--threads", options.threads, "Threads of the run")
      ->check(CLI::PositiveNumber)
      ->option_text("N")
      ->default_str("all cores")
      ->group(run);
  command.add_option("--memory", options.memory, "Memory for kept results, such as 2G")
      ->option_text("SIZE")
      ->default_str("half of RAM")
      ->group(run);
  command
      .add_option("--jobs", options.jobs, "Trials at the same time, within --threads and --memory")
      ->check(CLI::Range(1, 1024))
      ->option_text("N")
      ->default_str("1")
      ->group(shown(uses.searches, kRunGroup));
  command
      .add_option_function<std::int64_t>(
          "--seed",
          [&options](std::int64_t seed) {
            options.seed = seed;
            options.seed_given = true;
          },
          "Seed of everything random")
      ->option_text("N")
      ->default_str("0")
      ->group(shown(uses.searches, kRunGroup));
  command.add_option("--log", options.log_file, "Log file, to which lines are added")
      ->option_text("FILE")
      ->default_str(uses.searches ? "auto_search.log" : "none")
      ->group(shown(uses.computes, kMessageGroup));
  command.add_flag("--verbose", options.verbose, "Write what goes to the log to stderr too")
      ->group(shown(uses.computes, kMessageGroup));
  command.add_flag("--quiet", options.quiet, "Write errors only")
      ->group(shown(uses.computes || uses.warns, kMessageGroup));
  command
      .add_flag("--json", options.json, "Write the result as JSON to stdout, messages to stderr")
      ->group(kMessageGroup);
}

Context::Context(const CommonOptions& options, const std::filesystem::path& default_log)
    : pool_(std::make_unique<ThreadPool>(options.threads)),
      budget_(options.memory.empty() ? physical_memory_bytes() / 2
                                     : of_option("--memory", options.memory, parse_size)) {
  log_file_ = options.log_file.empty() ? default_log : std::filesystem::path(options.log_file);
  std::error_code absent;
  if (const auto bytes = std::filesystem::file_size(log_file_, absent); !absent)
    old_log_bytes_ = bytes;
  const LogSink to_file = log_file_.empty() ? LogSink() : open_log_file(log_file_);
  const LogLevel shown = options.quiet     ? LogLevel::error
                         : options.verbose ? LogLevel::detail
                                           : LogLevel::warning;
  log_ = [to_file, shown](LogLevel level, std::string_view line) {
    say(to_file, level, line);
    if (level >= shown)
      print_message(fmt::format("{}{}", level == LogLevel::warning ? "warning: " : "", line));
  };
}

void Context::forget_log() {
  if (log_file_.empty()) return;
  std::error_code ignored;  // errors here are less important than the message about the input
  if (!std::filesystem::is_regular_file(log_file_, ignored)) return;
  if (old_log_bytes_) {
    std::filesystem::resize_file(log_file_, *old_log_bytes_, ignored);
  } else {
    std::filesystem::remove(log_file_, ignored);
  }
}

const CancellationToken& Context::token() const { return process_token(); }

void hold_second_interruption() { holds_second = true; }

void let_second_interruption_through() {
  holds_second = false;
  if (second_signal != 0) die_of(second_signal);
}

std::optional<int> interruption_code() {
  if (last_signal == SIGINT) return kInterrupted;
  if (last_signal == SIGTERM) return kTerminated;
  return std::nullopt;
}

int run_command(const std::function<int()>& body, bool as_json) {
  (void)process_token();  // made before a signal handler can use it
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return body();
  } catch (const std::exception&) {
    const Failure failure = failure_in_flight();
    if (failure.code == kBrokenPipe) return kBrokenPipe;  // nobody reads a message either
    print_message("quantsearch: " + failure.message);
    if (as_json) print_failure(failure.message, failure.kind, failure.code);
    return failure.code;
  }
}

void print_failure(const std::string& message, const std::string& kind, int code) {
  fmt::print("{}\n",
             to_json(Value::Map{{"error", message}, {"kind", kind}, {"exit_code", code}}, 1));
}

LoadedData open_data(const DataOptionsText& text, const Model& model, const FixedInputs& fixed,
                     DataOptions options) {
  std::vector<std::string> names;
  for (const auto& [name, value] : fixed) names.push_back(name);
  options.limit = text.limit;
  return quantsearch::open_data(text.path, model, options, names);
}

void warn_about(const std::vector<std::string>& remarks, const LogSink& log) {
  for (const std::string& remark : remarks) say(log, LogLevel::warning, remark);
}

void add_preprocess_option(CLI::App& command, std::string& text) {
  command
      .add_option("--preprocess", text,
                  "How images or sounds of a folder become samples: imagenet, clip, yolo, "
                  "paddleocr, paddleocr_det, speech, or '{preset: imagenet, size: 160}' "
                  "(docs/data.md)")
      ->option_text("HOW")
      ->default_str("none")
      ->group(kInputGroup);
}

std::optional<Preprocess> preprocess_of(const std::string& text,
                                        std::optional<Preprocess> otherwise) {
  if (text.empty()) return otherwise;
  return of_option("--preprocess", text,
                   [](const std::string& value) { return parse_preprocess(value); });
}

void add_fix_option(CLI::App& command, FixedInputs& fixed) {
  const auto take = [&fixed](const std::string& text) {
    const std::size_t sign = text.find('=');
    if (sign == 0 || sign == std::string::npos || sign + 1 == text.size())
      throw CLI::ValidationError(
          "--fix", fmt::format("got '{}', expected NAME=VALUE such as sr=16000", text));
    try {
      fixed[text.substr(0, sign)] = parse_yaml(text.substr(sign + 1), "--fix");
    } catch (const InvalidInput& error) {
      throw CLI::ValidationError(error.what());
    }
  };
  command
      .add_option_function<std::vector<std::string>>(
          "--fix",
          [take](const std::vector<std::string>& texts) { std::ranges::for_each(texts, take); },
          "Make this input a constant, such as sr=16000; may be repeated")
      ->allow_extra_args(false)
      ->option_text("NAME=VALUE")
      ->group(kInputGroup);
}

void add_target_option(CLI::App& command, std::string& target) {
  command
      .add_option("--target", target,
                  "Processors for which the model must be right: cpu, cpu-vnni or npu-cnn "
                  "(docs/targets.md)")
      ->option_text("NAME")
      ->default_str("cpu")
      ->group(kQuantizationGroup);
}

void add_requantize_option(CLI::App& command, bool& requantize) {
  command
      .add_flag("--requantize", requantize,
                "Take a model whose activations are quantized already, and quantize what it left "
                "float")
      ->group(kQuantizationGroup);
}

Settings for_target(const std::string& target, std::optional<Settings> settings) {
  if (settings) settings->erase("target");
  return of_option("--target", target,
                   [&](const std::string& name) { return with_target(std::move(settings), name); });
}

void add_model_option(CLI::App& command, std::string& model) {
  command.add_option("MODEL", model, "Float model (.onnx)")->required()->group(kInputGroup);
}

void add_limit_option(CLI::App& command, const char* name, std::optional<std::int64_t>& limit,
                      const char* samples) {
  command.add_option(name, limit, fmt::format("Use the first N {}", samples))
      ->check(CLI::PositiveNumber)
      ->option_text("N")
      ->default_str("all")
      ->group(kInputGroup);
}

void add_model_and_calibration(CLI::App& command, std::string& model,
                               DataOptionsText& calibration) {
  add_model_option(command, model);
  command
      .add_option("--calibration", calibration.path,
                  "Calibration data: .npz, .npy, or a folder of images, sounds or test_data_set_*")
      ->required()
      ->option_text("DATA")
      ->group(kInputGroup);
  add_limit_option(command, "--limit", calibration.limit, "calibration samples");
}

void add_labels_option(CLI::App& command, std::string& labels) {
  command
      .add_option(
          "--labels", labels,
          "Class of each sample (.npy, .npz; .csv or .txt by file), which gives the scores top1 "
          "and top5")
      ->option_text("FILE")
      ->default_str("an array 'labels' of the data, if there is one")
      ->group(kInputGroup);
}

namespace {

/// Adds the option of a key, which hands its value to `give`.
CLI::Option* add_key_option(CLI::App& command, const SearchKey& key,
                            const std::function<void(Value)>& give) {
  switch (key.kind) {
    case SearchKey::Kind::text:
      return command
          .add_option_function<std::string>(
              key.flag, [give](const std::string& text) { give(text); }, sentence(key.meaning))
          ->option_text(key.argument);
    case SearchKey::Kind::number:
      return command
          .add_option_function<double>(
              key.flag, [give](double number) { give(number); }, sentence(key.meaning))
          ->option_text(key.argument);
    case SearchKey::Kind::off:
      return command.add_flag_function(
          key.flag, [give](std::int64_t /*times*/) { give(false); }, "Do not " + key.meaning);
    case SearchKey::Kind::on:
      return command.add_flag_function(
          key.flag, [give](std::int64_t /*times*/) { give(true); }, sentence(key.meaning));
  }
  throw InternalError("search key without a kind");
}

}  // namespace

void add_key_options(CLI::App& command, std::vector<CommandLineValue>& over) {
  for (const SearchKey& key : search_keys()) {
    if (key.flag.empty()) continue;
    if (CLI::Option* const there = command.get_option_no_throw(key.flag)) {
      there->group(key.group);
      continue;
    }
    CLI::Option* const option = add_key_option(command, key, [&over, key](Value value) {
      over.push_back({.key = key.name, .value = std::move(value), .flag = key.flag});
    });
    option->group(key.group);
    const bool takes_value =
        key.kind == SearchKey::Kind::text || key.kind == SearchKey::Kind::number;
    if (!takes_value) continue;
    option->default_str(
        key.without_file.empty()
            ? key.default_value
            : fmt::format("{}; with --config: {}", key.without_file, key.default_value));
  }
}

AutoSearchConfig search_config(const std::string& file, const FixedInputs& fixed,
                               std::vector<CommandLineValue> over) {
  if (!fixed.empty())
    over.push_back(
        {.key = "fixed_inputs", .value = Value::Map(fixed.begin(), fixed.end()), .flag = "--fix"});
  return parse_search_config(file.empty() ? Value(Value::Map{}) : load_config_file(file), over);
}

}  // namespace quantsearch::cli
