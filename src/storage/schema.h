#pragma once

// The tables of Optuna, revision v3.2.0.a, which its releases from 3.2 to 5 write.

#include "storage/database.h"

namespace quantsearch {

/// Creates the tables in an empty database; otherwise checks that they are Optuna's and of a
/// revision that this code can write. Must be called within a write transaction. Throws
/// InvalidInput for other tables, Unsupported for another revision.
void ensure_schema(Database& database);
/// Checks the tables without creating any. Absent tables are an error.
void check_schema(Database& database);

}  // namespace quantsearch
