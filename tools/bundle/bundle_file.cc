#include "tools/bundle/bundle_file.h"

#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ca/encoding/digest.h"
#include "ca/encoding/pem.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "tools/client/wording.h"

namespace hourglass::bundle {
namespace {

using Pkcs7Ptr = OpensslPtr<PKCS7, PKCS7_free>;

// In the order of BundleFormat.
constexpr absl::string_view kNames[] = {"pem", "der", "p7b"};

std::string PemOf(const ca::TrustBundle& bundle) {
  std::string pem;
  for (const ca::BundleRoot& root : bundle.roots) {
    absl::StrAppend(&pem, "# root ", root.root_id, " of ", bundle.tenant_id, ", SHA-256 ",
                    client::Hex(ca::Sha256(root.certificate)), "\n",
                    ca::EncodePem(ca::kCertificateLabel, root.certificate));
  }
  return pem;
}

absl::StatusOr<std::string> DerOf(const ca::TrustBundle& bundle) {
  if (bundle.roots.size() != 1) {
    const std::string ids = absl::StrJoin(
        bundle.roots, ", ",
        [](std::string* out, const ca::BundleRoot& root) { absl::StrAppend(out, root.root_id); });
    return Error(
        ErrorReason::kFieldInvalid, "--format",
        absl::StrCat("der is a file of one certificate, and the bundle has ", bundle.roots.size(),
                     " roots (", ids, "): take --format p7b, or pem"));
  }
  return bundle.roots.front().certificate;
}

absl::Status OpensslFailed() {
  return Error(ErrorReason::kInternalError, "",
               absl::StrCat("cannot write PKCS#7: ", DrainOpensslErrors()));
}

// What the field calls a degenerate SignedData: no signers, empty content.
Pkcs7Ptr CertificatesOnly() {
  Pkcs7Ptr pkcs7(PKCS7_new());
  if (pkcs7 == nullptr || PKCS7_set_type(pkcs7.get(), NID_pkcs7_signed) != 1) return nullptr;
  if (PKCS7_content_new(pkcs7.get(), NID_pkcs7_data) != 1) return nullptr;
  // The data is absent, and not an octet string without octets.
  return PKCS7_set_detached(pkcs7.get(), 1) == 1 ? std::move(pkcs7) : nullptr;
}

absl::StatusOr<std::string> P7bOf(const ca::TrustBundle& bundle) {
  const Pkcs7Ptr pkcs7 = CertificatesOnly();
  if (pkcs7 == nullptr) return OpensslFailed();
  for (const ca::BundleRoot& root : bundle.roots) {
    const auto* der = reinterpret_cast<const unsigned char*>(root.certificate.data());
    const X509Ptr certificate(d2i_X509(nullptr, &der, static_cast<long>(root.certificate.size())));
    if (certificate == nullptr || PKCS7_add_certificate(pkcs7.get(), certificate.get()) != 1) {
      return OpensslFailed();
    }
  }
  unsigned char* der = nullptr;
  const int size = i2d_PKCS7(pkcs7.get(), &der);
  if (size < 0) return OpensslFailed();
  std::string content(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return content;
}

}  // namespace

absl::Span<const absl::string_view> BundleFormatNames() { return kNames; }

BundleFormat BundleFormatOf(absl::string_view name) {
  return static_cast<BundleFormat>(std::find(std::begin(kNames), std::end(kNames), name) -
                                   std::begin(kNames));
}

absl::StatusOr<std::string> ContentOf(const ca::TrustBundle& bundle, BundleFormat format) {
  switch (format) {
    case BundleFormat::kDer:
      return DerOf(bundle);
    case BundleFormat::kP7b:
      return P7bOf(bundle);
    case BundleFormat::kPem:
      break;
  }
  return PemOf(bundle);
}

}  // namespace hourglass::bundle
