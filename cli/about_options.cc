#include "about_options.h"

#include <fmt/core.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "build_info.h"
#include "command_text.h"
#include "completions.h"
#include "help.h"
#include "man_page.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/runtime.h"
#include "quantsearch/version.h"

namespace quantsearch::cli {

namespace {

std::string version_text() {
  const std::string version = "quantsearch " + std::string(kVersion);
  try {
    choose_runtime();
    return version + " with " + runtime_version();
  } catch (const Error& error) {
    return version + " without ONNX Runtime: " + error.what();
  }
}

Value runtime_value() {
  try {
    choose_runtime();
    const RuntimeLibrary library = runtime_library();
    return Value::Map{
        {"name", "ONNX Runtime"}, {"version", library.version}, {"library", library.file.string()}};
  } catch (const Error& error) {
    return Value::Map{{"name", "ONNX Runtime"}, {"error", error.what()}};
  }
}

std::string version_json() {
  const std::string commit = kBuildCommit;
  const Value build = Value::Map{{"compiler", kBuildCompiler},
                                 {"type", kBuildType},
                                 {"commit", commit.empty() ? Value() : Value(commit)}};
  return to_json(Value::Map{{"version", std::string(kVersion)},
                            {"build", build},
                            {"runtime", runtime_value()},
                            {"processor", to_value(this_processor())}},
                 1);
}

/// Ends the parsing with `text` on stdout.
[[noreturn]] void show(std::string text) {
  if (text.ends_with('\n')) text.pop_back();  // the parser ends it with one
  throw CLI::CallForVersion(text, 0);
}

}  // namespace

void choose_runtime() {
  const char* const place = std::getenv("ONNXRUNTIME_ROOT");
  if (place != nullptr && *place != '\0') use_runtime_library(place);
}

void add_about_options(CLI::App& app) {
  // The parser calls them in this order, so that --version knows whether --json was given.
  const auto as_json = std::make_shared<bool>(false);
  CLI::Option* const json = app.add_flag_callback(
      "--json", [as_json] { *as_json = true; },
      "With --version: also the build, the runtime and the processor, as JSON");
  json->group(kProgramGroup);
  CLI::Option* const version = app.add_flag_callback(
      "--version", [as_json] { show(*as_json ? version_json() : version_text()); },
      "Show the version, and that of ONNX Runtime");
  version->group(kProgramGroup);
  json->needs(version);
  app.add_option_function<std::string>(
         "--completions",
         [&app](const std::string& shell) {
           try {
             show(completions(describe(app), shell));
           } catch (const InvalidInput& error) {
             throw CLI::ValidationError(error.what());
           }
         },
         "Print the completions for a shell: bash, zsh or fish")
      ->option_text("SHELL")
      ->group(kProgramGroup);
  app.add_flag_callback(
         "--man", [&app] { show(man_page(describe(app))); },
         "Print the manual page: quantsearch --man | man -l -")
      ->group(kProgramGroup);
}

}  // namespace quantsearch::cli
