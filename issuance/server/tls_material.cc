#include "issuance/server/tls_material.h"

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path, absl::string_view field) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in || !content) {
    return Error(ErrorReason::kConfigurationInvalid, field, absl::StrCat("cannot read ", path));
  }
  return content.str();
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsFiles& files, absl::string_view field) {
  TlsMaterial tls;
  ASSIGN_OR_RETURN(tls.certificate,
                   ReadFile(files.certificate, absl::StrCat(field, ".certificate")));
  ASSIGN_OR_RETURN(tls.private_key,
                   ReadFile(files.private_key, absl::StrCat(field, ".private_key")));
  ASSIGN_OR_RETURN(tls.trusted_roots,
                   ReadFile(files.trusted_roots, absl::StrCat(field, ".trusted_roots")));
  return tls;
}

absl::StatusOr<ServiceTls> ReadServiceTls(const Config& config) {
  ServiceTls tls;
  ASSIGN_OR_RETURN(tls.own, ReadTlsMaterial(config.tls, "tls"));
  if (!config.compliance.endpoint.empty()) {
    ASSIGN_OR_RETURN(tls.compliance, ReadTlsMaterial(config.compliance.tls, "compliance.tls"));
  }
  return tls;
}

}  // namespace hourglass::issuance
