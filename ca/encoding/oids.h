// Object identifiers, as the content octets of their DER encoding.
#ifndef HOURGLASS_CA_ENCODING_OIDS_H_
#define HOURGLASS_CA_ENCODING_OIDS_H_

#include "absl/strings/string_view.h"

namespace hourglass::ca::oids {

// Public keys (RFC 3279 section 2.3, RFC 5480 section 2.1).
inline constexpr absl::string_view kRsaEncryption("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);
inline constexpr absl::string_view kEcPublicKey("\x2a\x86\x48\xce\x3d\x02\x01", 7);
inline constexpr absl::string_view kCurveP256("\x2a\x86\x48\xce\x3d\x03\x01\x07", 8);
inline constexpr absl::string_view kCurveP384("\x2b\x81\x04\x00\x22", 5);

// Signatures (RFC 4055 section 5, RFC 5758 section 3.2) and what RSASSA-PSS parameters name (RFC
// 4055 section 3).
inline constexpr absl::string_view kRsassaPss("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9);
inline constexpr absl::string_view kMgf1("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08", 9);
inline constexpr absl::string_view kSha256WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9);
inline constexpr absl::string_view kSha384WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 9);
inline constexpr absl::string_view kSha512WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", 9);
inline constexpr absl::string_view kEcdsaWithSha256("\x2a\x86\x48\xce\x3d\x04\x03\x02", 8);
inline constexpr absl::string_view kEcdsaWithSha384("\x2a\x86\x48\xce\x3d\x04\x03\x03", 8);
inline constexpr absl::string_view kEcdsaWithSha512("\x2a\x86\x48\xce\x3d\x04\x03\x04", 8);
inline constexpr absl::string_view kSha256("\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9);
inline constexpr absl::string_view kSha384("\x60\x86\x48\x01\x65\x03\x04\x02\x02", 9);
inline constexpr absl::string_view kSha512("\x60\x86\x48\x01\x65\x03\x04\x02\x03", 9);

// Hashes that are known so as to name them in a refusal (RFC 3279 section 2.2, RFC 4055, RFC 5758,
// RFC 8017 appendix C; sha1WithRSASignature of OIW, as old Windows tools write it).
inline constexpr absl::string_view kMd2WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", 9);
inline constexpr absl::string_view kMd4WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03", 9);
inline constexpr absl::string_view kMd5WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", 9);
inline constexpr absl::string_view kSha1WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", 9);
inline constexpr absl::string_view kSha224WithRsa("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", 9);
inline constexpr absl::string_view kOiwSha1WithRsa("\x2b\x0e\x03\x02\x1d", 5);
inline constexpr absl::string_view kEcdsaWithSha1("\x2a\x86\x48\xce\x3d\x04\x01", 7);
inline constexpr absl::string_view kEcdsaWithSha224("\x2a\x86\x48\xce\x3d\x04\x03\x01", 8);
inline constexpr absl::string_view kMd5("\x2a\x86\x48\x86\xf7\x0d\x02\x05", 8);
inline constexpr absl::string_view kSha1("\x2b\x0e\x03\x02\x1a", 5);
inline constexpr absl::string_view kSha224("\x60\x86\x48\x01\x65\x03\x04\x02\x04", 9);

// Names (RFC 5280 appendix A.1).
inline constexpr absl::string_view kCommonName("\x55\x04\x03", 3);

// Extensions (RFC 5280 section 4.2, RFC 9608, MS-WCCE 2.2.2.7.7.4).
inline constexpr absl::string_view kSubjectKeyIdentifier("\x55\x1d\x0e", 3);
inline constexpr absl::string_view kKeyUsage("\x55\x1d\x0f", 3);
inline constexpr absl::string_view kSubjectAltName("\x55\x1d\x11", 3);
inline constexpr absl::string_view kBasicConstraints("\x55\x1d\x13", 3);
inline constexpr absl::string_view kCrlDistributionPoints("\x55\x1d\x1f", 3);
inline constexpr absl::string_view kAuthorityKeyIdentifier("\x55\x1d\x23", 3);
inline constexpr absl::string_view kExtendedKeyUsage("\x55\x1d\x25", 3);
inline constexpr absl::string_view kFreshestCrl("\x55\x1d\x2e", 3);
inline constexpr absl::string_view kNoRevAvail("\x55\x1d\x38", 3);
inline constexpr absl::string_view kAuthorityInfoAccess("\x2b\x06\x01\x05\x05\x07\x01\x01", 8);
inline constexpr absl::string_view kSidExtension("\x2b\x06\x01\x04\x01\x82\x37\x19\x02", 9);

// What extensions name: clientAuth, the conditional-access purpose 1.3.6.1.4.1.311.87, the UPN and
// the SID as otherName.
inline constexpr absl::string_view kClientAuth("\x2b\x06\x01\x05\x05\x07\x03\x02", 8);
inline constexpr absl::string_view kConditionalAccess("\x2b\x06\x01\x04\x01\x82\x37\x57", 8);
inline constexpr absl::string_view kUpn("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03", 10);
inline constexpr absl::string_view kNtdsObjectSid("\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01", 10);

}  // namespace hourglass::ca::oids

#endif  // HOURGLASS_CA_ENCODING_OIDS_H_
