// Mutual-TLS credentials made by the OpenSSL CLI.
#ifndef HOURGLASS_TESTS_SUPPORT_MUTUAL_TLS_H_
#define HOURGLASS_TESTS_SUPPORT_MUTUAL_TLS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// PEM files.
struct TlsCredential {
  std::string certificate_file;
  std::string private_key_file;  // mode 0600
};

// A certificate authority for TLS between programs, nothing to do with what Hourglass issues. Its
// files are in a folder of its own, which goes with it. Ends the process where the OpenSSL CLI
// fails.
class MutualTls {
 public:
  MutualTls();

  // What peers trust: the root's certificate, PEM.
  const std::string& trusted_roots_file() const { return root_file_; }

  // A server's certificate for 127.0.0.1 and localhost.
  TlsCredential Server();

  // A server's certificate with these subject alternative names: `DNS:db.test,IP:127.0.0.1`; valid
  // for this many seconds from now on, and no more where they are negative.
  TlsCredential ServerFor(absl::string_view subject_alternative_names, int seconds = kLifetime);

  // The same for servers that are each other's clients.
  TlsCredential PeerFor(absl::string_view subject_alternative_names);

  // A client's certificate with this one subject alternative name: `URI:spiffe://…` or `DNS:…`.
  TlsCredential Client(absl::string_view subject_alternative_name);

  // The same, valid for this many seconds from now on, and no more where they are negative.
  TlsCredential ClientFor(int seconds, absl::string_view subject_alternative_name);

  // The root's list of these certificates (PEM) as revoked, valid for a week; PEM, or DER.
  std::string RevocationList(const std::vector<std::string>& certificates, bool der = false);

 private:
  // A month: tests move their clocks by days.
  static constexpr int kLifetime = 30 * 86400;

  TlsCredential Make(absl::string_view extensions, int seconds = kLifetime);
  // `openssl ca` with a database of this name.
  void Ca(const std::string& name, std::vector<std::string> arguments);

  TemporaryDirectory directory_;
  std::string root_file_;
  int made_ = 0;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_MUTUAL_TLS_H_
