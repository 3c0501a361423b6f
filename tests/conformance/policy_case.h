// Cases of policy/*.json, in the words of an administrator: docs/policies.md describes the
// policies, policy/README.md the files.
#ifndef HOURGLASS_TESTS_CONFORMANCE_POLICY_CASE_H_
#define HOURGLASS_TESTS_CONFORMANCE_POLICY_CASE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "issuance/access/compliance/compliance.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/facts.h"

namespace hourglass::access {

using CaseJson = nlohmann::json;

// The time of every case.
inline constexpr Timestamp kCaseTime{std::chrono::seconds(1790000000)};

// A member that is not known here ends the program: a case must say what it means.
Facts FactsOf(const CaseJson& json);
AccessOptions OptionsOf(const CaseJson& json);
DeviceFacts DeviceOf(const CaseJson& json);
ComplianceFacts ComplianceFactsOf(const CaseJson& json);
ComplianceOptions ComplianceOptionsOf(const CaseJson& json);

// What a decision said of its policies, as cases write it: only members that `like` has.
CaseJson ResultJson(const PolicyResult& result, const CaseJson& like);

}  // namespace hourglass::access

#endif  // HOURGLASS_TESTS_CONFORMANCE_POLICY_CASE_H_
