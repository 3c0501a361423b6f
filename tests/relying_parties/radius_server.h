// A real FreeRADIUS with what its kit writes (tools/gateways/kits/freeradius.h), asked by a real
// supplicant (eapol_test).
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_RADIUS_SERVER_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_RADIUS_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/gateways/kit.h"

namespace hourglass {

enum class TlsVersion { kTls12, kTls13 };

struct AccessAnswer {
  // Access-Accept with the keys that both sides derived, or Access-Reject. Neither: the server did
  // not answer.
  bool accepted = false;
  bool rejected = false;
  std::string reply_message;
  // Seconds that the session may last; 0 where the server did not say.
  int session_timeout = 0;
  // What the server wrote to its debug log while it answered: the reasons.
  std::string server_log;
};

// FreeRADIUS on a free UDP port of the loopback interface, from Start until this object goes.
class RadiusServer {
 public:
  // `trust_bundle_pem`: the roots that a user's certificate may chain to. The server sees the time
  // shifted by `clock_shift`, and the kit is given `more` values. Errors: INTERNAL with the
  // server's log where it does not come up.
  static absl::StatusOr<std::unique_ptr<RadiusServer>> Start(const std::string& trust_bundle_pem,
                                                             std::chrono::seconds clock_shift = {},
                                                             gateways::Values more = {});

  // One EAP-TLS conversation of `identity` with this certificate, in this TLS version.
  AccessAnswer Authenticate(const std::string& identity, const CertificateAndKey& credential,
                            TlsVersion version = TlsVersion::kTls13);

  // For another who asks it, on 127.0.0.1 by this secret, and verifies its certificate.
  int port() const { return port_; }
  static std::string secret();
  static std::string name();
  const std::string& issuer_pem() const { return server_issuer_.root_pem(); }

 private:
  RadiusServer(const std::string& trust_bundle_pem, gateways::Values more);
  // False where another program has taken the port meanwhile.
  absl::StatusOr<bool> TryPort(int port, std::chrono::seconds clock_shift);

  const std::string trust_bundle_pem_;
  const gateways::Values more_;
  TemporaryDirectory directory_;
  OpensslCa server_issuer_;
  int port_ = 0;
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_RADIUS_SERVER_H_
