#pragma once

// libpq is loaded when the first study on a server is opened. Programs that keep their studies in
// files need neither libpq nor the libraries that it loads (TLS, Kerberos, LDAP).

#include <libpq-fe.h>

namespace quantsearch {

/// The functions of libpq that the driver calls, under their names without "PQ", in snake case.
struct Libpq {
  decltype(&PQclear) clear = nullptr;
  decltype(&PQconnectdb) connectdb = nullptr;
  decltype(&PQdb) db = nullptr;
  decltype(&PQerrorMessage) error_message = nullptr;
  decltype(&PQexec) exec = nullptr;
  decltype(&PQexecPrepared) exec_prepared = nullptr;
  decltype(&PQfinish) finish = nullptr;
  decltype(&PQftype) ftype = nullptr;
  decltype(&PQgetisnull) getisnull = nullptr;
  decltype(&PQgetlength) getlength = nullptr;
  decltype(&PQgetvalue) getvalue = nullptr;
  decltype(&PQhost) host = nullptr;
  decltype(&PQnfields) nfields = nullptr;
  decltype(&PQntuples) ntuples = nullptr;
  decltype(&PQprepare) prepare = nullptr;
  decltype(&PQresultErrorField) result_error_field = nullptr;
  decltype(&PQresultStatus) result_status = nullptr;
  decltype(&PQsetClientEncoding) set_client_encoding = nullptr;
  decltype(&PQsetNoticeProcessor) set_notice_processor = nullptr;
  decltype(&PQstatus) status = nullptr;
#ifdef LIBPQ_HAS_PIPELINING
  // Null before version 14.
  decltype(&PQenterPipelineMode) enter_pipeline_mode = nullptr;
  decltype(&PQexitPipelineMode) exit_pipeline_mode = nullptr;
  decltype(&PQgetResult) get_result = nullptr;
  decltype(&PQpipelineSync) pipeline_sync = nullptr;
  decltype(&PQsendQueryPrepared) send_query_prepared = nullptr;
#endif
};

/// Loads the functions from this shared library, which stays loaded until the process ends. Throws
/// Unsupported when the library is not installed or has not all of them.
[[nodiscard]] Libpq load_libpq(const char* library);
/// The functions of the installed libpq. Throws as load_libpq() does.
[[nodiscard]] const Libpq& libpq();

}  // namespace quantsearch
