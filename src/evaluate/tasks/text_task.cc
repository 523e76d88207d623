// Accuracy of recognized text, against texts or against those that the float model reads.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "evaluate/sample.h"
#include "evaluate/tasks/builtin_tasks.h"
#include "evaluate/tasks/named_truth.h"
#include "evaluate/tasks/text_decode.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

namespace {

/// Finds the class of each step in one sample of an output.
class PathReader {
 public:
  PathReader(const TaskOptions& options, std::string output)
      : options_(options),
        output_(std::move(output)),
        layout_(options.choice("layout", {"auto", "NTC", "TNC", "NCT"})) {}

  struct Path {
    std::vector<std::int64_t> steps;
    std::int64_t classes = 0;  // 0 when the output holds classes, not scores
  };
  [[nodiscard]] Path read(const Sample& sample) const {
    const Shape& shape = sample.shape;
    if (shape.size() == 2 && shape[0] == 1) return classes_in(sample);
    if (shape.size() != 3 || (shape[0] != 1 && shape[1] != 1) || shape[2] == 0) {
      throw InvalidInput(fmt::format(
          "{}output '{}' has shape {} for one sample, expected scores [1, steps, classes] or "
          "[steps, 1, classes], or classes [1, steps]",
          options_.prefix(), output_, to_string(shape)));
    }
    const bool classes_first = layout_ == "NCT";
    const std::int64_t classes = shape[classes_first ? 1 : 2];
    const std::int64_t steps = static_cast<std::int64_t>(sample.values.size()) / classes;
    Path path{.steps = {}, .classes = classes};
    for (std::int64_t step = 0; step < steps; ++step) {
      std::int64_t best = 0;
      const auto score = [&](std::int64_t index) {
        const std::int64_t at = classes_first ? index * steps + step : step * classes + index;
        return sample.values[static_cast<std::size_t>(at)];
      };
      for (std::int64_t index = 1; index < classes; ++index)
        if (score(index) > score(best)) best = index;
      path.steps.push_back(best);
    }
    return path;
  }

 private:
  [[nodiscard]] static Path classes_in(const Sample& sample) {
    Path path;
    for (const float value : sample.values) path.steps.push_back(std::llround(value));
    return path;
  }

  TaskOptions options_;
  std::string output_;
  std::string layout_;
};

/// Makes texts of paths. Thread-safe.
class TextDecoder {
 public:
  TextDecoder(const TaskOptions& options, std::string output)
      : options_(options),
        output_(output),
        reader_(options, std::move(output)),
        blank_(options.integer("blank", 0, -1)) {
    if (options.has("charset")) lines_ = lines_of(read_file(options.text("charset")));
  }
  [[nodiscard]] const std::string& output() const { return output_; }

  [[nodiscard]] Symbols text(const Sample& sample) {
    const PathReader::Path path = reader_.read(sample);
    // -1: the last class.
    const std::int64_t blank = blank_ >= 0 ? blank_ : path.classes - 1;
    const std::vector<std::int64_t> classes = collapse(path.steps, blank);
    if (!options_.has("charset")) return {classes.begin(), classes.end()};
    const std::vector<Symbols>& characters = characters_for(path.classes, blank);
    Symbols text;
    for (const std::int64_t index : classes) {
      if (index < 0 || index >= static_cast<std::int64_t>(characters.size())) {
        options_.refuse("charset", fmt::format("output '{}' gives class {} and the file has {} "
                                               "characters",
                                               output_, index, lines_.size()));
      }
      const Symbols& character = characters[static_cast<std::size_t>(index)];
      text.insert(text.end(), character.begin(), character.end());
    }
    return text;
  }

 private:
  const std::vector<Symbols>& characters_for(std::int64_t classes, std::int64_t blank) {
    const std::lock_guard lock(mutex_);
    if (!characters_.empty()) return characters_;
    const auto lines = static_cast<std::int64_t>(lines_.size());
    characters_ = characters_of(lines_, classes > 0 ? classes : lines, blank);
    if (characters_.empty()) {
      options_.refuse("charset", fmt::format("'{}' has {} lines and output '{}' {} classes, "
                                             "expected a line for each class, or for each but the "
                                             "blank and a space at the end",
                                             options_.text("charset"), lines, output_, classes));
    }
    return characters_;
  }

  TaskOptions options_;
  std::string output_;
  PathReader reader_;
  std::int64_t blank_;
  std::vector<std::string> lines_;
  std::mutex mutex_;
  std::vector<Symbols> characters_;  // by class, when the first sample has told their number
};

class Texts final : public SamplePredictions<Symbols> {
 public:
  Texts(TextDecoder& decoder, std::int64_t samples)
      : SamplePredictions(samples), decoder_(decoder) {}
  void add(std::int64_t first, std::int64_t count, const Batch& outputs) override {
    const Tensor values = to_float32(outputs.at(decoder_.output()));
    for (std::int64_t i = 0; i < count; ++i)
      entry(first + i) = decoder_.text(sample_of(values, i, count));
  }

