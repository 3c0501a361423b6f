// A program that checks certificates, as the matrix sees it.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_RELYING_PARTY_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_RELYING_PARTY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/relying_parties/matrix/cells.h"
#include "tests/relying_parties/openssl_ca.h"

namespace hourglass::matrix {

struct Verdict {
  bool is_accepted = false;
  // Why not, in the program's own words, without what differs from run to run.
  std::string reason;
};

class RelyingParty {
 public:
  virtual ~RelyingParty() = default;
  // One connection of a client that shows this certificate. Neither accepted nor a reason: the
  // program has not answered, or not been understood.
  virtual Verdict Visit(const CertificateAndKey& credential) = 0;
};

// How a program is set up.
struct PartySetup {
  const Tenant* tenant = nullptr;
  // As the kit writes it; else the same without what the kit adds to the program's own checks. Of
  // programs without a kit: with the check that an application adds, or without.
  bool with_kit = true;
  // Not empty: revocation is checked, against this list alone, PEM.
  std::string revocation_list;
};

// Each starts the program on loopback with the tenant's live roots, and the root that signs lists
// where there is a list, until the object goes. Errors: INTERNAL with what the program said.
absl::StatusOr<std::unique_ptr<RelyingParty>> StartApache(const PartySetup& setup);
// Without a kit; its library is asked (Botan::x509_path_validate).
absl::StatusOr<std::unique_ptr<RelyingParty>> StartBotan(const PartySetup& setup);
absl::StatusOr<std::unique_ptr<RelyingParty>> StartFreeradius(const PartySetup& setup);
// Without a kit: gnutls-serv, or certtool with the purpose where `with_kit`.
absl::StatusOr<std::unique_ptr<RelyingParty>> StartGnutls(const PartySetup& setup);
absl::StatusOr<std::unique_ptr<RelyingParty>> StartHaproxy(const PartySetup& setup);
absl::StatusOr<std::unique_ptr<RelyingParty>> StartNginx(const PartySetup& setup);
// Without a kit: selfserv.
absl::StatusOr<std::unique_ptr<RelyingParty>> StartNss(const PartySetup& setup);
absl::StatusOr<std::unique_ptr<RelyingParty>> StartOpenvpn(const PartySetup& setup);
// Three shapes of the kit's gateway: certificates, EAP-TLS at the gateway, and EAP-TLS at
// FreeRADIUS.
absl::StatusOr<std::unique_ptr<RelyingParty>> StartStrongswanPubkey(const PartySetup& setup);
absl::StatusOr<std::unique_ptr<RelyingParty>> StartStrongswanEapTls(const PartySetup& setup);
absl::StatusOr<std::unique_ptr<RelyingParty>> StartStrongswanEapRadius(const PartySetup& setup);
absl::StatusOr<std::unique_ptr<RelyingParty>> StartStunnel(const PartySetup& setup);

}  // namespace hourglass::matrix

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_RELYING_PARTY_H_
