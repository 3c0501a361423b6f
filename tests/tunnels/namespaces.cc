#include "tests/tunnels/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/own_processes.h"
#include "tests/support/subprocess.h"
#include "tests/support/tunnels_required.h"

namespace hourglass {
namespace {

std::string TryToEnter() {
  const int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (tun < 0) return absl::StrCat("/dev/net/tun: ", strerror(errno));
  close(tun);
  const std::string why = KeepProcessesTogether();
  if (!why.empty()) return why;
  if (unshare(CLONE_NEWNET) != 0) {
    return absl::StrCat("no network of our own: ", strerror(errno));
  }
  // Names of namespaces are files in /run/netns: here nobody else sees them.
  if (mount("none", "/run", "tmpfs", 0, nullptr) != 0) {
    return absl::StrCat("no mounts of our own: ", strerror(errno));
  }
  const CommandResult up = RunCommand({"ip", "link", "set", "lo", "up"});
  return up.exit_code == 0 ? "" : absl::StrCat("no network of our own: ", up.output);
}

void Ip(const std::string& words) {
  const std::vector<std::string> split = absl::StrSplit("ip " + words, ' ');
  const CommandResult result = RunCommand(split);
  if (result.exit_code == 0) return;
  std::fprintf(stderr, "ip %s: %s\n", words.c_str(), result.output.c_str());
  std::abort();
}

// A link between the gateway and a namespace, or the test where the name is empty.
void Link(const std::string& other, const std::string& network) {
  const std::string there = other.empty() ? "" : absl::StrCat("-n ", other, " ");
  const std::string name = other.empty() ? "test" : other;
  Ip(absl::StrCat("link add to-", name, " netns gateway type veth peer name eth0 netns ",
                  other.empty() ? "test" : other));
  Ip(absl::StrCat("-n gateway addr add ", network, ".1/24 dev to-", name));
  Ip(absl::StrCat("-n gateway link set to-", name, " up"));
  Ip(absl::StrCat(there, "addr add ", network, ".2/24 dev eth0"));
  Ip(absl::StrCat(there, "link set eth0 up"));
}

}  // namespace

std::string Namespaces::Enter() {
  static const std::string why = TryToEnter();
  if (!why.empty() && TunnelsAreRequired()) {
    std::fprintf(stderr, "HOURGLASS_TUNNELS=required: %s\n", why.c_str());
    std::abort();
  }
  return why;
}

Namespaces::Namespaces() {
  for (const char* name : {kGateway, kAlice, kBob}) {
    Ip(absl::StrCat("netns add ", name));
    Ip(absl::StrCat("-n ", name, " link set lo up"));
    mkdir(runs_.File(name).c_str(), 0755);
  }
  Ip(absl::StrCat("netns attach test ", getpid()));
  Link("", "10.8.0");
  Link(kAlice, "10.9.1");
  Link(kBob, "10.9.2");
  Ip(absl::StrCat("-n gateway addr add ", kProtectedAddress, "/32 dev lo"));
}

Namespaces::~Namespaces() {
  // At once: what is left to the end of its namespace goes later.
  Ip("link del eth0");
  for (const char* name : {kGateway, kAlice, kBob, "test"}) Ip(absl::StrCat("netns del ", name));
}

std::string Namespaces::GatewayOf(const std::string& client) {
  return client == kAlice ? "10.9.1.1" : "10.9.2.1";
}

std::vector<std::string> Namespaces::In(const std::string& name,
                                        const std::vector<std::string>& command) const {
  // `ip netns exec` gives mounts of its own. strongSwan's pid file is in /run whatever it is told.
  std::vector<std::string> whole = {"ip",
                                    "netns",
                                    "exec",
                                    name,
                                    "sh",
                                    "-c",
                                    "mount --bind \"$0\" /run && exec \"$@\"",
                                    runs_.File(name)};
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

bool Namespaces::Ping(const std::string& client) const {
  return RunCommand(In(client, {"ping", "-n", "-c", "1", "-W", "0.5", kProtectedAddress}))
             .exit_code == 0;
}

}  // namespace hourglass
