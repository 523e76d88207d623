#include "evaluate/tasks/named_pairs.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

#include "evaluate/tasks/named_truth.h"
#include "evaluate/tasks/text_decode.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

namespace {

constexpr const char* kScores = "scores";

/// Samples by the names of their files: with folder and extension, and without one or both when no
/// other file is called the same.
class SamplesByName {
 public:
  explicit SamplesByName(const DataSource& samples) {
    for (std::int64_t sample = 0; sample < samples.size(); ++sample) {
      std::filesystem::path name = samples.sample_name(sample);
      add(0, name, sample);
      add(2, name.filename(), sample);
      name.replace_extension();
      add(1, name, sample);
      add(3, name.filename(), sample);
    }
  }
  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const {
    for (const Samples& samples : by_name_) {
      if (const auto found = samples.find(name); found != samples.end()) return found->second;
    }
    return std::nullopt;
  }
  /// A file that became several samples, of which none is meant by its name.
  [[nodiscard]] std::optional<std::string> shared_name() const {
    for (const auto& [name, sample] : by_name_[0])
      if (!sample) return name;
    return std::nullopt;
  }

 private:
  using Samples = std::map<std::string, std::optional<std::size_t>>;  // nullopt: several

  void add(std::size_t kind, const std::filesystem::path& name, std::int64_t sample) {
    const auto [known, is_new] =
        by_name_[kind].emplace(name.generic_string(), static_cast<std::size_t>(sample));
    if (!is_new) known->second.reset();
  }

  std::array<Samples, 4> by_name_;  // whole names first
};

std::optional<double> score_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

class PairFile {
 public:
  PairFile(const TaskOptions& options, const DataSource& samples)
      : options_(options), file_(options.text(kScores)), by_name_(samples) {
    if (!have_names(samples)) {
      options_.refuse(kScores, fmt::format("'{}' names files and the samples are none, expected an "
                                           "array with the score of each pair",
                                           file_));
    }
    if (const auto name = by_name_.shared_name()) {
      options_.refuse(
          kScores, fmt::format("'{}' became several samples, expected one for each file", *name));
    }
  }

  [[nodiscard]] std::vector<GoldPair> read(const DataSource& samples) const {
    std::vector<GoldPair> pairs;
    std::vector<bool> have_a_pair(static_cast<std::size_t>(samples.size()));
    std::size_t number = 0;
    for (const std::string& line : lines_of(read_file(file_))) {
      ++number;
      const auto pair = line.empty() ? std::nullopt : pair_in(line, number);
      if (!pair) continue;
      pairs.push_back(*pair);
      have_a_pair[pair->first] = have_a_pair[pair->second] = true;
    }
    for (std::size_t sample = 0; sample < have_a_pair.size(); ++sample) {
      if (have_a_pair[sample]) continue;
      options_.refuse(kScores,
                      fmt::format("'{}' has no line with the name of '{}' alone, expected "
                                  "one or more for each file of the data",
                                  file_, samples.sample_name(static_cast<std::int64_t>(sample))));
    }
    return pairs;
  }

 private:
  /// Nothing when the line is about other files.
  [[nodiscard]] std::optional<GoldPair> pair_in(const std::string& line, std::size_t number) const {
    const std::size_t first_end = line.find('\t');
    const std::size_t second_end = line.find('\t', first_end + 1);
    const bool has_parts = first_end != std::string::npos && second_end != std::string::npos;
    const auto score =
        has_parts ? score_in(std::string_view(line).substr(second_end + 1)) : std::nullopt;
    if (!score) {
      options_.refuse(kScores, fmt::format("line {} of '{}' is '{}', expected the names of two "
                                           "files and a score, with tabs between",
                                           number, file_, line));
    }
    const std::string first = line.substr(0, first_end);
    const std::string second = line.substr(first_end + 1, second_end - first_end - 1);
    const auto first_sample = by_name_.find(first);
    const auto second_sample = by_name_.find(second);
    if (first_sample.has_value() != second_sample.has_value()) {
      options_.refuse(
          kScores,
          fmt::format(
              "line {} of '{}' pairs '{}' with '{}', which is no file of the data, expected "
              "both or neither",
              number, file_, first_sample ? first : second, first_sample ? second : first));
    }
    if (!first_sample) return std::nullopt;
    return GoldPair{.first = *first_sample, .second = *second_sample, .score = *score};
  }

  const TaskOptions& options_;
  std::string file_;
  SamplesByName by_name_;
};

}  // namespace

bool is_pair_text(const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension().string();
  return extension == ".tsv" || extension == ".txt";
}

std::vector<GoldPair> read_named_pairs(const TaskOptions& options, const DataSource& samples) {
  return PairFile(options, samples).read(samples);
}

}  // namespace quantsearch
