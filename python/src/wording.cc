#include "wording.h"

namespace quantsearch::python {

namespace {

struct Phrase {
  std::string_view of_command;
  std::string_view in_python;
};
// Longer phrases stand before those that they contain.
constexpr Phrase kPhrases[] = {
    {"let ONNXRUNTIME_ROOT name a library that has it ('quantsearch inspect --providers' lists "
     "those of a library)",
     "install the package of onnxruntime that has it"},
    {"--requantize (key 'requantize')", "requantize=True"},
    {"; quantsearch report --serve follows it", ""},
    {"with --fix", "with fixed_inputs"},
    {"with --tolerance", "with search_metric_tolerance"},
    {"with --target cpu", "with target=\"cpu\""},
    {" (--labels)", ""},
    {" (--metric)", ""},
    {" (--trial-memory)", ""},
    {" (--isolate)", ""},
    {" (--no-latency)", ""},
    {"--trial-memory", "search_trial_memory"},
    {"--holdout FRACTION", "holdout=FRACTION"},
    {"--evaluation DATA", "evaluation=DATA"},
    {"another file with --log", "another log_file"},
    {"another with --log", "another log_file"},
    {"another folder with --output", "another output folder"},
    {"another with --output", "another output folder"},
    {"--overwrite", "overwrite=True"},
    {"--resume", "resume=True"},
    {"--memory", "the argument memory"},
    {"and save them as", "and give them as"},
    {"save the values as", "give the values as"},
};

}  // namespace

std::string in_python(std::string_view message) {
  std::string text(message);
  for (const auto& [of_command, in_python] : kPhrases) {
    for (std::size_t at = 0; (at = text.find(of_command, at)) != std::string::npos;) {
      text.replace(at, of_command.size(), in_python);
      at += in_python.size();
    }
  }
  return text;
}

}  // namespace quantsearch::python
