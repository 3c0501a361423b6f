// One document from a server that has to prove who it is.
#ifndef HOURGLASS_ISSUANCE_TOKENS_HTTPS_FETCH_H_
#define HOURGLASS_ISSUANCE_TOKENS_HTTPS_FETCH_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

struct HttpsRequest {
  std::string url;      // MistakeInHttpsUrl has none
  std::string ca_file;  // PEM, the only authorities that count; empty: those of the system
  std::chrono::milliseconds deadline = std::chrono::seconds(10);  // of everything
  std::size_t max_size = 256 * 1024;                              // octets of the answer
};

// What is wrong with a URL of a key set, to follow `: `; "" where it is `https://`, a host, and
// perhaps a port, a path and a query. A user in it would be a secret in the log.
std::string MistakeInHttpsUrl(absl::string_view url);

// The body of the answer, which must be a 200. Over TLS 1.2 or later, with the server's certificate
// and name verified; follows no redirect, and decompresses nothing. A proxy is used where the
// environment names one for libcurl (https_proxy, no_proxy). Errors: UNAVAILABLE with why, also
// where `stop` became true meanwhile, which is looked at about each second; RESOURCE_EXHAUSTED
// where the answer is larger. Safe to call from several threads.
absl::StatusOr<std::string> FetchHttps(const HttpsRequest& request, const std::atomic<bool>& stop);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_HTTPS_FETCH_H_
