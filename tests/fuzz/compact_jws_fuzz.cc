// Whatever a token is, it is refused with a reason, or it is the one text of its three parts and
// its header says, to another reader too, just what was read of it.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "issuance/tokens/base64url.h"
#include "issuance/tokens/compact_jws.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {
namespace {

constexpr TokenAlgorithm kAll[] = {TokenAlgorithm::kRs256, TokenAlgorithm::kPs256,
                                   TokenAlgorithm::kEs256};

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckHeader(const std::string& octets, const CompactJws& jws) {
  const nlohmann::json header = nlohmann::json::parse(octets, nullptr, false);
  // A number that is too large for the other one makes the whole text none to it.
  if (header.is_discarded()) return;
  Require(header.is_object());
  Require(header["alg"] == std::string(TokenAlgorithmName(jws.algorithm)));
  Require(header["kid"] == jws.key_id);
  Require(header.value("typ", "") == jws.type);
  for (const char* refused : {"crit", "b64", "jwk", "x5c", "jku", "x5u"}) {
    Require(!header.contains(refused));
  }
}

void CheckToken(absl::string_view token) {
  const absl::StatusOr<CompactJws> jws = ParseCompactJws(token, kAll);
  if (!jws.ok()) {
    Require(TokenFaultOf(jws.status()) != TokenFault::kNone);
    Require(jws.status().message().size() < 400);
    return;
  }
  Require(token.size() <= kMaxTokenSize);
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  Require(parts.size() == 3);
  const std::optional<std::string> header = DecodeBase64Url(parts[0]);
  Require(header.has_value() && EncodeBase64Url(*header) == parts[0]);
  Require(EncodeBase64Url(jws->payload) == parts[1]);
  Require(EncodeBase64Url(jws->signature) == parts[2]);
  Require(jws->signing_input == token.substr(0, token.rfind('.')));
  CheckHeader(*header, *jws);
}

}  // namespace
}  // namespace hourglass::issuance

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  hourglass::issuance::CheckToken(text);
  // The same as a header, which chance would hardly encode.
  hourglass::issuance::CheckToken(hourglass::issuance::EncodeBase64Url(text) + ".e30.AA");
  return 0;
}
