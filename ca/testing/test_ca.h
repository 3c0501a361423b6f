// A certificate authority for tests: a software key, a clock that stands still, one tenant. No
// server, no files.
//
//   hourglass::ca::TestCa ca;
//   auto issued = ca.Issue("alice@contoso.example");
//   server.Trust(ca.root_pem()); client.Use(issued.certificate_pem, issued.private_key_pem);
#ifndef HOURGLASS_CA_TESTING_TEST_CA_H_
#define HOURGLASS_CA_TESTING_TEST_CA_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/authority.h"
#include "ca/certificate/profile.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

struct TestCaOptions {
  hsm::KeyType root_key_type = hsm::KeyType::kEcP256;
  LeafProfileOptions profile = {};
  // The clock stands here until Advance. Default: the real time when the TestCa is made, so that
  // unmodified TLS libraries accept what it issues.
  std::chrono::sys_seconds now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::string display_name = "Contoso";
  // Leaves are signed by an issuing sub-key of this type, whose intermediate lives for a day from
  // `now`, instead of by the root.
  std::optional<hsm::KeyType> sub_key_type = std::nullopt;
};

struct TestCertificate {
  std::string certificate_pem;
  std::string certificate_der;
  // PKCS#8, unencrypted; empty where the key came from outside.
  std::string private_key_pem;
  std::string serial_number;  // 16 octets
};

// Not for several threads at once. The constructor and Issue(upn) end the process on failure, with
// a message: a test has no use for a broken CA. Those that take outside input return its error.
class TestCa {
 public:
  explicit TestCa(const TestCaOptions& options = {});

  // A leaf for a new key of `key_type`.
  TestCertificate Issue(absl::string_view upn, hsm::KeyType key_type = hsm::KeyType::kEcP256);

  // A leaf for a PKCS#10 request, PEM or DER. Errors: as ParseCertificateRequest, Subject::Create
  // and Authority::Prepare.
  absl::StatusOr<TestCertificate> IssueForRequest(absl::string_view upn, absl::string_view pkcs10,
                                                  absl::string_view user_id = "",
                                                  absl::string_view sid = "");

  // A leaf for a key that the caller holds: PKCS#8, PEM, unencrypted. Errors: FIELD_INVALID, and as
  // above.
  absl::StatusOr<TestCertificate> IssueForPrivateKey(absl::string_view upn,
                                                     absl::string_view private_key_pem);

  void Advance(std::chrono::seconds by) { now_ += by; }
  std::chrono::sys_seconds now() const { return now_; }

  const RootCertificate& root() const { return authority_->root(); }
  const std::string& root_pem() const { return root_pem_; }
  // What a client sends behind its certificate; empty where the root signs the leaves.
  const std::string& intermediate_pem() const { return intermediate_pem_; }
  const Authority& authority() const { return *authority_; }

 private:
  std::chrono::sys_seconds now_;
  std::unique_ptr<Authority> authority_;
  std::string root_pem_;
  std::string intermediate_pem_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_TEST_CA_H_
