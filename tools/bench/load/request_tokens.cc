#include "tools/bench/load/request_tokens.h"

#include <chrono>

#include "absl/strings/str_cat.h"

namespace hourglass::bench {

std::string RequestTokens::TenantFields(absl::string_view key_set_file) {
  return absl::StrCat(
      "identity: access_token, access_token: {directory: ", issuance::kTestDirectory,
      ", audiences: [\"", issuance::kTestAudience, "\"], brokers: [", issuance::kTestBroker,
      "], scopes: [", issuance::kTestScope, "], keys: {file: ", key_set_file, "}}");
}

std::string RequestTokens::Token(const std::string& user_id, const std::string& upn,
                                 const std::string& device_id) const {
  const std::int64_t now =
      std::chrono::floor<std::chrono::seconds>(clock_.Now()).time_since_epoch().count();
  nlohmann::json claims = claims_;
  claims["iat"] = now;
  claims["nbf"] = now;
  claims["exp"] = now + 3600;
  claims["oid"] = user_id;
  claims["upn"] = upn;
  claims["deviceid"] = device_id;
  claims["uti"] = absl::StrCat("load-", ++made_);
  return issuer_.Token(claims);
}

}  // namespace hourglass::bench
