// Between a supplicant on this machine and a RADIUS server: the shared secret stays in this
// process, and every packet is seen.
#ifndef HOURGLASS_TOOLS_DOCTOR_RADIUS_RELAY_H_
#define HOURGLASS_TOOLS_DOCTOR_RADIUS_RELAY_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/doctor/radius/probe.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::doctor {

// Where a server is, and what is shared with it.
struct RadiusTarget {
  std::string host;  // a name or an address
  int port = 1812;
  std::string secret;
};

// A UDP socket to the server and one on the loopback interface for the supplicant, which signs with
// a secret of its own, good for this relay only: its command line shows that one. Not for several
// threads.
class RadiusRelay {
 public:
  // Errors: FIELD_INVALID with field `host` where the name leads nowhere; INTERNAL where there is
  // no socket.
  static absl::StatusOr<std::unique_ptr<RadiusRelay>> Open(const RadiusTarget& target);
  ~RadiusRelay();
  RadiusRelay(const RadiusRelay&) = delete;
  RadiusRelay& operator=(const RadiusRelay&) = delete;

  // For the supplicant: 127.0.0.1 with this port and secret.
  int port() const { return port_; }
  const std::string& secret() const { return own_secret_; }
  // The address of this machine that the server sees, four octets; "" where it is IPv6.
  std::string own_address() const;

  // Passes packets to and fro until `process` (a descriptor of pidfd_open) ends, `limit` has
  // passed, or the server's port turns out to be closed.
  void RunUntilEnd(int process, std::chrono::milliseconds limit);

  // Sends `request`, which is signed by the target's secret unless `sign` is false, and waits for
  // an answer for `limit`.
  void Ask(radius::Packet request, bool sign, std::chrono::milliseconds limit);

  // What came of all that since Open.
  ProbeResult result() const;

 private:
  RadiusRelay(const RadiusTarget& target, std::string own_secret);
  absl::Status OpenSockets();
  void TakeRequest();
  void TakeAnswer();
  void Note(const radius::Packet& answer);

  const RadiusTarget target_;
  const std::string own_secret_;
  int server_ = -1;
  int supplicant_ = -1;
  int port_ = 0;
  int supplicant_port_ = 0;
  std::string authenticators_[256];  // of the last request with each identifier
  ProbeResult result_;
  int packets_ = 0;
  bool closed_ = false;
  bool ended_ = false;
  std::chrono::steady_clock::time_point first_;
};

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_RADIUS_RELAY_H_
