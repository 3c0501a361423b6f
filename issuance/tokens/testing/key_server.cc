#include "issuance/tokens/testing/key_server.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hourglass::issuance {
namespace {

constexpr char kReady[] = "listening on ";

}  // namespace

KeyServer::KeyServer(absl::string_view names) {
  // Whatever proxy this machine has is not for loopback.
  setenv("no_proxy", "*", 1);
  const TlsCredential credential = tls_.ServerFor(names);
  Publish("");
  process_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{"/usr/bin/python3", "issuance/tokens/testing/key_server.py",
                               credential.certificate_file, credential.private_key_file,
                               directory_.File("keys.json")},
      directory_.File("log"));
  if (!process_->WaitForLog(kReady)) {
    std::fprintf(stderr, "no key server: %s\n", process_->Log().c_str());
    std::abort();
  }
  const std::string log = process_->Log();
  const std::size_t at = log.find(kReady) + sizeof(kReady) - 1;
  port_ = log.substr(at, log.find('\n', at) - at);
}

std::string KeyServer::Url(absl::string_view path) const {
  return absl::StrCat("https://127.0.0.1:", port_, path);
}

int KeyServer::Asked(absl::string_view path) const {
  int count = 0;
  for (const absl::string_view line : absl::StrSplit(process_->Log(), '\n')) {
    count += line == absl::StrCat("asked for ", path) ? 1 : 0;
  }
  return count;
}

}  // namespace hourglass::issuance
