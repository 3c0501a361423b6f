// Access tokens for the requests of a load, by an issuer of the benchmark's own.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_REQUEST_TOKENS_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_REQUEST_TOKENS_H_

#include <atomic>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/testing/token_issuer.h"

namespace hourglass::bench {

// RS256 with a key of 2048 bits, as Entra ID signs. Safe to use from several threads.
class RequestTokens {
 public:
  // The issuer's key set.
  std::string KeySet() const { return issuer_.KeySetText(); }

  // The fields of a tenant that takes these tokens, each once, with the key set in this file: YAML
  // flow style, without braces.
  static std::string TenantFields(absl::string_view key_set_file);

  // Another one each time, good for an hour from now on.
  std::string Token(const std::string& user_id, const std::string& upn,
                    const std::string& device_id) const;

 private:
  const issuance::TokenIssuer& issuer_ = issuance::TokenIssuer::OfTheProcess();
  const issuance::SystemClock clock_{};
  // Of a token; those of each one are put in their place.
  const nlohmann::json claims_ = issuer_.Claims(clock_.Now());
  mutable std::atomic<std::uint64_t> made_ = 0;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_REQUEST_TOKENS_H_
