#include "tools/client/own_certificate.h"

#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/client/wording.h"

namespace hourglass::client {
namespace {

absl::Status Unusable(const std::string& file, absl::string_view why) {
  return Error(ErrorReason::kConfigurationInvalid, "tls.certificate", absl::StrCat(file, " ", why));
}

bool IsForClients(absl::string_view der) {
  const auto* next = reinterpret_cast<const unsigned char*>(der.data());
  const X509Ptr certificate(d2i_X509(nullptr, &next, static_cast<long>(der.size())));
  return certificate != nullptr &&
         X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1;
}

}  // namespace

absl::Status CheckOwnCertificate(absl::string_view pem, const std::string& file, absl::Time now) {
  ASSIGN_OR_RETURN(const std::string der, FirstCertificateInPem(pem));
  ASSIGN_OR_RETURN(const CertificateFacts facts, ReadCertificate(der));
  // The last second of validity belongs to it (RFC 5280 section 4.1.2.5).
  if (now >= facts.not_after + absl::Seconds(1)) {
    return Unusable(file, absl::StrCat("has expired: ", TimeInWords(facts.not_after, now),
                                       "; the service would turn it away. Renew it"));
  }
  if (now < facts.not_before) {
    return Unusable(file,
                    absl::StrCat("is not valid yet: from ", TimeInWords(facts.not_before, now),
                                 ". Is this machine's clock right?"));
  }
  if (!IsForClients(der)) {
    return Unusable(
        file, absl::StrCat("is not for clients, but for: ", absl::StrJoin(facts.purposes, ", "),
                           ". The service takes certificates for clientAuth"));
  }
  return absl::OkStatus();
}

}  // namespace hourglass::client
