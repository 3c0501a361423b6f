// A connection to a program beside this one, or elsewhere, that is spoken with in turns.
#ifndef HOURGLASS_TOOLS_GATEWAYD_STREAM_SOCKET_H_
#define HOURGLASS_TOOLS_GATEWAYD_STREAM_SOCKET_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/gatewayd/patience.h"

namespace hourglass::gatewayd {

// Move-only; for one thread. Each function takes at most as long as the patience that Connect got.
// Errors: UNAVAILABLE where the other side is not there or hangs up; those of Patience.
class StreamSocket {
 public:
  // `address`: an absolute path of a Unix socket, or `HOST:PORT` by TCP, whose host is an address.
  static absl::StatusOr<StreamSocket> Connect(const std::string& address, const Patience& patience);
  ~StreamSocket();
  StreamSocket(StreamSocket&& other) noexcept;
  StreamSocket& operator=(StreamSocket&&) = delete;

  absl::Status Send(absl::string_view octets);
  // Exactly so many.
  absl::StatusOr<std::string> Receive(std::size_t octets);
  // Up to a line feed, which is dropped with a carriage return before it. Errors: also
  // FIELD_INVALID for a line longer than 64 KiB.
  absl::StatusOr<std::string> ReceiveLine();
  // Up to and with one of these texts, which comes at an end of what was sent, or a line feed:
  // for questions that have none.
  absl::StatusOr<std::string> ReceiveLineOr(absl::string_view question);

 private:
  StreamSocket(int fd, std::string address, const Patience& patience);
  // Adds to what waits.
  absl::Status ReceiveMore();
  std::string TakeLine(std::size_t end);

  int fd_;
  std::string address_;
  Patience patience_;
  std::string waiting_;
};

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_STREAM_SOCKET_H_
