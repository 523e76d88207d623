#pragma once

#include <string>

#include "quantsearch/base/error.h"

namespace quantsearch {

/// The message of the error that `body` throws.
template <typename ErrorKind = Error, typename Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const ErrorKind& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace quantsearch
