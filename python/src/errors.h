#pragma once

// Exceptions of the library as those of the module quantsearch._errors.

namespace quantsearch::python {

/// Registers the translation: InvalidInput, Unsupported, IoError and InternalError become the
/// Python exceptions of the same names, Cancelled becomes KeyboardInterrupt.
void register_errors();

}  // namespace quantsearch::python
