#include "tools/gateways/kits/strongswan.h"

#include <filesystem>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/relying_parties/matrix/server_program.h"
#include "tools/gateways/kits/freeradius.h"

namespace hourglass::matrix {
namespace {

constexpr char kName[] = "gateway.contoso.example";
constexpr char kSecret[] = "shared-by-server-and-gateway";
constexpr char kRadius[] = "eap-radius";

// Two charons, gateway and client, in one network namespace with an address each: an IKE_SA without
// children (RFC 6023) is what authenticates, and needs no IPsec of the kernel.
constexpr char kAddresses[] =
    "ip link set lo up && ip link add gateway type veth peer name client && "
    "ip address add 10.9.0.1/24 dev gateway && ip address add 10.9.0.2/24 dev client && "
    "ip link set gateway up && ip link set client up && ";
// Each has its own /run, where charon keeps its pid.
constexpr char kCharon[] = "mount -t tmpfs none /run && exec /usr/lib/ipsec/charon";

class Strongswan : public RelyingParty {
 public:
  Strongswan(const PartySetup& setup, const std::string& variant)
      : variant_(variant), gateway_(setup), client_(setup), radius_(setup) {
    client_.directory().Write("server-root.pem", setup.tenant->server_root_pem());
  }

  absl::Status Start(const PartySetup& setup) {
    RETURN_IF_ERROR(WriteGateway(setup));
    RETURN_IF_ERROR(gateway_.Run({"env", Environment(gateway_), "unshare", "--net", "--mount", "sh",
                                  "-c", absl::StrCat(kAddresses, kCharon)},
                                 "spawning 16 worker threads"));
    if (variant_ == kRadius) RETURN_IF_ERROR(StartRadius(setup));
    WriteStrongswanConf(client_, "port = 0\nport_nat_t = 0\nretransmit_timeout = 0.5\n");
    RETURN_IF_ERROR(client_.Run({"env", Environment(client_), "nsenter", "--net", "--target",
                                 Gateway(), "unshare", "--mount", "sh", "-c", kCharon},
                                "spawning 16 worker threads"));
    return Load(gateway_, "connections, 0 unloaded");
  }

  Verdict Visit(const CertificateAndKey& credential) override {
    WriteClient(credential);
    if (!Load(client_, "connections, 0 unloaded").ok()) return {};
    ServerProgram& judge = variant_ == kRadius ? radius_ : gateway_;
    judge.NewLog();
    const CommandResult result =
        Swanctl(client_, {"--initiate", "--ike", "client", "--timeout", "10"});
    Swanctl(client_, {"--terminate", "--ike", "client", "--force"});
    // The gateway keeps certificates that it saw.
    Swanctl(gateway_, {"--flush-certs"});
    if (result.exit_code == 0) return {true, ""};
    static const std::regex kGateway(
        "(subject certificate invalid|no issuer certificate found|constraint check failed: [^\n]*|"
        "no trusted [A-Za-z ]*public key found)");
    static const std::regex kRadiusServer(
        "(?:OpenSSL says error |Reply-Message :?= \")([0-9]+ : [^)\n]*|the certificate [^\"\n]*)");
    if (variant_ == kRadius) return {false, judge.WaitForReason(kRadiusServer)};
    // The first says why, and what follows is of that.
    judge.WaitForReason(kGateway);
    std::smatch first;
    const std::string log = judge.NewLog();
    return {false, std::regex_search(log, first, kGateway) ? first.str(1) : ""};
  }

 private:
  std::string Gateway() { return absl::StrCat(gateway_.process().pid()); }

  static std::string Environment(const ServerProgram& program) {
    return absl::StrCat("STRONGSWAN_CONF=", program.directory().File("strongswan.conf"));
  }

  static void WriteStrongswanConf(const ServerProgram& program, const std::string& more) {
    const std::string socket = absl::StrCat("unix://", program.Socket("vici"));
    program.directory().Write(
        "strongswan.conf",
        absl::StrCat("charon {\nload = random nonce pem pkcs1 pkcs8 pubkey x509 constraints "
                     "revocation openssl kdf hmac kernel-netlink socket-default vici "
                     "eap-identity eap-tls eap-radius\n",
                     more, "plugins {\nvici {\nsocket = ", socket,
                     "\n}\n}\nfilelog {\nstderr {\ndefault = 1\nflush_line = yes\n}\n}\n}\n"
                     "swanctl {\nload = random nonce pem pkcs1 pkcs8 pubkey x509 openssl\n"
                     "socket = ",
                     socket, "\n}\ninclude ", program.directory().File("strongswan.d"),
                     "/*.conf\n"));
    for (const char* folder : {"conf.d", "x509", "x509ca", "x509crl", "private"}) {
      std::filesystem::create_directories(
          program.directory().File(absl::StrCat("swanctl/", folder)));
    }
    program.directory().Write("swanctl/swanctl.conf", "include conf.d/*.conf\n");
  }

