#pragma once

// Sends values between two processes in both directions over one socket, as one line of JSON each.

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/descriptor.h"

namespace quantsearch {

class MessageChannel {
 public:
  explicit MessageChannel(Descriptor socket) : socket_(std::move(socket)) {}

  /// Throws IoError when the other side has closed the socket. Thread-safe. NaN and infinity arrive
  /// as null.
  void send(const Value& message);

  struct Received {
    std::optional<Value> message;  // absent when none came in time
    bool closed = false;           // true when no more messages will come
  };
  /// Returns the next message. Waits for at most `milliseconds`; a negative value means no limit.
  [[nodiscard]] Received receive(int milliseconds);

 private:
  [[nodiscard]] std::optional<Value> next_line();

  Descriptor socket_;
  std::mutex sending_;
  std::string received_;
};

}  // namespace quantsearch
