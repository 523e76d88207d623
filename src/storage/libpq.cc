#include "storage/libpq.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

// The number in the name is that of libpq's binary interface. It has not changed since PostgreSQL
// 8.2.
constexpr const char* kLibrary = "libpq.so.5";

[[noreturn]] void refuse() {
  const char* const reason = ::dlerror();
  throw Unsupported(
      fmt::format("study database: the client library of PostgreSQL cannot be loaded ({}); install "
                  "it (libpq5 on Debian), or keep the study in a file",
                  reason == nullptr ? "unknown reason" : reason));
}

template <typename Function>
void find(void* handle, const char* name, Function& function) {
  // POSIX defines this conversion.
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  if (function == nullptr) refuse();
}

}  // namespace

Libpq load_libpq(const char* library) {
  void* const handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) refuse();
  Libpq functions;
  find(handle, "PQclear", functions.clear);
  find(handle, "PQconnectdb", functions.connectdb);
  find(handle, "PQdb", functions.db);
  find(handle, "PQerrorMessage", functions.error_message);
  find(handle, "PQexec", functions.exec);
  find(handle, "PQexecPrepared", functions.exec_prepared);
  find(handle, "PQfinish", functions.finish);
  find(handle, "PQftype", functions.ftype);
  find(handle, "PQgetisnull", functions.getisnull);
  find(handle, "PQgetlength", functions.getlength);
  find(handle, "PQgetvalue", functions.getvalue);
  find(handle, "PQhost", functions.host);
  find(handle, "PQnfields", functions.nfields);
  find(handle, "PQntuples", functions.ntuples);
  find(handle, "PQprepare", functions.prepare);
  find(handle, "PQresultErrorField", functions.result_error_field);
  find(handle, "PQresultStatus", functions.result_status);
  find(handle, "PQsetClientEncoding", functions.set_client_encoding);
  find(handle, "PQsetNoticeProcessor", functions.set_notice_processor);
  find(handle, "PQstatus", functions.status);
#ifdef LIBPQ_HAS_PIPELINING
  if (::dlsym(handle, "PQenterPipelineMode") != nullptr) {
    find(handle, "PQenterPipelineMode", functions.enter_pipeline_mode);
    find(handle, "PQexitPipelineMode", functions.exit_pipeline_mode);
    find(handle, "PQgetResult", functions.get_result);
    find(handle, "PQpipelineSync", functions.pipeline_sync);
    find(handle, "PQsendQueryPrepared", functions.send_query_prepared);
  }
#endif
  return functions;
}

const Libpq& libpq() {
  static const Libpq kFunctions = load_libpq(kLibrary);
  return kFunctions;
}

}  // namespace quantsearch
