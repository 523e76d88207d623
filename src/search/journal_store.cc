// The study as a file of JSON lines. Appending and fsync are all that a finished trial costs, and a
// kill at any moment leaves at most one torn line at the end, which the next opening cuts off.

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "quantsearch/base/error.h"
#include "quantsearch/base/files.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kVersion = 1;

Value to_value(const Trial& trial) {
  Value value = Value::Map{{"number", trial.number},
                           {"state", to_string(trial.state)},
                           {"point", Value::Map(trial.point.begin(), trial.point.end())}};
  if (trial.value) value.set("value", *trial.value);
  value.set("is_candidate", trial.is_candidate);
  value.set("seconds", trial.seconds);
  value.set("reason", trial.reason);
  value.set("details", trial.details);
  return value;
}

const Value& field(const Value& record, const char* name) {
  const Value* found = record.find(name);
  if (found == nullptr) throw InvalidInput(fmt::format("got no '{}', expected one", name));
  return *found;
}

TrialState state_from(const std::string& name) {
  if (const auto state = parse_trial_state(name)) return *state;
  throw InvalidInput(fmt::format("got state '{}', expected the state of a trial", name));
}

Trial trial_from(const Value& record) {
  Trial trial;
  trial.number = field(record, "number").as_int();
  trial.state = state_from(field(record, "state").as_string());
  for (const auto& [name, value] : field(record, "point").as_map()) {
    trial.point.emplace(name, value);
  }
  if (const Value* value = record.find("value")) trial.value = value->as_double();
  if (trial.state == TrialState::complete && !trial.value) {
    throw InvalidInput("got a complete trial without a value, expected one");
  }
  trial.is_candidate = field(record, "is_candidate").as_bool();
  trial.seconds = field(record, "seconds").as_double();
  trial.reason = field(record, "reason").as_string();
  trial.details = field(record, "details");
  return trial;
}

/// "'data' is "b", was "a"; 'labels' is new" for every key in which two mappings differ.
std::string differences(const Value::Map& now, const Value::Map& before) {
  const auto text = [](const Value* value) {
    return value == nullptr ? "absent" : to_json(*value);
  };
  const Value was(before);
  const Value is(now);
  std::string all;
  const auto add = [&](const std::string& key) {
    if (!all.empty()) all += "; ";
    all += fmt::format("'{}' is {}, was {}", key, text(is.find(key)), text(was.find(key)));
  };
  for (const auto& [key, value] : now) {
    if (const Value* old = was.find(key); old == nullptr || !(*old == value)) add(key);
  }
  for (const auto& [key, value] : before) {
    if (is.find(key) == nullptr) add(key);
  }
  return all;
}

class JournalStore final : public StudyStore {
 public:
  JournalStore(const std::filesystem::path& file, const Value& fingerprint) : file_(file) {
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail("opened");
    try {
      if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        throw IoError(
            fmt::format("study journal '{}' is in use by another search; wait for it or "
                        "choose another output folder",
                        file.string()));
      }
      read(fingerprint);
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
  }
  ~JournalStore() override { ::close(descriptor_); }
  JournalStore(const JournalStore&) = delete;
  JournalStore& operator=(const JournalStore&) = delete;

  std::vector<Trial> load() override { return trials_; }
  void save(const Trial& finished) override {
    append(to_json(to_value(finished)) + "\n");
    trials_.push_back(finished);
  }

 private:
  [[noreturn]] void fail(const char* action) const {
    throw IoError(fmt::format("study journal '{}' cannot be {}: {}", file_.string(), action,
                              std::strerror(errno)));
  }

  void read(const Value& fingerprint) {
    const std::string text = read_file(file_);
    std::size_t start = 0;
    std::int64_t line = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', start)) {
      read_line(text.substr(start, end - start), ++line, fingerprint);
      start = end + 1;
    }
    size_ = static_cast<std::int64_t>(start);
    // What follows the last newline was torn by a kill; a torn first line shows by its start
    // whether the file is ours.
    if (line == 0 && !starts_as_journal(text)) throw not_a_journal();
    if (size_ < static_cast<std::int64_t>(text.size()) && ::ftruncate(descriptor_, size_) != 0) {
      fail("repaired");
    }
    if (line == 0) {
      append(to_json(Value::Map{{"journal", kVersion}, {"fingerprint", fingerprint}}) + "\n");
      flush_folder();
    }
  }

  void read_line(const std::string& text, std::int64_t line, const Value& fingerprint) {
    Value record;
    try {
      record = parse_json(text, file_.string());
      if (line > 1) trials_.push_back(trial_from(record));
    } catch (const InvalidInput& error) {
      if (line == 1) throw not_a_journal();
      throw InvalidInput(fmt::format("study journal '{}' line {}: {}; choose another output folder",
                                     file_.string(), line, error.what()));
    }
    if (line == 1) check_header(record, fingerprint);
  }

  static bool starts_as_journal(const std::string& text) {
    const std::string start = fmt::format("{{\"journal\":{},", kVersion);
    return text.starts_with(start) || start.starts_with(text);
  }

  [[nodiscard]] InvalidInput not_a_journal() const {
    return InvalidInput(fmt::format(
        "study journal '{}': the first line is not that of a study journal of version {}; choose "
        "another output folder",
        file_.string(), kVersion));
  }

  void check_header(const Value& header, const Value& fingerprint) const {
    const Value* version = header.find("journal");
    const Value* before = header.find("fingerprint");
    if (version == nullptr || !(*version == Value(kVersion)) || before == nullptr ||
        !before->is_map()) {
      throw not_a_journal();
    }
    if (*before == fingerprint) return;
    throw InvalidInput(
        fmt::format("study journal '{}' belongs to another search: {}; resume with what it was "
                    "started with, or "
                    "choose another output folder",
                    file_.string(), differences(fingerprint.as_map(), before->as_map())));
  }

  /// A line is whole or absent: what a full disk left of it is cut off again.
  void append(const std::string& line) {
    std::size_t written = 0;
    while (written < line.size()) {
      const ssize_t step = ::write(descriptor_, line.data() + written, line.size() - written);
      if (step < 0 && errno == EINTR) continue;
      if (step < 0) {
        const int reason = errno;
        (void)!::ftruncate(descriptor_, size_);
        errno = reason;
        fail("written");
      }
      written += static_cast<std::size_t>(step);
    }
    if (::fsync(descriptor_) != 0) fail("flushed to disk");
    size_ += static_cast<std::int64_t>(line.size());
  }

  /// A new file is safe only when its folder's entry is.
  void flush_folder() const {
    const std::filesystem::path folder = file_.parent_path().empty() ? "." : file_.parent_path();
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) fail("flushed to disk");
    const bool flushed = ::fsync(descriptor) == 0;
    ::close(descriptor);
    if (!flushed) fail("flushed to disk");
  }

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;  // bytes of whole lines
  std::vector<Trial> trials_;
};

}  // namespace

std::unique_ptr<StudyStore> journal_store(const std::filesystem::path& file,
                                          const Value& fingerprint) {
  return std::make_unique<JournalStore>(file, fingerprint);
}

}  // namespace quantsearch
