// Whoever is no caller, below HTTP/2: connections that say nothing, half of a handshake, garbage,
// handshakes without a certificate or with one that is bound to no caller.
#ifndef HOURGLASS_TESTS_ABUSE_MIXED_STRANGERS_H_
#define HOURGLASS_TESTS_ABUSE_MIXED_STRANGERS_H_

#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/support/mutual_tls.h"

namespace hourglass {

// A TCP connection from an address of the loopback network other than the sound callers'.
// Move-only.
class Stranger {
 public:
  // `source` is the last octet of 127.0.0.x, 2 to 254. Not connected where the service refuses.
  Stranger(const std::string& address, int source);
  ~Stranger();
  Stranger(Stranger&& other) noexcept;
  Stranger& operator=(Stranger&&) = delete;

  bool connected() const { return fd_ >= 0; }
  // What the service does not take within a second is left.
  void Send(const std::string& octets) const;
  // A whole handshake, with `credential` unless it is null; true where the service took it. TLS 1.3
  // lets the client finish first: so one octet is read.
  bool ShakeHands(const MutualTls& tls, const TlsCredential* credential) const;

 private:
  int fd_ = -1;
};

// What one of them did over and over until `stopping`, and how often.
struct StrangerTarget {
  std::string address;  // host:port
  MutualTls* tls = nullptr;
  const TlsCredential* unbound = nullptr;  // of the client authority, bound to no caller
};

int ConnectInSilence(const StrangerTarget& target, const std::atomic<bool>& stopping);
int SendGarbage(const StrangerTarget& target, const std::atomic<bool>& stopping);
int StopInTheHandshake(const StrangerTarget& target, const std::atomic<bool>& stopping);
int ShowNoCertificate(const StrangerTarget& target, const std::atomic<bool>& stopping);
// Negative where the service took one of them: it must not.
int ShowAnUnboundCertificate(const StrangerTarget& target, const std::atomic<bool>& stopping);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_ABUSE_MIXED_STRANGERS_H_
