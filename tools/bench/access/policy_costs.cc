#include "tools/bench/access/policy_costs.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/access/evaluation.h"
#include "tools/bench/access/access_benchmark.h"
#include "tools/bench/access/sample_policies.h"
#include "tools/bench/cost/thread_cost.h"

namespace hourglass::bench {
namespace {

constexpr int kManyGroups = 10'000;
constexpr char kUser[] = ", user in 10 000 groups";

CostEffort EffortOf(bool quick) {
  if (quick) return {1, std::chrono::milliseconds(5), 2};
  return {11, std::chrono::milliseconds(60), 8};
}

absl::Status Wrong(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("policies: ", what));
}

absl::Status DecideBy(const SamplePolicies& sample) {
  const access::Decision decision = access::Evaluate(*sample.prepared, sample.facts, sample.now);
  if (decision.outcome == access::Outcome::kAllow) return absl::OkStatus();
  return Wrong(access::OutcomeName(decision.outcome));
}

// What is found does not matter, but that it is looked for must not be optimised away.
absl::Status LookUpGroups(const SamplePolicies& sample) {
  std::size_t found = 0;
  for (const std::string& id : sample.named_groups) {
    found += sample.facts.user.groups->HasFolded(id) ? 1 : 0;
  }
  return found > 0 ? absl::OkStatus() : Wrong("none of the groups is the user's");
}

std::string Count(int policies) {
  return policies == 1000 ? "1 000 policies" : absl::StrCat(policies, " policies");
}

absl::Status MeasureDecisions(int policies, const CostEffort& effort, Report& report) {
  ASSIGN_OR_RETURN(const SamplePolicies sample,
                   MakeSamplePolicies({.mentioning = policies, .groups = kManyGroups}));
  ASSIGN_OR_RETURN(const CostBesideFloor cost, MeasureBesideFloor(
                                                   effort, [&] { return DecideBy(sample); },
                                                   [&] { return LookUpGroups(sample); }));
  Figure figure = {.section = kAccessSection,
                   .name = absl::StrCat(Count(policies), kUser, ": a decision"),
                   .value = cost.cost,
                   .unit = "us",
                   .floor = cost.floor,
                   .floor_is = "looking up the groups that they name"};
  if (policies == 100) {
    figure.judged = cost.cost;
    figure.target = TargetId::kPolicies;
  }
  report.Add(std::move(figure));
  return absl::OkStatus();
}

struct Comparison {
  std::string name;
  SamplePoliciesOptions larger, smaller;
  int times = 1;  // what the smaller one costs counts so often
  std::string smaller_is;
  std::optional<TargetId> target;
};

absl::Status Compare(const Comparison& comparison, const CostEffort& effort, Report& report) {
  ASSIGN_OR_RETURN(const SamplePolicies larger, MakeSamplePolicies(comparison.larger));
  ASSIGN_OR_RETURN(const SamplePolicies smaller, MakeSamplePolicies(comparison.smaller));
  ASSIGN_OR_RETURN(const CostBesideFloor cost, MeasureBesideFloor(
                                                   effort, [&] { return DecideBy(larger); },
                                                   [&] { return DecideBy(smaller); }));
  report.Add({.section = kAccessSection,
              .name = comparison.name,
              .value = cost.cost,
              .unit = "us",
              .floor = comparison.times * cost.floor,
              .floor_is = comparison.smaller_is,
              .target = comparison.target});
  return absl::OkStatus();
}

std::vector<Comparison> Comparisons() {
  const SamplePoliciesOptions hundred = {.mentioning = 100, .groups = kManyGroups};
  return {
      {"growth: 100 policies",
       hundred,
       {.mentioning = 10, .groups = kManyGroups},
       10,
       "10 × by 10",
       TargetId::kPolicyGrowth},
      {"growth: 1 000 policies",
       {.mentioning = 1000, .groups = kManyGroups},
       hundred,
       10,
       "10 × by 100",
       TargetId::kPolicyGrowth},
      {"1 000 policies, of which 100 mention the application",
       {.mentioning = 100, .others = 900, .groups = kManyGroups},
       hundred,
       1,
       "by these 100 alone",
       TargetId::kPolicyGrowth},
      {"100 policies, user in 10 000 groups",
       hundred,
       {.mentioning = 100, .groups = 10},
       1,
       "user in 10 groups",
       std::nullopt},
  };
}

// A decision finds the groups as a set; who has them as a list must make it first.
absl::Status MeasureGroups(const CostEffort& effort, Report& report) {
  const std::vector<std::string> ids = GroupIds(kManyGroups);
  const auto sized = [](std::size_t size) {
    return size == kManyGroups ? absl::OkStatus() : Wrong("the set of groups");
  };
  ASSIGN_OR_RETURN(const CostBesideFloor cost,
                   MeasureBesideFloor(
                       effort, [&] { return sized(access::IdSet(ids).size()); },
                       [&] { return sized(std::vector<std::string>(ids).size()); }));
  report.Add({.section = kAccessSection,
              .name = "10 000 groups: a set of them made",
              .value = cost.cost,
              .unit = "us",
              .floor = cost.floor,
              .floor_is = "copying them"});
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasurePolicies(bool quick, Report& report) {
  const CostEffort effort = EffortOf(quick);
  for (const int policies : {10, 100, 1000}) {
    RETURN_IF_ERROR(MeasureDecisions(policies, effort, report));
  }
  for (const Comparison& comparison : Comparisons()) {
    RETURN_IF_ERROR(Compare(comparison, effort, report));
  }
  return MeasureGroups(effort, report);
}

}  // namespace hourglass::bench
