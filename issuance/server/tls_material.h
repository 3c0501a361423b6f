// The files of a TLS side, as they are read at the start.
#ifndef HOURGLASS_ISSUANCE_SERVER_TLS_MATERIAL_H_
#define HOURGLASS_ISSUANCE_SERVER_TLS_MATERIAL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/config/config.h"
#include "issuance/config/tls_files.h"

namespace hourglass::issuance {

// PEM each, as it stands in the file.
struct TlsMaterial {
  std::string certificate;
  std::string private_key;
  std::string trusted_roots;
};

// `field` is what the configuration calls them: `tls` or `compliance.tls`. Does not look at what
// the files say. Errors: CONFIGURATION_INVALID with the field and the file.
absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsFiles& files, absl::string_view field);

// All that the service has of TLS.
struct ServiceTls {
  TlsMaterial own;
  // Towards the compliance service; none where no other is asked.
  std::optional<TlsMaterial> compliance;
};

// Reads each file once. Errors: as ReadTlsMaterial.
absl::StatusOr<ServiceTls> ReadServiceTls(const Config& config);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_TLS_MATERIAL_H_
