// A server of key sets over TLS, on loopback, that misbehaves on request.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TESTING_KEY_SERVER_H_
#define HOURGLASS_ISSUANCE_TOKENS_TESTING_KEY_SERVER_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {

// Runs key_server.py, whose data a test has to name, until this object goes.
class KeyServer {
 public:
  // With a certificate of these names.
  explicit KeyServer(absl::string_view names = "IP:127.0.0.1");

  // What /keys holds from now on.
  void Publish(absl::string_view text) { directory_.Write("keys.json", text); }
  // Ends it; connections to it are refused from then on.
  void Stop() { process_.reset(); }

  // `https://127.0.0.1:PORT/keys`, or another path: see key_server.py.
  std::string Url(absl::string_view path = "/keys") const;
  // PEM, what its clients trust.
  const std::string& ca_file() const { return tls_.trusted_roots_file(); }
  // How often this path was asked for.
  int Asked(absl::string_view path) const;
  // Waits until it was asked for this path.
  bool WaitUntilAsked(const std::string& path) { return process_->WaitForLog("asked for " + path); }

 private:
  TemporaryDirectory directory_;
  MutualTls tls_;
  std::unique_ptr<BackgroundProcess> process_;
  std::string port_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TESTING_KEY_SERVER_H_
