#include "page_server.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string_view>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/descriptor.h"

namespace quantsearch::cli {

namespace {

constexpr std::size_t kLongestRequest = 16'384;  // browsers send about 1 kB
constexpr int kPollMilliseconds = 200;
constexpr int kPatienceSeconds = 2;  // with a browser that sends or reads nothing

Descriptor listening_socket(int port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const auto* const general = reinterpret_cast<const sockaddr*>(&address);
  constexpr int kWaiting = 16;
  if (!socket.is_open() || ::bind(socket.get(), general, sizeof address) != 0 ||
      ::listen(socket.get(), kWaiting) != 0) {
    throw IoError(fmt::format("report: port {} cannot be used: {}; choose another with --port",
                              port, std::strerror(errno)));
  }
  return socket;
}

int port_of(const Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// The head of a request; empty when the browser sends none in time, or too much.
std::string read_head(const Descriptor& connection) {
  std::string head;
  char part[4096];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = ::recv(connection.get(), part, sizeof part, 0);
    if (count <= 0 || head.size() > kLongestRequest) return "";
    head.append(part, static_cast<std::size_t>(count));
  }
  return head;
}

void send_all(const Descriptor& connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // the browser has gone
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](unsigned char letter) { return std::tolower(letter); });
  return made;
}

/// True when the request is for this server: a page of another site whose name leads to 127.0.0.1
/// sends that name.
bool is_for_this_machine(const std::string& head, int port) {
  const std::string text = lower(head);
  for (const char* const host : {"127.0.0.1", "localhost"}) {
    if (text.find(fmt::format("\r\nhost: {}:{}\r\n", host, port)) != std::string::npos) return true;
  }
  return false;
}

struct Answer {
  std::string status = "200 OK";
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

Answer answer_to(const std::string& head, int port, const std::vector<ServedPage>& pages) {
  if (!is_for_this_machine(head, port))
    return {.status = "403 Forbidden", .body = "this page is for this machine only\n"};
  const std::string_view line(head.data(), head.find("\r\n"));
  if (!line.starts_with("GET "))
    return {.status = "405 Method Not Allowed", .body = "only GET is answered\n"};
  const std::string_view target = line.substr(4, line.find(' ', 4) - 4);
  const std::string_view path = target.substr(0, target.find('?'));
  const auto page = std::ranges::find(pages, path, &ServedPage::path);
  if (page == pages.end()) return {.status = "404 Not Found", .body = "no such page\n"};
  try {
    return {.type = page->type, .body = page->body()};
  } catch (const std::exception& error) {
    return {.status = "500 Internal Server Error", .body = std::string(error.what()) + "\n"};
  }
}

void answer(const Descriptor& connection, int port, const std::vector<ServedPage>& pages) {
  const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const std::string head = read_head(connection);
  if (head.empty()) return;
  const Answer made = answer_to(head, port, pages);
  send_all(connection, fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                                   "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                                   "Connection: close\r\n\r\n",
                                   made.status, made.type, made.body.size()));
  send_all(connection, made.body);
}

}  // namespace

void serve_pages(const std::vector<ServedPage>& pages, const ServerOptions& options) {
  const Descriptor socket = listening_socket(options.port);
  const int port = port_of(socket);
  if (options.on_ready) options.on_ready(port);
  while (!options.should_stop()) {
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPollMilliseconds) <= 0) continue;  // nothing, or a signal
    const Descriptor connection(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.is_open()) answer(connection, port, pages);
  }
}

}  // namespace quantsearch::cli
