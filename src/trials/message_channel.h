#pragma once

// Values between two processes, one line of JSON each, both ways over one socket.

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "quantsearch/base/descriptor.h"
#include "quantsearch/base/value.h"

namespace quantsearch {

class MessageChannel {
 public:
  explicit MessageChannel(Descriptor socket) : socket_(std::move(socket)) {}

  /// Throws IoError when the other side is gone. Thread-safe. NaN and inf arrive as null.
  void send(const Value& message);

  struct Received {
    std::optional<Value> message;  // absent: none came in time
    bool closed = false;           // none will come any more
  };
  /// The next message; waits for it for `milliseconds` at most, without end when they are negative.
  [[nodiscard]] Received receive(int milliseconds);

 private:
  [[nodiscard]] std::optional<Value> next_line();

  Descriptor socket_;
  std::mutex sending_;
  std::string received_;
};

/// Both ends of a new conversation. Throws IoError.
struct SocketPair {
  Descriptor ours;
  Descriptor theirs;
};
[[nodiscard]] SocketPair open_socket_pair();

}  // namespace quantsearch