 private:
  TextDecoder& decoder_;
};

const std::vector<std::string> kTextScores = {"text_accuracy", "character_accuracy"};

class TextTask final : public BasicTask {
 public:
  TextTask(const TaskOptions& options, const TaskData& data, const std::string& output)
      : BasicTask({.scores = kTextScores, .outputs = {output}, .truth_file = options.text("texts")},
                  named_task_key(options, data, {"texts", "charset"}, "texts")),
        options_(options),
        samples_(data.samples->size()),
        decoder_(options, output) {
    if (has_truth()) read_truth(*data.samples, data.first_in_truth);
  }

  [[nodiscard]] std::unique_ptr<Predictions> predictions() const override {
    return std::make_unique<Texts>(decoder_, samples_);
  }

  [[nodiscard]] std::map<std::string, double> score(const Predictions& of_model,
                                                    const Predictions& of_float) const override {
    const std::vector<Symbols>& texts = Texts::of(of_model);
    const std::vector<Symbols>& expected = has_truth() ? truth_ : Texts::of(of_float);
    std::int64_t right = 0;
    std::int64_t edits = 0;
    std::int64_t length = 0;
    for (std::size_t sample = 0; sample < texts.size(); ++sample) {
      right += texts[sample] == expected[sample] ? 1 : 0;
      edits += edit_distance(texts[sample], expected[sample]);
      length += static_cast<std::int64_t>(expected[sample].size());
    }
    if (length == 0) {
      throw InvalidInput(
          fmt::format("{}every text of {} is empty, expected characters; check the "
                      "data and 'blank'",
                      options_.prefix(), truth()));
    }
    const double wrong_share = static_cast<double>(edits) / static_cast<double>(length);
    return {{"text_accuracy", static_cast<double>(right) / static_cast<double>(texts.size())},
            {"character_accuracy", std::max(0.0, 1 - wrong_share)}};
  }

 private:
  void read_truth(const DataSource& samples, std::int64_t first) {
    if (!options_.has("charset"))
      options_.refuse("texts",
                      "cannot be decoded without 'charset', a file with the character of "
                      "each class");
    const std::vector<std::string> lines = lines_of(read_file(options_.text("texts")));
    const bool is_named =
        have_names(samples) && !lines.empty() && lines.front().find('\t') != std::string::npos;
    if (is_named) {
      take_by_name(lines, samples);
    } else {
      take_in_order(lines, first);
    }
  }

  void take_in_order(const std::vector<std::string>& lines, std::int64_t first) {
    const auto available = static_cast<std::int64_t>(lines.size());
    if (available < first + samples_) {
      options_.refuse("texts", fmt::format("{} has {} lines, expected {} or more, one for each "
                                           "sample",
                                           truth(), available, first + samples_));
    }
    for (std::int64_t sample = first; sample < first + samples_; ++sample)
      truth_.push_back(code_points(lines[static_cast<std::size_t>(sample)]));
  }

  void take_by_name(const std::vector<std::string>& lines, const DataSource& samples) {
    NamedTruth named{.key = "texts", .entry = "line with the name of", .names = {}};
    std::vector<std::string> texts;
    for (const std::string& line : lines) {
      const std::size_t end = line.find('\t');
      if (end == std::string::npos) {
        options_.refuse("texts", fmt::format("{} has line {} without a tab, expected the name of a "
                                             "file, a tab and its text as in line 1",
                                             truth(), named.names.size() + 1));
      }
      named.names.push_back(line.substr(0, end));
      texts.push_back(line.substr(end + 1));
    }
    for (const std::size_t entry : entries_of(samples, named, options_))
      truth_.push_back(code_points(texts[entry]));
  }

  TaskOptions options_;
  std::int64_t samples_;
  mutable TextDecoder decoder_;  // guards what it learns from the first sample
  std::vector<Symbols> truth_;
};

std::shared_ptr<const Task> make_text(const TaskOptions& options, const TaskData& data) {
  return std::make_shared<const TextTask>(options, data, only_output(options, data.float_model));
}

}  // namespace

BuiltinTask text_task() {
  return {{.name = "text",
           .meaning = "accuracy of text that is decoded from the best CTC path",
           .scores = kTextScores,
           .keys = {{"output", "the output to decode", "the only one"},
                    {"blank", "class that stands for no character; -1 is the last one", "0"},
                    {"charset",
                     "file with the character of each class in a line; the line of the blank, and "
                     "a space at the end, may be left out",
                     "none; texts are sequences of classes"},
                    {"texts",
                     "file with the text of each sample in a line, in the order of the samples or, "
                     "for a folder of images, after the name of the file and a tab; without it the "
                     "float model's texts are the truth",
                     "none"},
                    {"layout", "axes of the output: NTC, TNC or NCT", "auto, NTC or TNC"}}},
          make_text};
}

}  // namespace quantsearch
