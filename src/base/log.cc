#include "quantsearch/base/log.h"

#include "quantsearch/base/error.h"

namespace quantsearch {

std::string to_string(LogLevel level) {
  switch (level) {
    case LogLevel::detail:
      return "detail";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  throw InternalError("log level without a name");
}

}  // namespace quantsearch
