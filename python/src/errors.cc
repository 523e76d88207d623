#include "errors.h"

#include <nanobind/nanobind.h>

#include "quantsearch/base/error.h"
#include "wording.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

void raise(const char* type, const char* message) {
  const nb::object exception = nb::module_::import_("quantsearch._errors").attr(type);
  PyErr_SetString(exception.ptr(), in_python(message).c_str());
}

void translate(const std::exception_ptr& thrown, void* /*payload*/) {
  try {
    std::rethrow_exception(thrown);
  } catch (const InvalidInput& error) {
    raise("InvalidInput", error.what());
  } catch (const Unsupported& error) {
    raise("Unsupported", error.what());
  } catch (const IoError& error) {
    raise("IoError", error.what());
  } catch (const InternalError& error) {
    raise("InternalError", error.what());
  } catch (const Cancelled&) {
    PyErr_SetString(PyExc_KeyboardInterrupt, "interrupted before the first result");
  }
}

}  // namespace

void register_errors() { nb::register_exception_translator(translate); }

}  // namespace quantsearch::python
