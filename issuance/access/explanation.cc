#include "issuance/access/explanation.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hourglass::access {
namespace {

absl::string_view StatusWords(ControlStatus status) {
  switch (status) {
    case ControlStatus::kSatisfied:
      return "satisfied";
    case ControlStatus::kUnsatisfied:
      return "not satisfied";
    case ControlStatus::kNotKnown:
      return "it is not known whether this is so";
    case ControlStatus::kNotUnderstood:
      break;
  }
  return "not understood, so never satisfied";
}

std::string NotKnownConditions(const PolicyResult& result) {
  std::vector<absl::string_view> paths;
  for (int i = 0; i <= static_cast<int>(Condition::kOther); ++i) {
    const auto condition = static_cast<Condition>(i);
    if (result.IsNotKnown(condition)) paths.push_back(ConditionPath(condition));
  }
  return absl::StrJoin(paths, ", ");
}

std::string PolicyName(const PolicyResult& result) {
  return absl::StrCat("\"", result.policy->display_name, "\"");
}

bool Denies(const PolicyResult& result) {
  return result.enforced && result.application != Application::kNotApplied &&
         (result.satisfaction == Satisfaction::kBlocks ||
          result.satisfaction == Satisfaction::kUnsatisfied);
}

std::vector<std::string> WhyNoPolicy(const Decision& decision) {
  std::vector<std::string> reasons = {"no policy is known to apply"};
  for (const PolicyResult& result : decision.results) {
    const bool may_apply =
        result.enforced && result.grants && result.application == Application::kPossiblyApplies;
    if (!may_apply) continue;
    reasons.push_back(absl::StrCat("it is not known whether ", PolicyName(result), " applies (",
                                   NotKnownConditions(result), ")"));
  }
  return reasons;
}

}  // namespace

std::string ControlDemand(const ControlResult& control) {
  switch (control.kind) {
    case ControlKind::kBlock:
      return "access is blocked";
    case ControlKind::kMfa:
      return "multifactor authentication is required";
    case ControlKind::kAuthenticationStrength:
      return absl::StrCat("an authentication of the strength ", control.detail, " is required");
    case ControlKind::kCompliantDevice:
      return "the device must be compliant";
    case ControlKind::kDomainJoinedDevice:
      return "the device must be hybrid joined";
    case ControlKind::kApprovedApplication:
      return "an approved client application is required";
    case ControlKind::kCompliantApplication:
      return "an application under an app protection policy is required";
    case ControlKind::kPasswordChange:
      return "the password must be changed";
    case ControlKind::kRiskRemediation:
      return "the risk must be remediated";
    case ControlKind::kTermsOfUse:
      return absl::StrCat("the terms of use ", control.detail, " must be accepted");
    case ControlKind::kCustomFactor:
      return absl::StrCat("the custom control ", control.detail, " must be passed");
    case ControlKind::kSignInFrequency:
      return "the user must have authenticated more recently";
    case ControlKind::kSecureSignInSession:
      return "the token must be bound to the device that presents it";
    case ControlKind::kNotUnderstood:
      break;
  }
  return absl::StrCat("the policy asks for ", control.detail);
}

std::string DescribeControl(const ControlResult& control) {
  return absl::StrCat(ControlDemand(control), ": ", StatusWords(control.status));
}

std::string DescribeResult(const PolicyResult& result) {
  const std::string name =
      absl::StrCat(PolicyName(result), result.enforced ? "" : " (report-only)");
  if (result.application == Application::kNotApplied) {
    return absl::StrCat(name, " did not apply, by ", ConditionPath(result.excluded_by));
  }
  std::string text = absl::StrCat(name, " applied");
  if (result.application == Application::kPossiblyApplies) {
    absl::StrAppend(&text, ", since it is not known whether it does (", NotKnownConditions(result),
                    ")");
  }
  absl::StrAppend(&text, result.satisfaction == Satisfaction::kSatisfied ? ", satisfied"
                         : result.satisfaction == Satisfaction::kBlocks  ? ", blocks"
                                                                         : ", not satisfied");
  for (const ControlResult& control : result.controls) {
    absl::StrAppend(&text, "; ", DescribeControl(control));
  }
  return text;
}

std::vector<std::string> DenialReasons(const Decision& decision) {
  if (decision.outcome == Outcome::kAllow) return {};
  if (decision.outcome == Outcome::kDenyNoPolicy) return WhyNoPolicy(decision);
  std::map<std::pair<ControlKind, std::string>, std::string> reasons;
  for (const PolicyResult& result : decision.results) {
    if (!Denies(result)) continue;
    for (const ControlResult& control : result.controls) {
      if (control.status == ControlStatus::kSatisfied) continue;
      reasons.try_emplace({control.kind, std::string(control.detail)},
                          absl::StrCat(DescribeControl(control), " (", PolicyName(result), ")"));
    }
  }
  std::vector<std::string> texts;
  for (auto& [key, text] : reasons) texts.push_back(std::move(text));
  return texts;
}

}  // namespace hourglass::access
