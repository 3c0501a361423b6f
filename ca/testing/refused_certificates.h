// Certificates that a gateway must refuse: each is one that a TestCa issued, with one thing wrong,
// signed by OpenSSL. The product makes none of them.
#ifndef HOURGLASS_CA_TESTING_REFUSED_CERTIFICATES_H_
#define HOURGLASS_CA_TESTING_REFUSED_CERTIFICATES_H_

#include "absl/strings/string_view.h"
#include "ca/testing/test_ca.h"

namespace hourglass::ca {

// What is wrong. Whatever is not named is as in a good certificate.
enum class Flaw {
  kExpired,              // since a day ago
  kNotYetValid,          // valid from a day from now on
  kOtherRoot,            // of another CA, with another name
  kRetiredRoot,          // of a root of this CA that is RETIRED, and so in no trust bundle
  kForged,               // names this CA as its issuer, and is signed with another key
  kNoPurposes,           // no extendedKeyUsage: fit for any purpose (RFC 5280 section 4.2.1.12)
  kAnyPurpose,           // anyExtendedKeyUsage
  kWithoutTheOid,        // clientAuth alone
  kOnlyTheOid,           // 1.3.6.1.4.1.311.87 without clientAuth
  kParentOid,            // 1.3.6.1.4.1.311 in its place
  kChildOid,             // 1.3.6.1.4.1.311.87.1
  kNeighbourOid,         // 1.3.6.1.4.1.311.88
  kOidWithASplitArc,     // 1.3.6.1.4.1.311.8.7
  kOidThatBeginsAlike,   // 1.3.6.1.4.1.311.870
  kOidInOtherExtension,  // 1.3.6.1.4.1.311.87 as a certificate policy, and not as a purpose
};

// Every Flaw once, in the order of the enumeration, for tests that go through all.
inline constexpr Flaw kAllFlaws[] = {
    Flaw::kExpired,
    Flaw::kNotYetValid,
    Flaw::kOtherRoot,
    Flaw::kRetiredRoot,
    Flaw::kForged,
    Flaw::kNoPurposes,
    Flaw::kAnyPurpose,
    Flaw::kWithoutTheOid,
    Flaw::kOnlyTheOid,
    Flaw::kParentOid,
    Flaw::kChildOid,
    Flaw::kNeighbourOid,
    Flaw::kOidWithASplitArc,
    Flaw::kOidThatBeginsAlike,
    Flaw::kOidInOtherExtension,
};

// `expired`, `of another root`, …: what is wrong, in English. Lives as long as the process.
absl::string_view Describe(Flaw flaw);

// What OpenSSL's X509_verify_cert answers (openssl/x509_vfy.h) of a relying party that trusts the
// CA's trust bundle, checks the purpose sslclient and knows no conditional access: X509_V_OK where
// only a check of the OID refuses the certificate.
int OpensslVerifyResult(Flaw flaw);

// A certificate with this flaw for a new P-256 key. Of the CA it takes a leaf, and for kRetiredRoot
// the newest retired root; where there is none, it stages one, promotes it, and retires it after
// the primary is primary again, which leaves the trust bundle as it was. Signatures differ in each
// run, also of a CA with a seed. Ends the process on failure, with a message.
TestCertificate IssueFlawed(TestCa& ca, Flaw flaw,
                            absl::string_view upn = "mallory@contoso.example");

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_REFUSED_CERTIFICATES_H_
