// A folder of the serial numbers that a gateway is to refuse until they end, so that who was ended
// does not come back with the same certificate.
#ifndef HOURGLASS_TOOLS_GATEWAYD_REFUSED_FOLDER_H_
#define HOURGLASS_TOOLS_GATEWAYD_REFUSED_FOLDER_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "tools/gatewayd/gateway.h"

namespace hourglass::gatewayd {

enum class SerialForm {
  kDecimal,      // OpenVPN's `crl-verify DIR dir`
  kHexadecimal,  // lower-case, two digits an octet: FreeRADIUS's TLS-Client-Cert-Serial
};

struct RefusedFolderConfig {
  std::string folder;
  SerialForm form = SerialForm::kDecimal;
};

// `hexadecimal`, as SerialText writes it, in this form.
std::string SerialName(absl::string_view hexadecimal, SerialForm form);

// Writes a file for each live certificate of an event, named after its serial number, which holds
// its end (RFC 3339), and removes those that have ended. Touches no file that does not begin as its
// own do.
std::unique_ptr<Gateway> MakeRefusedFolder(RefusedFolderConfig config);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_REFUSED_FOLDER_H_
