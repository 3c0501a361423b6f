#include "issuance/compliance/sign_in.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "issuance/access/id_set.h"
#include "issuance/access/ip_range.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

struct Method {
  absl::string_view amr;
  absl::string_view graph;
};

// `rsa`, `otp` and `fed` are not here: each may be one of several methods of Graph's.
constexpr Method kMethods[] = {
    {"pwd", "password"}, {"fido", "fido2"}, {"sms", "sms"}, {"tel", "voice"}};

// `ngcmfa` is multifactor authentication as Windows Hello needs it. `wiaormfa` may be none.
constexpr absl::string_view kMultifactor[] = {"mfa", "ngcmfa"};

template <typename Words>
bool Has(const Words& words, absl::string_view word) {
  return std::any_of(words.begin(), words.end(),
                     [word](absl::string_view other) { return other == word; });
}

}  // namespace

access::SignInFacts SignInFactsOf(const v1::EvaluateRequest& question) {
  access::SignInFacts facts;
  if (!question.has_sign_in()) return facts;
  const v1::SignIn& sign_in = question.sign_in();
  facts.address = access::ParseIpAddress(sign_in.ip_address());
  const auto authenticated_at = FromProto(sign_in.authenticated_at(), "");
  if (sign_in.has_authenticated_at() && authenticated_at.ok()) {
    facts.authenticated_at = *authenticated_at;
  }
  facts.token_bound = sign_in.token_bound();
  const auto& amr = sign_in.authentication_methods();
  // Tokens of version 2.0 list none, whatever was done.
  if (amr.empty()) return facts;
  facts.mfa = std::any_of(std::begin(kMultifactor), std::end(kMultifactor),
                          [&amr](absl::string_view word) { return Has(amr, word); });
  std::vector<std::string> methods;
  for (const Method& method : kMethods) {
    if (Has(amr, method.amr)) methods.emplace_back(method.graph);
  }
  if (!methods.empty()) facts.methods = std::move(methods);
  return facts;
}

void PutUserOfToken(const v1::EvaluateRequest& question, access::UserFacts* facts) {
  if (!question.has_sign_in()) return;
  facts->id = question.user_id();
  if (!question.sign_in().groups_known()) return;
  const auto& groups = question.sign_in().group_ids();
  facts->groups = access::IdSet(std::vector<std::string>(groups.begin(), groups.end()));
}

}  // namespace hourglass::issuance
