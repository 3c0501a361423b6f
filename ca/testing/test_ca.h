// A certificate authority for tests: software keys, a clock that stands still, one tenant. No
// server, no files.
//
//   hourglass::ca::TestCa ca;
//   auto issued = ca.Issue("alice@contoso.example");
//   server.Trust(ca.root_pem()); client.Use(issued.certificate_pem, issued.private_key_pem);
#ifndef HOURGLASS_CA_TESTING_TEST_CA_H_
#define HOURGLASS_CA_TESTING_TEST_CA_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/authority.h"
#include "ca/certificate/profile.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_certificate.h"
#include "ca/issuers/root_states.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

struct TestCaOptions {
  hsm::KeyType root_key_type = hsm::KeyType::kEcP256;
  // How long leaves live, and what else of them a tenant chooses.
  LeafProfileOptions profile = {};
  // The clock stands here until Advance. Default: the real time when the TestCa is made, so that
  // unmodified TLS libraries accept what it issues.
  std::chrono::sys_seconds now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::string display_name = "Contoso";
  // Leaves are signed by an issuing sub-key of this type, instead of by the root. Each root has
  // one, made with it.
  std::optional<hsm::KeyType> sub_key_type = std::nullopt;
  // Of each root, from its making: one day to 30 years.
  std::chrono::seconds root_duration = std::chrono::days(365);
  // Of the sub-key's certificate: 1 hour to 30 days.
  std::chrono::seconds sub_key_lifetime = std::chrono::hours(24);
  // Not empty: every key, serial number and signature, but for those of IssueFlawed, follows from
  // this text, so that the same calls with the same `now` make the same octets in every run with
  // one version of Botan. Whoever knows it has the keys. RSA keys take up to some seconds each
  // then.
  std::string seed = "";
};

// Whom a certificate speaks for. As Subject::Create takes them.
struct TestUser {
  std::string upn;
  std::string id = "";
  std::string sid = "";  // `S-1-5-21-…`
};

struct TestCertificate {
  std::string certificate_pem;
  std::string certificate_der;
  // PKCS#8, unencrypted; empty where the key came from outside.
  std::string private_key_pem;
  std::string serial_number;  // 16 octets
  // What a client sends: the certificate, and behind it the intermediate where there is one; PEM.
  std::string chain_pem;
};

// A root is named by its generation: 1 is the first, and primary from the start.
//
// Not for several threads at once. The constructor, Issue and StageRoot end the process on failure,
// with a message, and so does every function for a generation that is not there: a test has no use
// for a broken CA. Those that take outside input return its error.
class TestCa {
 public:
  explicit TestCa(const TestCaOptions& options = {});

  // A leaf for a new key of `key_type`, issued by the primary.
  TestCertificate Issue(absl::string_view upn, hsm::KeyType key_type = hsm::KeyType::kEcP256);
  TestCertificate Issue(const TestUser& user, hsm::KeyType key_type = hsm::KeyType::kEcP256);

  // A leaf for a PKCS#10 request, PEM or DER. Errors: as ParseCertificateRequest, Subject::Create,
  // Authority::Prepare and Authority::Sign.
  absl::StatusOr<TestCertificate> IssueForRequest(absl::string_view upn, absl::string_view pkcs10,
                                                  absl::string_view user_id = "",
                                                  absl::string_view sid = "");

  // A leaf for a key that the caller holds: PKCS#8, PEM, unencrypted. Errors: FIELD_INVALID, and as
  // above.
  absl::StatusOr<TestCertificate> IssueForPrivateKey(absl::string_view upn,
                                                     absl::string_view private_key_pem);

  // `by` may be negative: the clock goes back.
  void Advance(std::chrono::seconds by) { now_ += by; }
  std::chrono::sys_seconds now() const { return now_; }

  // Makes a further root, which does not sign yet, and returns its generation.
  int StageRoot();
  // The moves of ca/issuers/root_states.h, with its errors. Promote makes the primary RETIRING.
  absl::Status Promote(int generation);
  absl::Status Retire(int generation);
  absl::Status Discard(int generation);

  int primary() const { return primary_; }
  RootState state(int generation) const { return At(generation).state; }
  // How many roots were ever made; the generations are 1 to this.
  int generations() const { return static_cast<int>(roots_.size()); }
  // What relying parties trust now: staged, primary and retiring roots, oldest first; PEM.
  std::string trust_bundle_pem() const;

  // Of the primary, unless a generation is given.
  const RootCertificate& root() const { return authority().root(); }
  const RootCertificate& root(int generation) const { return authority(generation).root(); }
  const std::string& root_pem() const { return root_pem(primary_); }
  const std::string& root_pem(int generation) const { return At(generation).root_pem; }
  // What a client sends behind its certificate; empty where the root signs the leaves.
  const std::string& intermediate_pem() const { return intermediate_pem(primary_); }
  const std::string& intermediate_pem(int generation) const {
    return At(generation).intermediate_pem;
  }
  const Authority& authority() const { return authority(primary_); }
  const Authority& authority(int generation) const { return *At(generation).authority; }
  // The private key that signs the leaves, for those that only a test would sign: PKCS#8, PEM.
  const std::string& issuing_key_pem(int generation) const {
    return At(generation).issuing_key_pem;
  }

  const TestCaOptions& options() const { return options_; }

 private:
  struct Root {
    RootState state = RootState::kStaged;
    std::optional<Time> last_leaf_not_after;
    std::unique_ptr<Authority> authority;
    std::string issuing_key_pem;
    std::string root_pem;
    std::string intermediate_pem;
  };

  const Root& At(int generation) const;
  Root& At(int generation) { return const_cast<Root&>(std::as_const(*this).At(generation)); }
  // Octets that no other call got.
  std::string TakeOctets(std::size_t count);
  // A key that no other call got, PKCS#8, PEM.
  std::string TakeKeyPem(hsm::KeyType type);
  std::unique_ptr<hsm::SigningKey> Open(const std::string& pem) const;
  Root MakeRoot(int generation);
  void PutUnderSubKey(int generation, Root* root);
  absl::Status Move(int generation, RootMove move);
  absl::StatusOr<TestCertificate> IssueFor(const TestUser& user, absl::string_view private_key_pem);

  TestCaOptions options_;
  std::chrono::sys_seconds now_;
  int taken_ = 0;
  int primary_ = 1;
  std::vector<Root> roots_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_TEST_CA_H_
