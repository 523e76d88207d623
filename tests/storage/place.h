#pragma once

// The database of a test: a new file, or a new schema on a PostgreSQL server. The tests that apply
// to every store are built once for each.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/storage.h"
#include "storage/database.h"

namespace quantsearch {

class Place {
 public:
  virtual ~Place() = default;
  [[nodiscard]] virtual std::unique_ptr<StudyStore> open(
      const StudyDescription& description) const = 0;
  [[nodiscard]] virtual std::unique_ptr<SharedStudyStore> share(const StudyDescription& description,
                                                                double lease_seconds) const = 0;
  /// The argument for list_studies() and load_trials().
  [[nodiscard]] virtual std::string address() const = 0;
  /// The beginning of messages.
  [[nodiscard]] virtual std::string name() const = 0;
  /// A separate connection for the test.
  [[nodiscard]] virtual std::unique_ptr<Database> connect() const = 0;

  /// Ends every connection of other programs, as a server does that stops, and refuses new ones
  /// until resume(). False when the place is a file.
  [[nodiscard]] virtual bool stop() const { return false; }
  virtual void resume() const {}

  void run(const std::string& sql) const { connect()->run(sql); }
  /// All cells of all rows as text, one line such as "1|a" for each row.
  [[nodiscard]] std::vector<std::string> rows(const std::string& sql) const;
};

/// Null when there is no server, which is reported once.
[[nodiscard]] std::unique_ptr<Place> new_place();

/// The study of most tests, with one goal and a parameter of every kind.
[[nodiscard]] StudyDescription example_description();
/// Finished trials in every state, numbered from 0.
[[nodiscard]] std::vector<Trial> example_trials();

/// The message of the Error that a call throws, or "nothing was thrown".
template <typename Kind, typename Call>
std::string message_from(const Call& call) {
  try {
    call();
  } catch (const Kind& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace quantsearch
