#include "tools/hourglass/policy_words.h"

#include "absl/strings/str_cat.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using client::Json;
using Outcome = v1::PolicyOutcome;

const char* ApplicationName(Outcome::Application application) {
  switch (application) {
    case Outcome::NOT_APPLIED:
      return "not applied";
    case Outcome::POSSIBLY_APPLIES:
      return "possibly applies";
    case Outcome::APPLIES:
      return "applies";
    default:
      return "unknown";
  }
}

const char* SatisfactionName(Outcome::Satisfaction satisfaction) {
  switch (satisfaction) {
    case Outcome::SATISFIED:
      return "satisfied";
    case Outcome::UNSATISFIED:
      return "unsatisfied";
    case Outcome::BLOCKS:
      return "blocks";
    default:
      return "not evaluated";
  }
}

}  // namespace

std::string PolicyKindName(v1::PolicyKind kind) {
  switch (kind) {
    case v1::CONDITIONAL_ACCESS:
      return "conditional-access";
    case v1::NAMED_LOCATION:
      return "named-location";
    case v1::DEVICE_COMPLIANCE:
      return "device-compliance";
    default:
      return "unknown";
  }
}

std::string PolicyStateName(v1::PolicyState state) {
  switch (state) {
    case v1::POLICY_ENABLED:
      return "enabled";
    case v1::POLICY_DISABLED:
      return "disabled";
    case v1::POLICY_REPORT_ONLY:
      return "report-only";
    default:
      return "unknown";
  }
}

std::string OutcomesInWords(const v1::WhatIfResponse& response) {
  std::string text;
  if (!response.policies().empty()) absl::StrAppend(&text, "Policies:\n");
  for (const Outcome& outcome : response.policies()) {
    absl::StrAppend(&text, "  - ", client::Printable(outcome.description()), "\n");
  }
  if (!response.unmet_settings().empty()) absl::StrAppend(&text, "The device does not meet:\n");
  for (const v1::DenyReason& unmet : response.unmet_settings()) {
    absl::StrAppend(&text, "  - ", client::Printable(unmet.setting()), ": ",
                    client::Printable(unmet.message()), "\n");
  }
  return text;
}

void PutOutcomes(const v1::WhatIfResponse& response, Json* json) {
  (*json)["policies"] = Json::array();
  for (const Outcome& outcome : response.policies()) {
    Json policy = {{"policy_id", outcome.policy_id()},
                   {"display_name", outcome.display_name()},
                   {"state", PolicyStateName(outcome.state())},
                   {"application", ApplicationName(outcome.application())},
                   {"description", outcome.description()},
                   {"controls", outcome.controls()}};
    if (!outcome.excluded_by().empty()) policy["excluded_by"] = outcome.excluded_by();
    if (outcome.application() != Outcome::NOT_APPLIED) {
      policy["satisfaction"] = SatisfactionName(outcome.satisfaction());
    }
    (*json)["policies"].push_back(std::move(policy));
  }
  (*json)["device_compliance"] = response.device_compliance();
  (*json)["unmet_settings"] = Json::array();
  for (const v1::DenyReason& unmet : response.unmet_settings()) {
    (*json)["unmet_settings"].push_back({{"setting", unmet.setting()},
                                         {"message", unmet.message()},
                                         {"remediation_url", unmet.remediation_url()}});
  }
}

}  // namespace hourglass::cli
