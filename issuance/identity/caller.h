// Who calls: from the client certificate of a connection to a name, roles and tenants of the
// configuration.
#ifndef HOURGLASS_ISSUANCE_IDENTITY_CALLER_H_
#define HOURGLASS_ISSUANCE_IDENTITY_CALLER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/base/clock.h"
#include "issuance/identity/caller_certificate.h"
#include "issuance/identity/revocation_lists.h"

namespace hourglass::issuance {

enum class Role { kBroker, kAdministrator, kAuditor, kDeviceReporter, kRelyingParty };

// `broker`, `administrator`, `auditor`, `device_reporter`, `relying_party`.
absl::string_view RoleName(Role role);
absl::StatusOr<Role> ParseRole(absl::string_view name);

// The one form of an identity (see Caller): host names and hexadecimal digits in small letters.
// Fingerprints are taken as ParseFingerprint takes them. Errors: CONFIGURATION_INVALID with field
// `identity`, also for wildcards.
absl::StatusOr<std::string> ParseIdentity(absl::string_view text);

// `sha256:` and 64 hexadecimal digits in small letters, of a certificate's SHA-256 in any form of
// ca::PastedHexadecimal, with or without a name before it. Errors: CONFIGURATION_INVALID without a
// field; the message says what it is instead, as far as its length tells.
absl::StatusOr<std::string> ParseFingerprint(absl::string_view text);

// One entry of `callers:` in the configuration. Immutable after loading.
struct Caller {
  std::string name;
  // `dns:NAME` or `uri:URI`, a subject alternative name of the client certificate, or `sha256:HEX`,
  // the SHA-256 of its DER.
  std::string identity;
  std::vector<Role> roles;
  // Tenant ids; empty with all_tenants.
  std::vector<std::string> tenants;
  bool all_tenants = false;
  // Certificates whose notBefore is before this are refused.
  std::optional<Timestamp> not_before;
  // Certificates that are refused, in the form of ParseFingerprint.
  std::vector<std::string> refused;

  bool Has(Role role) const;
};

// What is in other hands than it should be: one that asks for certificates and also reports the
// devices they are for can have one for any device; one that promotes roots and also acknowledges
// them waits for nobody. A text for the log, one line, empty where there is nothing to say.
std::string WarningAbout(const Caller& caller);

// Who is at the other end of a connection whose handshake was let through.
struct AdmittedPeer {
  const Caller* caller = nullptr;
  CallerCertificate certificate;
  // Of those above it in its chain.
  std::vector<CertificateSerial> authorities;
};

// The callers of the configuration. Safe to use from several threads.
class CallerDirectory {
 public:
  // `clock`, and `revocations` where there are any, must outlive this object. Errors:
  // CONFIGURATION_INVALID where two callers share a name or an identity (however written), or an
  // identity is malformed.
  static absl::StatusOr<CallerDirectory> Create(std::vector<Caller> callers, const Clock* clock,
                                                const RevocationLists* revocations = nullptr);

  CallerDirectory(CallerDirectory&&) noexcept;
  CallerDirectory& operator=(CallerDirectory&&) noexcept;
  ~CallerDirectory();

  // The caller whose identity the certificate (PEM, the TLS layer has verified its chain) carries:
  // its SHA-256, or a dNSName or URI among its subject alternative names; the common name counts
  // for nothing. To be asked for each call, since what was sound at the handshake need not be so
  // now. Errors: CALLER_UNKNOWN, also where the certificate carries identities of two callers, or
  // a name with a control character (CVE-2009-2408); CALLER_CERTIFICATE_EXPIRED outside of its
  // period; CALLER_REFUSED where the caller's entry shuts it out or a revocation list names it. The
  // pointer lives as long as this object, also when that is moved. `certificate_sha256`, where it
  // is not null, is given the SHA-256 of the certificate, 32 octets.
  absl::StatusOr<const Caller*> Identify(absl::string_view client_certificate_pem,
                                         std::string* certificate_sha256 = nullptr) const;

  // The same for a chain that the TLS layer has verified, leaf first, and for all of its
  // certificates.
  absl::StatusOr<AdmittedPeer> Admit(absl::Span<const X509* const> chain) const;

  // Whether it would be admitted still. Errors: CALLER_CERTIFICATE_EXPIRED, CALLER_REFUSED.
  absl::Status CheckAgain(const AdmittedPeer& peer) const;

 private:
  class Known;

  CallerDirectory(std::vector<Caller> callers,
                  absl::flat_hash_map<std::string, std::size_t> by_identity, const Clock* clock,
                  const RevocationLists* revocations);

  absl::StatusOr<const Caller*> CallerOf(const CallerCertificate& certificate) const;
  absl::Status Check(const Caller& caller, const CallerCertificate& certificate) const;

  std::vector<Caller> callers_;
  absl::flat_hash_map<std::string, std::size_t> by_identity_;
  const Clock* clock_;
  const RevocationLists* revocations_;  // may be null
  // Certificates identified before: parsing one costs more than all else that a call does before
  // the pipeline.
  std::unique_ptr<Known> known_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_IDENTITY_CALLER_H_
