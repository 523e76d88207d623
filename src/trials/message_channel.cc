#include "trials/message_channel.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "quantsearch/base/error.h"

namespace quantsearch {

void MessageChannel::send(const Value& message) {
  const std::string line = to_json(message) + "\n";
  const std::lock_guard lock(sending_);
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t count =
        ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw IoError(
          fmt::format("the other process no longer takes messages: {}", std::strerror(errno)));
    sent += static_cast<std::size_t>(count);
  }
}

std::optional<Value> MessageChannel::next_line() {
  const std::size_t end = received_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  Value message =
      parse_json(std::string_view(received_).substr(0, end), "a message between processes");
  received_.erase(0, end + 1);
  return message;
}

MessageChannel::Received MessageChannel::receive(int milliseconds) {
  std::array<char, 65536> buffer;
  while (true) {
    if (std::optional<Value> message = next_line())
      return {.message = std::move(message), .closed = false};
    pollfd source{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&source, 1, milliseconds);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return {};
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return {.message = std::nullopt, .closed = true};
    received_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace quantsearch
