#pragma once

#include <string>

namespace quantsearch {

/// The message of the error that `body` throws.
template <typename ErrorKind, typename Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const ErrorKind& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace quantsearch
