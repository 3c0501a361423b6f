// Mutual-TLS credentials made by the OpenSSL CLI.
#ifndef HOURGLASS_TESTS_SUPPORT_MUTUAL_TLS_H_
#define HOURGLASS_TESTS_SUPPORT_MUTUAL_TLS_H_

#include <string>

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

  // A client's certificate with this one subject alternative name: `URI:spiffe://…` or `DNS:…`.
  TlsCredential Client(absl::string_view subject_alternative_name);

 private:
  TlsCredential Make(absl::string_view extensions);

  TemporaryDirectory directory_;
  std::string root_file_;
  int made_ = 0;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_MUTUAL_TLS_H_