  absl::Status WriteGateway(const PartySetup& setup) {
    WriteStrongswanConf(gateway_, "");
    gateways::Values values = {{"variant", variant_},
                               {"gateway_name", kName},
                               {"pool", "10.20.0.0/24"},
                               {"networks", "10.30.0.0/24"},
                               {"folder", gateway_.directory().File("swanctl")}};
    if (variant_ == kRadius) {
      radius_.TakePort();
      values.insert({{"radius_server", "127.0.0.1"},
                     {"radius_port", absl::StrCat(radius_.port())},
                     {"radius_secret", kSecret}});
    }
    RETURN_IF_ERROR(gateway_.WriteKit(gateways::StrongswanKit(), values));
    const CertificateAndKey& server = setup.tenant->server();
    gateway_.directory().Write("swanctl/x509/hourglass-gateway.pem", server.certificate_pem);
    gateway_.directory().Write("swanctl/private/hourglass-gateway.key", server.private_key_pem);
    if (!setup.revocation_list.empty() && variant_ != kRadius) {
      gateway_.Replace("swanctl/conf.d/hourglass-contoso.conf", "revocation = relaxed",
                       "revocation = strict");
      gateway_.directory().Write("swanctl/x509crl/list.pem", setup.revocation_list);
    }
    return absl::OkStatus();
  }

  absl::Status StartRadius(const PartySetup& setup) {
    const std::string& folder = radius_.directory().path();
    RETURN_IF_ERROR(radius_.WriteKit(gateways::FreeradiusKit(), {{"gateway_address", "127.0.0.1"},
                                                                 {"gateway_secret", kSecret},
                                                                 {"log_folder", folder},
                                                                 {"run_folder", folder}}));
    if (!setup.revocation_list.empty()) {
      radius_.Replace("radiusd.conf", "check_crl = no", "check_crl = yes");
      radius_.directory().Write(
          "roots.pem", absl::StrCat(ReadFileOrDie(radius_.RootsFile()), setup.revocation_list));
    }
    return radius_.Run({"nsenter", "--net", "--target", Gateway(), "/usr/sbin/freeradius", "-d",
                        folder, "-f", "-l", "stdout", "-xx"},
                       "Ready to process requests");
  }

  void WriteClient(const CertificateAndKey& credential) {
    constexpr char kEnd[] = "-----END CERTIFICATE-----\n";
    const TemporaryDirectory& folder = client_.directory();
    const std::size_t leaf = credential.certificate_pem.find(kEnd) + sizeof(kEnd) - 1;
    folder.Write("swanctl/x509/user.pem", credential.certificate_pem.substr(0, leaf));
    folder.Write("swanctl/private/user.key", credential.private_key_pem);
    folder.Write("swanctl/x509ca/server-root.pem", ReadFileOrDie(folder.File("server-root.pem")));
    std::filesystem::remove(folder.File("swanctl/x509ca/chain.pem"));
    if (leaf < credential.certificate_pem.size()) {
      folder.Write("swanctl/x509ca/chain.pem", credential.certificate_pem.substr(leaf));
    }
    const std::string eap = variant_ == "pubkey" ? "auth = pubkey\n"
                                                 : absl::StrCat("auth = eap-tls\neap_id = ", kUser,
                                                                "\naaa_id = ", kName, "\n");
    folder.Write("swanctl/conf.d/client.conf",
                 absl::StrCat("connections {\nclient {\nversion = 2\nchildless = force\n"
                              "local_addrs = 10.9.0.2\nremote_addrs = 10.9.0.1\nlocal {\nid = ",
                              kUser, "\ncerts = user.pem\n", eap,
                              "}\nremote {\nauth = pubkey\nid = ", kName, "\n}\n}\n}\n"));
  }

  static CommandResult Swanctl(const ServerProgram& program,
                               const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"swanctl"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return RunCommand(command, "", {Environment(program)});
  }

  static absl::Status Load(const ServerProgram& program, const std::string& expected) {
    const CommandResult result =
        Swanctl(program, {"--load-all", "--clear", "--noprompt", "--file",
                          program.directory().File("swanctl/swanctl.conf")});
    if (result.exit_code == 0 && absl::StrContains(result.output, expected)) {
      return absl::OkStatus();
    }
    return absl::InternalError(absl::StrCat("swanctl: ", result.output));
  }

  std::string variant_;
  // In this order: the others live in the gateway's network.
  ServerProgram gateway_;
  ServerProgram client_;
  ServerProgram radius_;
};

absl::StatusOr<std::unique_ptr<RelyingParty>> StartVariant(const PartySetup& setup,
                                                           const std::string& variant) {
  auto strongswan = std::make_unique<Strongswan>(setup, variant);
  RETURN_IF_ERROR(strongswan->Start(setup));
  return strongswan;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RelyingParty>> StartStrongswanPubkey(const PartySetup& setup) {
  return StartVariant(setup, "pubkey");
}

absl::StatusOr<std::unique_ptr<RelyingParty>> StartStrongswanEapTls(const PartySetup& setup) {
  return StartVariant(setup, "eap-tls");
}

absl::StatusOr<std::unique_ptr<RelyingParty>> StartStrongswanEapRadius(const PartySetup& setup) {
  return StartVariant(setup, kRadius);
}

}  // namespace hourglass::matrix
