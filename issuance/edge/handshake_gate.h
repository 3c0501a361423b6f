// Who gets through the TLS handshake.
#ifndef HOURGLASS_ISSUANCE_EDGE_HANDSHAKE_GATE_H_
#define HOURGLASS_ISSUANCE_EDGE_HANDSHAKE_GATE_H_

#include <openssl/ssl.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "issuance/edge/connection_table.h"
#include "issuance/edge/transport/open_calls.h"
#include "issuance/identity/caller.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// Stands in TLS contexts of servers that demand a client certificate. OpenSSL verifies the chain,
// period and purpose as without it; then CallerDirectory::Admit decides. Whoever is refused gets a
// TLS alert (certificate_expired, certificate_revoked, bad_certificate or what OpenSSL sends for a
// chain that does not verify), and the log a line `connection_refused` with the peer's address, the
// reason, and whose certificate it was. Handshakes of connections that are not in the table are
// refused. Sessions are never resumed, so that there is no handshake without this: no tickets, and
// no cache. After the handshake it bounds what the client sends below the calls (FrameBounds), and
// how far its calls are ahead of the service (OpenCalls): beyond it, the connection ends, and the
// log has a line `connection_ended`. Safe to use from several threads.
class HandshakeGate {
 public:
  // All must outlive this object; contexts need not be outlived: after it, they refuse everybody.
  HandshakeGate(const CallerDirectory* callers, ConnectionTable* table, OpenCalls* open_calls,
                const EventLog* log);
  ~HandshakeGate();
  HandshakeGate(const HandshakeGate&) = delete;
  HandshakeGate& operator=(const HandshakeGate&) = delete;

  // Before any connection uses them. Errors: INTERNAL where there is none, or OpenSSL refuses.
  absl::Status Guard(const std::vector<SSL_CTX*>& contexts) const;

 private:
  class Judge;

  std::shared_ptr<Judge> judge_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_HANDSHAKE_GATE_H_
