// What signs leaves: a root, or an issuing sub-key under one, with its key and the linted template
// of its leaves.
#ifndef HOURGLASS_CA_AUTHORITY_H_
#define HOURGLASS_CA_AUTHORITY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/certificate/certificate.h"
#include "ca/certificate/certificate_template.h"
#include "ca/certificate/issuer_certificate.h"
#include "ca/certificate/profile.h"
#include "ca/encoding/time.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/issuers/root_certificate.h"
#include "ca/names/name.h"
#include "ca/request/certificate_request.h"
#include "hsm/key/signature.h"
#include "hsm/key/signing_key.h"

// Certificates, the names and keys in them, and what issues them.
namespace hourglass::ca {

// What a leaf is made from.
struct LeafRequest {
  const Subject& subject;   // not copied: must outlive this
  const RequestedKey& key;  // not copied: must outlive this
  // 16 octets from a CSPRNG. They become the serial number, with the top bit cleared and the next
  // one set, so that it is positive and has a fixed length (RFC 5280 section 4.1.2.2).
  std::string serial_entropy;
  // notBefore is the profile's backdate before this, notAfter the profile's lifetime after it.
  Time now;
};

// Tells one Authority's work from another's, by its address.
struct Preparer {};

// The to-be-signed part of one leaf, built by Authority::Prepare and nobody else: holding one is
// the proof that its octets come from a linted template (promise 4). Move-only; Sign takes it away.
class TbsCertificate {
 public:
  // Sign refuses what was moved from, with INTERNAL_ERROR.
  TbsCertificate(TbsCertificate&&) = default;
  // As the constructor; what was held here is never signed.
  TbsCertificate& operator=(TbsCertificate&&) = default;

  // TBSCertificate (RFC 5280 section 4.1), DER.
  const std::string& der() const { return der_; }
  // 16 octets, big-endian.
  const std::string& serial_number() const { return serial_number_; }
  // First second of the leaf's validity.
  Time not_before() const { return not_before_; }
  // Last second of the leaf's validity.
  Time not_after() const { return not_after_; }

 private:
  friend class Authority;
  TbsCertificate() = default;

  std::string der_;
  std::string serial_number_;
  Time not_before_;
  Time not_after_;
  // The authority's own token; holding it keeps its address from being another authority's. Null
  // after a move.
  std::shared_ptr<const Preparer> prepared_by_;
};

// Of the signatures of a key that signs in this process, one in so many is verified, the first
// included (docs/decisions/0008).
inline constexpr std::uint32_t kVerifiedOneIn = 16;

// Immutable after Create but for a count of signatures; safe to call from several threads.
class Authority {
 public:
  // The root itself signs. Checks that `key` is the root's (its public key, and a test signature),
  // compiles the profile's template for this root, and lints a specimen of every shape that the
  // template can take, by our own rules, and a few that cover them by Botan: half a millisecond.
  // Errors: KEY_MISMATCH, ROOT_EXPIRING where the root is shorter than any leaf, INTERNAL_ERROR
  // naming the rules that were broken, whatever the key says.
  static absl::StatusOr<std::unique_ptr<Authority>> Create(RootCertificate root,
                                                           std::unique_ptr<hsm::SigningKey> key,
                                                           const LeafProfile& profile);

  // The same for an issuing sub-key: `intermediate` under `root`, and `key` is the intermediate's.
  // Leaves are issued by the intermediate and outlive neither of the two. Errors: as Create, and
  // INTERNAL_ERROR where the intermediate is not one of this root.
  static absl::StatusOr<std::unique_ptr<Authority>> CreateForSubKey(
      RootCertificate root, const IntermediateCertificate& intermediate,
      std::unique_ptr<hsm::SigningKey> key, const LeafProfile& profile);

