#pragma once

// The four kinds of error of the library. A message is one sentence: stage, object, what was got,
// what was expected and, where there is one, the remedy. Expected failures (a trial that diverges)
// are values, not exceptions.

#include <stdexcept>
#include <string>

namespace quantsearch {

/// Base of all errors thrown by the library.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The model, data or configuration is wrong; what() says how to correct it.
class InvalidInput : public Error {
 public:
  using Error::Error;
};

/// The request is valid but this version does not support it; what() names what is missing.
class Unsupported : public Error {
 public:
  using Error::Error;
};

/// A file, disk, process or the inference runtime failed.
class IoError : public Error {
 public:
  using Error::Error;
};

/// A bug in the library. No test accepts it.
class InternalError : public Error {
 public:
  using Error::Error;
};

/// Thrown at a cancellation point after CancellationToken::cancel() or a deadline. It is not an
/// Error, because nothing went wrong.
class Cancelled : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "cancelled"; }
};

}  // namespace quantsearch
