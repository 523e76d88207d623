#include "autosearch/output_folder.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kOutputFolder = "output folder";

constexpr const char* kFiles[] = {"best.onnx",   "best.onnx.data", "best_config.yaml",
                                  "report.html", "results.json",   "running.json",
                                  "study.db",    "study.db-wal",   "study.db-shm"};

std::string candidate_name(std::int64_t number) { return fmt::format("{:04}.onnx", number); }

bool is_candidate_file(const fs::path& file) {
  std::string name = file.filename().string();
  if (name.ends_with(".data")) name.resize(name.size() - 5);
  if (!name.ends_with(".onnx") || name.size() < 9) return false;
  return std::ranges::all_of(name.substr(0, name.size() - 5),
                             [](char c) { return c >= '0' && c <= '9'; });
}

void remove_candidates(const fs::path& folder, const std::vector<std::int64_t>& kept) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder / "candidates", ignored)) {
    const bool keep = std::ranges::any_of(kept, [&](std::int64_t number) {
      return entry.path().filename().string().starts_with(candidate_name(number));
    });
    if (!keep && is_candidate_file(entry.path())) fs::remove(entry.path(), ignored);
  }
}

/// Makes `folder` unless it is there. `owner` names it in the message.
void make_folder(const fs::path& folder, std::string_view owner) {
  std::error_code error;
  std::error_code ignored;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder, ignored)) {
    throw IoError(fmt::format(
        "search: {} '{}' cannot be made: {}; choose another with --output", owner, folder.string(),
        fs::exists(folder, ignored)
            ? kind_of_file(fs::status(folder, ignored)) + " of that name exists"
            : error.message()));
  }
}

void prove_writable(const fs::path& folder) {
  make_folder(folder, kOutputFolder);
  std::error_code error;
  const fs::path probe = folder / ".quantsearch-probe";
  try {
    write_file_atomically(probe, "");
  } catch (const IoError& failure) {
    throw IoError(fmt::format(
        "search: output folder '{}' cannot be written: {}; choose another with --output",
        folder.string(), failure.what()));
  }
  fs::remove(probe, error);
}

/// Checks before the search that every file can be written, so that a search does not fail at its
/// end because, for example, a folder has the name of a file.
void require_writable_files(const fs::path& folder) {
  for (const char* name : kFiles) {
    try {
      (void)file_to_write(folder / name);
    } catch (const InvalidInput& error) {
      throw InvalidInput(
          fmt::format("search: output folder '{}': {}; choose another folder with --output",
                      folder.string(), error.what()));
    }
  }
}

}  // namespace

OutputFolder::OutputFolder(fs::path folder, Existing existing) : folder_(std::move(folder)) {
  const bool holds_search =
      std::ranges::any_of(kFiles, [&](const char* name) { return fs::exists(folder_ / name); });
  if (holds_search && existing == Existing::refuse) {
    throw InvalidInput(
        fmt::format("search: output folder '{}' already holds a search; add --resume to continue "
                    "it, --overwrite to "
                    "replace it, or choose another folder",
                    folder_.string()));
  }
  prove_writable(folder_);
  require_writable_files(folder_);
  if (holds_search && existing == Existing::overwrite) {
    std::error_code ignored;
    // A link is kept for the new file.
    for (const char* name : kFiles) fs::remove(file_to_write(folder_ / name), ignored);
    remove_candidates(folder_, {});
    fs::remove(folder_ / "candidates", ignored);  // fails unless it is empty
  }
}

void OutputFolder::write_best(const Model& model, const Value& config) const {
  make_folder(folder_, kOutputFolder);  // it may have been removed since
  save_model(model, folder_ / "best.onnx");
  write_file_atomically(folder_ / "best_config.yaml", to_yaml(config));
}

fs::path OutputFolder::write_candidate(std::int64_t number, const Model& model) const {
  make_folder(folder_ / "candidates", "folder of candidates");
  fs::path file = folder_ / "candidates" / candidate_name(number);
  save_model(model, file);
  return file;
}

void OutputFolder::keep_candidates(const std::vector<std::int64_t>& numbers) const {
  remove_candidates(folder_, numbers);
}

void OutputFolder::write_results(const Value& results) const {
  make_folder(folder_, kOutputFolder);
  write_file_atomically(folder_ / "results.json", to_json(results, 1) + "\n");
  std::error_code ignored;
  fs::remove(folder_ / "running.json", ignored);
}

void OutputFolder::write_running(const Value& head) const {
  write_file_atomically(folder_ / "running.json", to_json(head, 1) + "\n");
}

void OutputFolder::write_report(const std::string& page) const {
  write_file_atomically(folder_ / "report.html", page);
}

}  // namespace quantsearch
