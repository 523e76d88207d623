// Replaces postgresql_database.cc when libpq was missing while the library was built.

#include <fmt/core.h>

#include "quantsearch/base/error.h"
#include "storage/database.h"

namespace quantsearch {

std::unique_ptr<Database> open_postgresql(const std::string&) {
  throw Unsupported(
      "study database: this build has no PostgreSQL; install libpq-dev and build again, or keep "
      "the "
      "study in a file");
}

}  // namespace quantsearch
