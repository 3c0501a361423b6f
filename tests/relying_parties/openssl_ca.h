// A certificate authority made of the OpenSSL command line, for the certificates that Hourglass
// never issues.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_OPENSSL_CA_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_OPENSSL_CA_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

struct CertificateAndKey {
  std::string certificate_pem;
  std::string private_key_pem;  // PKCS#8, unencrypted
};

// Everything ends the process on failure, with what OpenSSL said.
class OpensslCa {
 public:
  // A self-signed P-256 root, valid from now for two days. `subject` as `openssl req -subj` takes
  // it, `key_identifier` as hexadecimal, or empty for the one of its key.
  explicit OpensslCa(absl::string_view subject, absl::string_view key_identifier = "",
                     int path_length = 0);

  // A P-256 certificate valid from now for one day, with these lines of an OpenSSL extension
  // section.
  CertificateAndKey Issue(absl::string_view common_name,
                          const std::vector<std::string>& extensions) const;

  // The same, signed with `issuer`, which this root issued; its certificate follows in the PEM.
  static CertificateAndKey IssueUnder(const CertificateAndKey& issuer,
                                      absl::string_view common_name,
                                      const std::vector<std::string>& extensions);

  const std::string& root_pem() const { return root_pem_; }

 private:
  TemporaryDirectory directory_;
  std::string root_pem_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_OPENSSL_CA_H_
