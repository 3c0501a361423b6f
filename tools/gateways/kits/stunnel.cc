#include "tools/gateways/kits/stunnel.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/gateways/kit_values.h"
#include "tools/gateways/kits/stunnel_templates.h"
#include "tools/gateways/kits/tls_server.h"
#include "tools/gateways/template.h"

namespace hourglass::gateways {
namespace {

constexpr KitValue kValues[] = {
    {"folder", "where this folder will stand on the gateway", "/etc/stunnel/hourglass"},
    {"listen_address", "the address to listen on", "0.0.0.0"},
    {"listen_port", "the port to listen on", "443"},
    {"server_certificate", "PEM: this server's own certificate, its chain behind it", ""},
    {"server_key", "PEM: its key", ""},
    {"backend_host", "the host that it stands before", ""},
    {"backend_port", "its port", ""},
};

absl::StatusOr<std::vector<KitFile>> Write(const KitSubject& subject, const Values& values) {
  RETURN_IF_ERROR(CheckTlsServer(values));
  ASSIGN_OR_RETURN(const std::string configuration,
                   FillTemplate(StunnelTemplate("hourglass.conf"),
                                {{"tenant", subject.tenant_id},
                                 {"folder", ValueOf(values, "folder")},
                                 {"listen", AddressOf(values, "listen_address", "listen_port")},
                                 {"server_certificate", ValueOf(values, "server_certificate")},
                                 {"server_key", ValueOf(values, "server_key")},
                                 {"backend", AddressOf(values, "backend_host", "backend_port")}}));
  return TlsServerFiles(
      subject, values,
      {"stunnel", StunnelTemplate("README"), "systemctl restart stunnel@hourglass"},
      {{"hourglass.conf", configuration}});
}

constexpr Kit kKit = {"stunnel", "TLS before any TCP service; cannot check conditional access",
                      kValues, Write};

}  // namespace

const Kit& StunnelKit() { return kKit; }

}  // namespace hourglass::gateways
