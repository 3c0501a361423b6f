// Whether certificates do for TLS, before a peer has to find out.
#ifndef HOURGLASS_ISSUANCE_CONFIG_TLS_FITNESS_H_
#define HOURGLASS_ISSUANCE_CONFIG_TLS_FITNESS_H_

#include <string>
#include <vector>

#include "hsm/base/openssl.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

enum class TlsSide { kServer, kClient };

// What is wrong with a chain, leaf first, that this side would show; each a sentence's end, such as
// `is for clients only: …`. Its key or digest is weaker than OpenSSL's security level of this
// machine wants (SSL_CTX_set_security_level(3)); the leaf is not for this side (RFC 5280, 4.2.1.3
// and 4.2.1.12); a server's names no host (RFC 9110, 4.3.4); a certificate did not issue the one
// before it. Says nothing of periods of validity. Empty if nothing is wrong.
std::vector<std::string> MistakesInChain(const std::vector<X509Ptr>& chain, TlsSide side);

// The same of what peers must chain to: a certificate that is of no authority, unless it signed
// itself; one with a key that is too weak.
std::vector<std::string> MistakesInTrustedRoots(const std::vector<X509Ptr>& roots);

// A chain of which a certificate has expired at `now`, or is not yet valid.
std::vector<std::string> MistakesInPeriods(const std::vector<X509Ptr>& chain, Timestamp now);

// Roots of which none is valid at `now`.
std::vector<std::string> MistakesInPeriodsOfRoots(const std::vector<X509Ptr>& roots, Timestamp now);

// Of a certificate whose dates are dates.
Timestamp NotAfter(const X509& certificate);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_TLS_FITNESS_H_
