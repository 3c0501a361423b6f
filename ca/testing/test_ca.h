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
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

// What a TestCa is made with. A value out of its range ends the process where a root is made.
struct TestCaOptions {
  hsm::KeyType root_key_type = hsm::KeyType::kEcP256;  // of every root
  // How long leaves live, and what else of them a tenant chooses.
  LeafProfileOptions profile = {};
  // The clock stands here until Advance. Default: the real time when the TestCa is made, so that
  // unmodified TLS libraries accept what it issues.
  std::chrono::sys_seconds now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  // The roots are called `Contoso VPN root CA gen 1` and so on (RootSpecification). UTF-8 without
  // control characters, not empty.
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
  std::string upn;       // `alice@contoso.example`
  std::string id = "";   // the common name where the UPN has more than 64 characters
  std::string sid = "";  // `S-1-5-21-…`
};

// A leaf and what goes with it.
struct TestCertificate {
  std::string certificate_pem;  // one `CERTIFICATE` block (RFC 7468 section 5)
  std::string certificate_der;  // the same (RFC 5280 section 4.1)
  // PKCS#8, unencrypted; empty where the key came from outside.
  std::string private_key_pem;
  std::string serial_number;  // 16 octets, big-endian
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
  // Makes root 1, promotes it, and stops the clock at `options.now`.
  explicit TestCa(const TestCaOptions& options = {});

  // A leaf for a new key of `key_type`, issued by the primary.
  TestCertificate Issue(absl::string_view upn, hsm::KeyType key_type = hsm::KeyType::kEcP256);
  // As Issue for a UPN alone, for a user with an id or a SID.
  TestCertificate Issue(const TestUser& user, hsm::KeyType key_type = hsm::KeyType::kEcP256);

  // A leaf for a PKCS#10 request, PEM or DER, of any key that a KeyPolicy of defaults allows.
  // Errors: as ParseCertificateRequest, Subject::Create, Authority::Prepare and Authority::Sign.
  absl::StatusOr<TestCertificate> IssueForRequest(absl::string_view upn, absl::string_view pkcs10,
                                                  absl::string_view user_id = "",
                                                  absl::string_view sid = "");

  // A leaf for a key that the caller holds: PKCS#8, PEM, unencrypted. Errors: FIELD_INVALID with
  // field `private_key_pem`, and as IssueForRequest.
  absl::StatusOr<TestCertificate> IssueForPrivateKey(absl::string_view upn,
                                                     absl::string_view private_key_pem);

  // `by` may be negative: the clock goes back.
  void Advance(std::chrono::seconds by) { now_ += by; }
  // Where the clock stands, UTC.
  std::chrono::sys_seconds now() const { return now_; }

  // Makes a further root, which does not sign yet, and returns its generation.
  int StageRoot();
  // Makes a STAGED or RETIRING root the primary, and the primary RETIRING. Errors: as StateAfter
  // (ca/issuers/root_states.h).
  absl::Status Promote(int generation);
  // Makes a RETIRING root RETIRED, once the last leaf that it signed has expired. Errors: as
  // StateAfter.
  absl::Status Retire(int generation);
  // Makes a STAGED root DISCARDED. Errors: as StateAfter.
  absl::Status Discard(int generation);

  // The generation of the root that signs now.
  int primary() const { return primary_; }
  // After the moves so far: time alone changes no state.
  RootState state(int generation) const { return At(generation).state; }
  // How many roots were ever made; the generations are 1 to this.
  int generations() const { return static_cast<int>(roots_.size()); }
  // What relying parties trust now: staged, primary and retiring roots, oldest first; PEM.
  std::string trust_bundle_pem() const;

  // The primary's certificate. The reference holds as long as this object.
  const RootCertificate& root() const { return authority().root(); }
  // The certificate of the root of this generation. The reference holds as long as this object.
  const RootCertificate& root(int generation) const { return authority(generation).root(); }
  // The primary's certificate, PEM. The reference holds as long as this object.
  const std::string& root_pem() const { return root_pem(primary_); }
  // The certificate of the root of this generation, PEM. The reference holds as long as this
  // object.
  const std::string& root_pem(int generation) const { return At(generation).root_pem; }
  // What a client sends behind its certificate, PEM; empty where the root signs the leaves. The
  // reference holds as long as this object.
  const std::string& intermediate_pem() const { return intermediate_pem(primary_); }
  // As intermediate_pem(), of the root of this generation.
  const std::string& intermediate_pem(int generation) const {
    return At(generation).intermediate_pem;
  }
  // What signs the leaves of the primary: the root, or its sub-key. The reference holds as long as
  // this object.
  const Authority& authority() const { return authority(primary_); }
  // As authority(), of the root of this generation.
  const Authority& authority(int generation) const { return *At(generation).authority; }
  // The private key that signs the leaves, for those that only a test would sign: PKCS#8, PEM,
  // unencrypted. The reference holds as long as this object.
  const std::string& issuing_key_pem(int generation) const {
    return At(generation).issuing_key_pem;
  }

  // As the constructor got them; the clock may have gone on from `now`.
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
  // References into it stay while roots are added.
  std::deque<Root> roots_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_TEST_CA_H_
