// Whatever an export holds, it is refused at a field, or read as objects that are written and read
// again as they are; and a policy that asks for what is not understood lets nobody in.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/graph/graph_export.h"

namespace hourglass::access {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Somebody of whom everything is known and good.
Facts Irreproachable() {
  Facts facts;
  facts.user = {"a", UserType::kMember, std::nullopt, IdSet(), IdSet()};
  facts.sign_in.mfa = facts.sign_in.approved_application = facts.sign_in.app_protection = true;
  facts.sign_in.password_changed = facts.sign_in.risk_remediated = facts.sign_in.token_bound = true;
  facts.sign_in.methods = {"fido2"};
  facts.sign_in.authenticated_at = facts.sign_in.mfa_at = Timestamp();
  facts.device.registered = facts.device.managed = true;
  facts.device.compliance = ComplianceState::kCompliant;
  facts.device.trust_type = TrustType::kServerAd;
  return facts;
}

void CheckPolicy(ConditionalAccessPolicy policy, const std::vector<NamedLocation>& locations) {
  policy.id = std::string("p");  // g++ 12 warns of "p" itself
  policy.state = PolicyState::kEnabled;
  const auto prepared = PreparedPolicies::Make({policy}, locations, {});
  if (!prepared.ok()) return;  // two locations of one id
  const Decision decision = Evaluate(**prepared, Irreproachable(), Timestamp());
  const bool applies =
      !decision.results.empty() && decision.results[0].application != Application::kNotApplied;
  if (applies && !NotUnderstoodConditions(policy).empty()) {
    Require(decision.outcome != Outcome::kAllow);
  }
  Require(Evaluate(**prepared, Facts(), Timestamp()).outcome != Outcome::kAllow ||
          !policy.grant.has_value() || policy.grant->built_in.values.empty());
}

void Check(absl::string_view octets) {
  const absl::StatusOr<GraphExport> read = ParseGraphExport(octets);
  if (!read.ok()) {
    Require(ReasonOf(read.status()) == ErrorReason::kFieldInvalid);
    return;
  }
  const std::string written = WriteGraphExport(*read);
  const absl::StatusOr<GraphExport> again = ParseGraphExport(written);
  Require(again.ok());
  Require(again->policies == read->policies && again->locations == read->locations);
  Require(again->compliance_policies == read->compliance_policies);
  Require(WriteGraphExport(*again) == written);
  for (const ConditionalAccessPolicy& policy : read->policies) {
    CheckPolicy(policy, read->locations);
  }
}

}  // namespace
}  // namespace hourglass::access

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::access::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