  // The root that signs, or that the issuing sub-key is under.
  const RootCertificate& root() const { return root_; }
  // Null where the root itself signs.
  const IntermediateCertificate* intermediate() const {
    return intermediate_.has_value() ? &*intermediate_ : nullptr;
  }
  // What the leaves name as their issuer.
  const IssuerCertificate& issuer() const;
  // The certificates above a leaf, DER, nearest first; the last is the root.
  std::vector<std::string> chain() const;
  // What the template was compiled from: the profile that Create or CreateForSubKey got.
  const LeafProfile& profile() const { return profile_; }

  // Fills the template. Deterministic: the same request gives the same octets. Errors:
  // ROOT_NOT_YET_VALID where now or the leaf's notBefore is before the issuer's, ROOT_EXPIRING
  // where the leaf would outlive the issuer, FIELD_INVALID with field `serial_entropy` for an
  // entropy of another length or `now` for a leaf that would begin before 1950 or end after 9999.
  absl::StatusOr<TbsCertificate> Prepare(const LeafRequest& request) const;

  // The octets that an authority of this issuer and profile prepares for `request`: to compare with
  // what was recorded, and not to be signed. Errors: as Prepare.
  static absl::StatusOr<std::string> ToBeSignedBy(const IssuerCertificate& issuer,
                                                  const LeafProfile& profile,
                                                  const LeafRequest& request);

  // As PrepareIntermediate of ca/issuers/intermediate_certificate.h, under this root. Errors: the
  // same, and INTERNAL_ERROR of an authority that has a sub-key itself.
  absl::StatusOr<TbsIntermediate> PrepareIntermediate(
      const IntermediateSpecification& specification, absl::string_view public_key) const;
  // As SignIntermediate of ca/issuers/intermediate_certificate.h, with this root and its key.
  // Errors: the same, and INTERNAL_ERROR of an authority that has a sub-key itself.
  absl::StatusOr<IntermediateCertificate> SignIntermediate(TbsIntermediate tbs) const;

  // Whether OpenSSL computes the signatures in this process (hsm/key/signing_key.h): signing then
  // takes this thread's CPU, and waits for nobody.
  bool signs_in_process() const { return key_->signs_in_process(); }

  // Signs what Prepare of this same object made and returns the Certificate, DER. Every signature
  // of a key that does not sign in this process is verified with the issuer's public key first; of
  // a key that does, the first of this object's and then one in kVerifiedOneIn. Errors:
  // KEY_MISMATCH if it does not verify, and the key is taken out of service; INTERNAL_ERROR for a
  // TBS of another authority, whatever the key says.
  absl::StatusOr<std::string> Sign(TbsCertificate tbs) const;

  // Signs several, of any number, with one SignAll of the key, and returns as many results, in
  // their order: each what Sign would have returned. One signature that does not verify makes the
  // others of the same call be verified too; those that do are right, and are returned.
  std::vector<absl::StatusOr<std::string>> SignAll(std::vector<TbsCertificate> tbs) const;

 private:
  Authority(RootCertificate root, std::optional<IntermediateCertificate> intermediate,
            std::unique_ptr<hsm::SigningKey> key, hsm::VerifyingKey verifier,
            const LeafProfile& profile);
  static absl::StatusOr<std::unique_ptr<Authority>> Make(
      RootCertificate root, std::optional<IntermediateCertificate> intermediate,
      std::unique_ptr<hsm::SigningKey> key, const LeafProfile& profile);

  // As many results as messages: signatures that were verified as Sign says, or errors.
  std::vector<absl::StatusOr<std::string>> SignAndVerify(
      absl::Span<const absl::string_view> messages) const;
  bool IsNextToVerify() const { return signatures_made_++ % kVerifiedOneIn == 0; }

  RootCertificate root_;
  std::optional<IntermediateCertificate> intermediate_;
  std::unique_ptr<hsm::SigningKey> key_;
  hsm::VerifyingKey verifier_;
  LeafProfile profile_;
  CertificateTemplate leaf_;
  std::shared_ptr<const Preparer> identity_;
  mutable std::atomic<std::uint32_t> signatures_made_ = 0;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_AUTHORITY_H_
