// PEM (RFC 7468): certificates and requests as people pass them around. All of it is safe to call
// from several threads.
#ifndef HOURGLASS_CA_ENCODING_PEM_H_
#define HOURGLASS_CA_ENCODING_PEM_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::ca {

// Label of an X.509 certificate (RFC 7468 section 5).
inline constexpr absl::string_view kCertificateLabel = "CERTIFICATE";
// Label of a PKCS#10 request (RFC 7468 section 7).
inline constexpr absl::string_view kRequestLabel = "CERTIFICATE REQUEST";
// What some clients write instead of kRequestLabel (RFC 7468 section 7).
inline constexpr absl::string_view kOldRequestLabel = "NEW CERTIFICATE REQUEST";

// Lines of 64 characters between `-----BEGIN label-----` and `-----END label-----`, each ended by a
// newline.
std::string EncodePem(absl::string_view label, absl::string_view der);

// A block as it was read.
struct PemBlock {
  std::string label;         // `CERTIFICATE REQUEST`
  std::string octets;        // decoded from the base64: DER, mostly
  bool has_headers = false;  // RFC 1421 section 4.6; those of encrypted keys, mostly
};

// Every block of the text, in order; headers are passed over, and so is what stands between blocks.
// Lines end in LF or CR LF. Errors: FIELD_INVALID without a field where the first line of a block
// is broken, or a block has no end or is no base64.
absl::StatusOr<std::vector<PemBlock>> PemBlocks(absl::string_view text);

// The octets of the first block in `text` that has one of the labels and no headers; empty where
// there is none, or a malformed block stands in front of it. Other blocks and text are passed over.
std::optional<std::string> DecodePem(absl::string_view text,
                                     std::initializer_list<absl::string_view> labels);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ENCODING_PEM_H_
