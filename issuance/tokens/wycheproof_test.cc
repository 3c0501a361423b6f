// The vectors of Wycheproof (C2SP/wycheproof, testvectors_v1/json_web_signature_test.json), where
// the environment variable HOURGLASS_WYCHEPROOF names the folder that holds them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/compact_jws.h"
#include "issuance/tokens/key_set.h"
#include "issuance/tokens/token_fault.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using nlohmann::json;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr TokenAlgorithm kAll[] = {TokenAlgorithm::kRs256, TokenAlgorithm::kPs256,
                                   TokenAlgorithm::kEs256};

// kNone where it verifies with the only key that there is.
TokenFault Verify(const std::string& token, const json& jwk) {
  const auto jws = ParseCompactJws(token, kAll);
  if (!jws.ok()) return TokenFaultOf(jws.status());
  const auto keys = KeySet::Parse(json{{"keys", {jwk}}}.dump());
  if (!keys.ok()) return TokenFault::kKeyUnknown;
  return TokenFaultOf(VerifyCompactJws(*jws, **keys).status());
}

TEST(WycheproofTest, AllVectorsBehaveAsLabelled) {
  const char* const folder = std::getenv("HOURGLASS_WYCHEPROOF");
  if (folder == nullptr || *folder == '\0') {
    GTEST_SKIP() << "HOURGLASS_WYCHEPROOF does not name the folder of the vectors";
  }
  std::ifstream in(absl::StrCat(folder, "/json_web_signature_test.json"));
  const json vectors = json::parse(in);
  int valid = 0, invalid = 0, accepted = 0;
  std::map<TokenFault, int> refused_though_valid;
  for (const json& group : vectors["testGroups"]) {
    const json& jwk = group.contains("public") ? group["public"] : group["private"];
    for (const json& vector : group["tests"]) {
      const std::string token =
          vector["jws"].is_string() ? vector["jws"].get<std::string>() : vector["jws"].dump();
      const TokenFault fault = Verify(token, jwk);
      if (vector["result"] != "valid") {
        ++invalid;
        EXPECT_NE(fault, TokenFault::kNone) << vector["tcId"] << " " << vector["comment"];
        continue;
      }
      ++valid;
      fault == TokenFault::kNone ? ++accepted : ++refused_though_valid[fault];
    }
  }
  EXPECT_EQ(valid, 46);
  EXPECT_EQ(invalid, 355);
  EXPECT_EQ(accepted, 14);
  // Our rules: no shared secrets; no hash but SHA-256 and no curve but P-256; no empty part; and in
  // two vectors an octet in base64url that is none, which others pass over.
  EXPECT_THAT(refused_though_valid, UnorderedElementsAre(Pair(TokenFault::kAlgorithmSymmetric, 8),
                                                         Pair(TokenFault::kAlgorithmNotAllowed, 16),
                                                         Pair(TokenFault::kNotCompact, 6),
                                                         Pair(TokenFault::kEncodingInvalid, 2)));
}

}  // namespace
}  // namespace hourglass::issuance
