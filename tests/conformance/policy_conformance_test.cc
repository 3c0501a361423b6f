// Runs the cases of policy/*.json.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/access/compliance/compliance.h"
#include "issuance/access/evaluation.h"
#include "issuance/access/explanation.h"
#include "issuance/access/filter_rule.h"
#include "issuance/access/graph/graph_export.h"
#include "tests/conformance/policy_case.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::access {
namespace {

constexpr char kFolder[] = "tests/conformance/policy";

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The member of a case over that of the file's base, as RFC 7396 merges them.
CaseJson Merged(const CaseJson& file, const CaseJson& one, const char* name) {
  CaseJson merged =
      file.contains("base") ? file["base"].value(name, CaseJson::object()) : CaseJson::object();
  merged.merge_patch(one.value(name, CaseJson::object()));
  return merged;
}

// The policies of a case, each over the base's; the base's alone where it has none.
CaseJson PoliciesOf(const CaseJson& file, const CaseJson& one) {
  CaseJson policies = CaseJson::array();
  for (const CaseJson& patch : one.value("policies", CaseJson::array({CaseJson::object()}))) {
    CaseJson policy = file["base"].value("policy", CaseJson::object());
    policy.merge_patch(patch);
    policies.push_back(policy);
  }
  return policies;
}

GraphExport Import(const CaseJson& list) {
  absl::StatusOr<GraphExport> read = ParseGraphExport(CaseJson{{"value", list}}.dump());
  EXPECT_OK(read);
  return read.ok() ? *std::move(read) : GraphExport();
}

void CheckDecision(const CaseJson& file, const CaseJson& one) {
  GraphExport read = Import(PoliciesOf(file, one));
  read.locations =
      Import(one.value("locations", file["base"].value("locations", CaseJson::array()))).locations;
  ASSERT_OK_AND_ASSIGN(const auto prepared,
                       PreparedPolicies::Make(read.policies, read.locations,
                                              OptionsOf(Merged(file, one, "options"))));
  const Decision decision = Evaluate(*prepared, FactsOf(Merged(file, one, "facts")), kCaseTime);
  const CaseJson& expected = one["expect"];
  EXPECT_EQ(OutcomeName(decision.outcome), expected["outcome"].get<std::string>());
  EXPECT_EQ(DenialReasons(decision).empty(), decision.outcome == Outcome::kAllow);
  std::set<std::string> seen;
  const auto check = [&](const PolicyResult& result) {
    seen.insert(result.policy->id);
    if (!expected.contains(result.policy->id)) return;
    const CaseJson& like = expected[result.policy->id];
    EXPECT_EQ(ResultJson(result, like), like) << DescribeResult(result);
  };
  for (const PolicyResult& result : decision.results) check(result);
  for (const PolicyResult& result : prepared->unconcerned()) check(result);
  for (const auto& [id, like] : expected.items()) {
    EXPECT_TRUE(id == "outcome" || seen.count(id) == 1) << "no result of " << id;
  }
}

void CheckCompliance(const CaseJson& file, const CaseJson& one) {
  const GraphExport read = Import(PoliciesOf(file, one));
  const ComplianceResult result =
      EvaluateCompliance(read.compliance_policies, ComplianceFactsOf(Merged(file, one, "facts")),
                         ComplianceOptionsOf(Merged(file, one, "options")), kCaseTime);
  const CaseJson& expected = one["expect"];
  EXPECT_EQ(GraphName(result.state), expected["state"].get<std::string>());
  CaseJson unmet = CaseJson::array();
  for (const UnmetSetting& setting : result.unmet) {
    EXPECT_FALSE(setting.message.empty());
    if (unmet.empty() || unmet.back() != setting.setting) unmet.push_back(setting.setting);
  }
  EXPECT_EQ(unmet, expected.value("unmet", CaseJson::array()));
}

void CheckFilter(const CaseJson& file, const CaseJson& one) {
  const auto rule = FilterRule::Parse(one["rule"].get<std::string>());
  const CaseJson& expected = one["expect"];
  if (expected.contains("column")) {
    EXPECT_THAT(rule, FailsWith(ErrorReason::kFieldInvalid, "rule"));
    EXPECT_THAT(std::string(rule.status().message()),
                testing::HasSubstr(absl::StrCat("column ", expected["column"].get<int>(), ":")));
    return;
  }
  ASSERT_OK(rule);
  const DeviceFacts device = DeviceOf(Merged(file, one, "device"));
  const char* const words[] = {"no", "unknown", "yes"};
  const Truth matches = rule->Matches(DeviceView(device, /*grace_is_compliant=*/true));
  EXPECT_EQ(words[static_cast<int>(matches)], expected["matches"].get<std::string>());
  ASSERT_OK_AND_ASSIGN(const FilterRule again, FilterRule::Parse(rule->Text()));
  EXPECT_EQ(again, *rule);
}

TEST(PolicyConformanceTest, EveryCaseComesOutAsItSays) {
  std::size_t count = 0;
  for (const std::string& path : Files()) {
    const CaseJson file = CaseJson::parse(ReadFileOrDie(path));
    const auto kind = file["kind"].get<std::string>();
    std::set<std::string> names;
    for (const CaseJson& one : file["cases"]) {
      const auto name = one["name"].get<std::string>();
      SCOPED_TRACE(absl::StrCat(path, ": ", name));
      EXPECT_TRUE(names.insert(name).second) << "two cases have this name";
      ++count;
      if (kind == "decision")
        CheckDecision(file, one);
      else if (kind == "compliance")
        CheckCompliance(file, one);
      else if (kind == "filter")
        CheckFilter(file, one);
      else
        ADD_FAILURE() << "no kind: " << kind;
    }
  }
  EXPECT_GE(count, 200U);
  RecordProperty("cases", static_cast<int>(count));
}

}  // namespace
}  // namespace hourglass::access
