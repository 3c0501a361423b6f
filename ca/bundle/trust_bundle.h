// The trust bundle of a tenant: which roots relying parties must trust, as a document that roots
// sign and that OpenSSL alone can check (docs/trust-bundle.md). All of it is pure, and safe to call
// from several threads.
#ifndef HOURGLASS_CA_BUNDLE_TRUST_BUNDLE_H_
#define HOURGLASS_CA_BUNDLE_TRUST_BUNDLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_states.h"
#include "hsm/key/signing_key.h"

namespace hourglass::ca {

// A root that is to be trusted.
struct BundleRoot {
  std::string root_id;      // 1 to 63 characters of printable ASCII without space or `-----BEGIN`
  RootState state;          // one of InTrustBundle
  std::string certificate;  // DER

  bool operator==(const BundleRoot&) const = default;
};

// A root that was in an earlier version and is to be trusted no more.
struct RemovedRoot {
  std::string root_id;  // as that of BundleRoot
  std::string sha256;   // of its certificate, DER; 32 octets

  bool operator==(const RemovedRoot&) const = default;
};

struct TrustBundle {
  std::string tenant_id;             // as a root_id, with 1 to 64 characters
  std::uint64_t version = 0;         // from 1; each change has a higher one
  Time changed_at = {};              // when it became what it is; as IsEncodable says
  std::vector<BundleRoot> roots;     // oldest first; at most one is PRIMARY
  std::vector<RemovedRoot> removed;  // oldest first

  bool operator==(const TrustBundle&) const = default;
};

// The largest document, in octets: some thousand roots.
inline constexpr std::size_t kMaxBundleSize = 4 * 1024 * 1024;

// The document: text that is a PEM file of the roots at the same time, since whoever reads PEM
// passes over what stands between the blocks (RFC 7468 section 5.2). The same bundle gives the same
// octets. It begins with words that no certificate and no revocation list can begin with, so that
// no signature over it is one of those. Errors: FIELD_INVALID with the field of TrustBundle
// (`roots[2].state`).
absl::StatusOr<std::string> EncodeTrustBundle(const TrustBundle& bundle);

// Reads exactly what EncodeTrustBundle writes, and nothing else. Each certificate is a root as
// RootCertificate::Parse takes it; no two roots, removed ones among them, have the same certificate
// or the same root_id. Takes a verification of a signature for each root. Errors: BUNDLE_INVALID,
// and the message begins with the number of the line: `line 7: `.
absl::StatusOr<TrustBundle> ParseTrustBundle(absl::string_view document);

struct BundleSignature {
  std::string root_sha256;  // of the certificate, DER, of the root that signed; 32 octets
  std::string signature;    // as SigningKey::Sign gives it for the document

  bool operator==(const BundleSignature&) const = default;
};

// Signs the document with the key of the root `certificate`, DER, and verifies the signature before
// it is returned; a key that signed wrong is taken out of service. Nothing is signed but what
// ParseTrustBundle reads. Errors: KEY_MISMATCH where the key is not the certificate's or signed
// wrong; BUNDLE_INVALID of ParseTrustBundle, CONFIGURATION_INVALID of RootCertificate::Parse; what
// SigningKey::Sign says.
absl::StatusOr<BundleSignature> SignTrustBundle(absl::string_view document,
                                                absl::string_view certificate,
                                                hsm::SigningKey& key);

// Which of `trusted`, certificates in DER, has signed the document: the first by the order of
// `signatures` whose signature verifies. A signature by a root that is not among `trusted` counts
// for nothing; one by a trusted root that does not verify refuses the document, wherever it stands.
// Reads nothing of the document but its first line, which must be a trust bundle's: what the root
// has signed as a certificate is none. Does not look at the time. Errors: BUNDLE_INVALID.
absl::StatusOr<std::string> SignerOfTrustBundle(absl::string_view document,
                                                absl::Span<const BundleSignature> signatures,
                                                absl::Span<const std::string> trusted);

// Whether a follower that knows `known` goes on to `next`: both are of one tenant; the version is
// higher, or the same with the same content; each root of `known` is among the roots of `next` or
// its removed ones, by its certificate; what was removed is still removed, so that it is not back,
// in this version or a later one. Errors: BUNDLE_INVALID, and the message says which.
absl::Status CheckBundleFollows(const TrustBundle& known, const TrustBundle& next);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_BUNDLE_TRUST_BUNDLE_H_
