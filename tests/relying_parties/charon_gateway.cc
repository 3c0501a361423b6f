#include "tests/relying_parties/charon_gateway.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/kit_files.h"
#include "tools/gateways/kits/strongswan.h"

namespace hourglass {
namespace {

// Those that swanctl looks for, so that it warns of none.
constexpr const char* kFolders[] = {"conf.d",  "x509",     "x509ca", "x509aa",  "x509ac",
                                    "x509crl", "x509ocsp", "pubkey", "private", "rsa",
                                    "ecdsa",   "bliss",    "pkcs8",  "pkcs12"};

// The plugins that Debian's packages load, as far as a gateway needs them.
constexpr char kPlugins[] =
    "random nonce x509 revocation constraints pubkey pkcs1 pkcs8 pem openssl hmac kdf sha1 sha2 "
    "aes gcm kernel-netlink socket-default vici eap-identity eap-tls eap-radius updown";

std::string CharonConfig(const std::string& directory) {
  const std::string socket = absl::StrCat("unix://", directory, "/vici");
  return absl::StrCat("charon {\n  load = ", kPlugins,
                      "\n  port = 0\n  port_nat_t = 0\n  filelog {\n    stderr {\n      path = "
                      "stderr\n      default = 1\n      flush_line = yes\n    }\n  }\n  plugins "
                      "{\n    vici {\n      socket = ",
                      socket,
                      "\n    }\n  }\n}\nswanctl {\n  load = random nonce pem pkcs1 pkcs8 pubkey "
                      "x509 openssl\n  socket = ",
                      socket, "\n}\ninclude strongswan.d/*.conf\n");
}

}  // namespace

CharonGateway::CharonGateway() {
  for (const char* folder : kFolders) {
    std::filesystem::create_directories(absl::StrCat(swanctl(), "/", folder));
  }
  for (const char* folder : {"run", "strongswan.d"}) {
    std::filesystem::create_directory(directory_.File(folder));
  }
  directory_.Write("swanctl/swanctl.conf", "include conf.d/*.conf\n");
  directory_.Write("strongswan.conf", CharonConfig(directory_.path()));
  // One file, so that the include finds something in every variant.
  directory_.Write("strongswan.d/empty.conf", "# Nothing.\n");
  const OpensslCa issuer("/CN=Issuer of the gateway");
  const CertificateAndKey gateway = issuer.Issue(
      kName, {absl::StrCat("subjectAltName = DNS:", kName), "extendedKeyUsage = serverAuth"});
  directory_.Write("swanctl/x509/hourglass-gateway.pem", gateway.certificate_pem);
  directory_.Write("swanctl/private/hourglass-gateway.key", gateway.private_key_pem);
}

absl::Status CharonGateway::Install(const gateways::KitSubject& subject, gateways::Values given) {
  given.insert({{"folder", swanctl()}, {"follower_folder", follower()}, {"gateway_name", kName}});
  RETURN_IF_ERROR(
      WriteKit(gateways::StrongswanKit(), subject, std::move(given), directory_.File("kit")));
  const CommandResult copied = Shell(
      "cp -r kit/swanctl/. swanctl/ && if [ -d kit/strongswan.d ]; then install -m 600 "
      "kit/strongswan.d/* strongswan.d/; fi");
  return copied.exit_code == 0 ? absl::OkStatus() : absl::InternalError(copied.output);
}

bool CharonGateway::Start() {
  charon_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{"unshare", "--mount", "sh", "-c",
                               absl::StrCat("mount --bind ", directory_.File("run"),
                                            " /run && exec /usr/lib/ipsec/charon")},
      directory_.File("log"),
      std::vector<std::string>{
          absl::StrCat("STRONGSWAN_CONF=", directory_.File("strongswan.conf"))});
  return charon_->WaitForLog("spawning");
}

CommandResult CharonGateway::Shell(const std::string& commands) const {
  return RunCommand({"bash", "-c", absl::StrCat("cd ", directory_.path(), " && ", commands)}, "",
                    {absl::StrCat("STRONGSWAN_CONF=", directory_.File("strongswan.conf"))});
}

CommandResult CharonGateway::Swanctl(const std::string& words) const {
  return Shell(absl::StrCat("swanctl ", words));
}

CommandResult CharonGateway::Reload(const std::string& bundle) const {
  directory_.Write("bundle.pem", bundle);
  return Shell(
      "HOURGLASS_BUNDLE_FILE=$PWD/bundle.pem kit/follower/hourglass-contoso-strongswan-reload");
}

std::string CharonGateway::Listing() const {
  return Shell("cd swanctl && find . -type d | sort && find . -type f -exec sha256sum {} + | sort")
      .output;
}

}  // namespace hourglass
