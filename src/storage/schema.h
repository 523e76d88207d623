#pragma once

// The tables of Optuna, revision v3.2.0.a: written by its releases from 3.2 to 5.

#include "storage/database.h"

namespace quantsearch {

/// Makes the tables in an empty database; where there are some, checks that they are Optuna's and
/// of a revision that this code writes. To be called within a write transaction. Throws
/// InvalidInput for other tables, Unsupported for another revision.
void ensure_schema(Database& database);
/// The check alone; tables that are absent are an error.
void check_schema(Database& database);

}  // namespace quantsearch
