#pragma once

// The options that tell about the program instead of running a command: its version, its
// completions for shells, its manual page.

#include <CLI/CLI.hpp>

namespace quantsearch::cli {

/// ONNXRUNTIME_ROOT chooses the library of ONNX Runtime. Throws as use_runtime_library() does.
void choose_runtime();

/// Adds them to the program, all of whose commands `app` has when it parses.
void add_about_options(CLI::App& app);

}  // namespace quantsearch::cli
