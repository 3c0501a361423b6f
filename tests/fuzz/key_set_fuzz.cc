// Whatever a key set says, it is refused, or each key that is used stands once in it, for another
// reader too, is for signatures, and is public; and keys that are used and skipped are all of them.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "issuance/tokens/key_set.h"

namespace hourglass::issuance {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckKey(const nlohmann::json& jwk, const IssuerKey& key) {
  Require(!jwk.contains("d") && jwk.value("use", "sig") == "sig");
  const bool is_rsa = jwk["kty"] == "RSA";
  Require(is_rsa || (jwk["kty"] == "EC" && jwk["crv"] == "P-256"));
  Require(key.key->Fits(TokenAlgorithm::kRs256) == is_rsa);
  Require(key.key->Fits(TokenAlgorithm::kEs256) != is_rsa);
  if (jwk.contains("alg")) {
    Require(jwk["alg"] == std::string(TokenAlgorithmName(key.algorithm.value())));
    Require(key.key->Fits(*key.algorithm));
  }
  Require(jwk.value("issuer", "") == key.issuer);
  // It can be used, and has not signed this.
  for (const TokenAlgorithm algorithm :
       {TokenAlgorithm::kRs256, TokenAlgorithm::kPs256, TokenAlgorithm::kEs256}) {
    Require(!key.key->Verifies(algorithm, "message", std::string(is_rsa ? 256 : 64, '\x01')));
  }
}

void CheckSet(absl::string_view text) {
  const absl::StatusOr<std::shared_ptr<const KeySet>> set = KeySet::Parse(text);
  if (!set.ok()) {
    Require(ReasonOf(set.status()) == ErrorReason::kFieldInvalid);
    return;
  }
  const nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  // A number that is too large for the other one makes the whole text none to it.
  if (document.is_discarded()) return;
  Require(document.is_object() && document["keys"].is_array());
  Require((*set)->size() > 0);
  Require((*set)->size() + (*set)->skipped().size() == document["keys"].size());
  std::size_t found = 0;
  std::map<std::string, int> seen;
  for (const nlohmann::json& jwk : document["keys"]) {
    if (!jwk.is_object() || !jwk.contains("kid") || !jwk["kid"].is_string()) continue;
    const std::string id = jwk["kid"].get<std::string>();
    const IssuerKey* const key = (*set)->Find(id);
    if (key == nullptr) continue;
    Require(++seen[id] == 1);
    ++found;
    CheckKey(jwk, *key);
  }
  Require(found == (*set)->size());
}

}  // namespace
}  // namespace hourglass::issuance

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::issuance::CheckSet({reinterpret_cast<const char*>(data), size});
  return 0;
}
