#pragma once

// A small HTTP server for the browsers of this machine: one page that is made anew for each
// request, one request at a time.

#include <functional>
#include <string>
#include <vector>

namespace quantsearch::cli {

struct ServedPage {
  std::string path;  // "/"
  std::string type;  // "text/html; charset=utf-8"
  std::function<std::string()> body;
};

struct ServerOptions {
  int port = 0;                                 // 0: any that is free
  std::function<void(int port)> on_ready = {};  // called once, when it answers
  std::function<bool()> should_stop = [] { return false; };
};

/// Serves the pages on 127.0.0.1 until `should_stop`, which is polled every 200 ms and when a
/// signal arrives. A page whose body throws is answered with 500 and the message. Requests for
/// other hosts are refused, so that no other web site can read the pages. Throws IoError when the
/// port cannot be used.
void serve_pages(const std::vector<ServedPage>& pages, const ServerOptions& options);

}  // namespace quantsearch::cli
