#include "tests/tunnels/charon.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hourglass {
namespace {

constexpr char kPlugins[] =
    "random nonce pem pkcs1 pkcs8 pubkey x509 openssl kdf hmac constraints kernel-libipsec "
    "kernel-netlink socket-default vici eap-identity";

// The folders that swanctl looks into; where one lacks, it says so.
constexpr const char* kFolders[] = {"conf.d", "strongswan.d", "x509",    "x509ca", "x509ocsp",
                                    "x509aa", "x509ac",       "x509crl", "pubkey", "private",
                                    "rsa",    "ecdsa",        "pkcs8",   "pkcs12", "bliss"};

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
}

std::string ConfigOf(const std::string& folder, const std::string& vici, const std::string& plugins,
                     const std::string& settings) {
  return absl::StrCat(
      "charon {\n  load = ", kPlugins, " ", plugins,
      "\n  filelog {\n    log {\n      path = stderr\n      default = 1\n"
      "      flush_line = yes\n    }\n  }\n"
      // Peers that have gone are not asked for long.
      "  retransmit_tries = 2\n  retransmit_timeout = 1.0\n  plugins {\n    vici {\n"
      "      socket = unix://",
      vici, "\n    }\n  }\n", settings,
      "}\nswanctl {\n  load = random nonce pem pkcs1 pkcs8 pubkey x509 openssl\n}\ninclude ",
      folder, "/strongswan.d/*.conf\n");
}

}  // namespace

Charon::Charon(const Namespaces& namespaces, const TemporaryDirectory& directory, std::string name)
    : namespaces_(namespaces),
      name_(std::move(name)),
      folder_(directory.File(absl::StrCat("charon-", name_))) {
  for (const char* folder : kFolders) std::filesystem::create_directories(File(folder));
  Write("swanctl.conf", "include conf.d/*.conf\n");
  // So that there is something to include.
  Write("strongswan.d/empty.conf", "# Nothing.\n");
}

void Charon::Start(const std::string& plugins, const std::string& settings) {
  Write("strongswan.conf", ConfigOf(folder_, vici(), plugins, settings));
  process_ = std::make_unique<BackgroundProcess>(
      namespaces_.In(name_, {"env", absl::StrCat("STRONGSWAN_CONF=", File("strongswan.conf")),
                             "/usr/lib/ipsec/charon"}),
      File("log"));
  if (process_->WaitForLog("worker threads")) return;
  std::fprintf(stderr, "charon does not come up:\n%s\n", Log().c_str());
  std::abort();
}

std::string Charon::File(const std::string& path) const { return folder_ + "/" + path; }

void Charon::Write(const std::string& path, const std::string& content) const {
  WriteFile(File(path), content);
}

CommandResult Charon::Load() const {
  return Swanctl(absl::StrCat("--load-all --clear --file ", File("swanctl.conf")));
}

CommandResult Charon::Swanctl(const std::string& words) const {
  std::vector<std::string> command = {"swanctl"};
  for (const absl::string_view word : absl::StrSplit(words, ' ')) command.emplace_back(word);
  command.insert(command.end(), {"--uri", absl::StrCat("unix://", vici())});
  return RunCommand(command, "", {absl::StrCat("STRONGSWAN_CONF=", File("strongswan.conf"))});
}

bool Charon::HasPeer(const std::string& identity) const {
  const std::string sas = Swanctl("--list-sas --raw").output;
  return absl::StrContains(sas, absl::StrCat("remote-eap-id=", identity, " ")) ||
         absl::StrContains(sas, absl::StrCat("remote-id=", identity, " "));
}

}  // namespace hourglass
