#include "tools/bench/library_benchmark.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/allocation_count.h"
#include "tools/bench/cost/thread_cost.h"
#include "tools/bench/issuing_root.h"
#include "tools/bench/request_pool.h"

namespace hourglass::bench {
namespace {

using hsm::KeyType;

constexpr char kSection[] = "library";

struct NamedType {
  KeyType type;
  const char* name;
};
constexpr NamedType kLeafTypes[] = {
    {KeyType::kEcP256, "P-256"}, {KeyType::kEcP384, "P-384"}, {KeyType::kRsa2048, "RSA-2048"}};
constexpr NamedType kRootTypes[] = {{KeyType::kEcP256, "P-256"},
                                    {KeyType::kEcP384, "P-384"},
                                    {KeyType::kRsa2048, "RSA-2048"},
                                    {KeyType::kRsa3072, "RSA-3072"}};

struct Effort {
  int rounds;                       // of which the median counts
  std::chrono::milliseconds slice;  // CPU time of each measurement of a round
  int requests;                     // different ones, of each type of key
};
constexpr Effort kFull{11, std::chrono::milliseconds(60), 256};
constexpr Effort kQuick{1, std::chrono::milliseconds(5), 4};

absl::Status VerifyBarely(const PooledRequest& request) {
  const auto octets = [](const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  if (EVP_PKEY_verify(request.verification, octets(request.signature), request.signature.size(),
                      octets(request.digest), request.digest.size()) == 1) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kInternalError, "request", DrainOpensslErrors());
}

struct Cost {
  double microseconds;
  double allocations;
};

// Of one call of `work`, over as many as fill the slice.
template <typename Work>
absl::StatusOr<Cost> Measure(std::chrono::milliseconds slice, const Work& work) {
  // So many between two looks at the clock that looking costs nothing beside them.
  constexpr int kCallsAtOnce = 8;
  const std::uint64_t allocations = AllocationsOfThisThread();
  ASSIGN_OR_RETURN(const TimedCalls timed, TimeCalls(slice, kCallsAtOnce, work));
  return Cost{timed.microseconds,
              static_cast<double>(AllocationsOfThisThread() - allocations) / timed.calls};
}

struct Costs {
  std::vector<double> issuing, floor, allocations, floor_allocations;
};

absl::StatusOr<Costs> MeasureInTurns(const IssuingRoot& root, RequestPool& requests,
                                     const Effort& effort) {
  Costs costs;
  // The first round fills caches and pools, and is not counted.
  for (int round = 0; round <= effort.rounds; ++round) {
    ASSIGN_OR_RETURN(const Cost issue,
                     Measure(effort.slice, [&] { return root.Issue(requests.Next()); }));
    ASSIGN_OR_RETURN(const Cost verify,
                     Measure(effort.slice, [&] { return VerifyBarely(requests.Next()); }));
    ASSIGN_OR_RETURN(const Cost sign, Measure(effort.slice, [&] { return root.SignBarely(); }));
    if (round == 0) continue;
    costs.issuing.push_back(issue.microseconds);
    costs.floor.push_back(verify.microseconds + sign.microseconds);
    costs.allocations.push_back(issue.allocations);
    costs.floor_allocations.push_back(verify.allocations + sign.allocations);
  }
  return costs;
}

std::optional<TargetId> TargetIdOf(KeyType leaf, KeyType root) {
  if (root != KeyType::kEcP256) return std::nullopt;
  if (leaf == KeyType::kEcP256) return TargetId::kLibraryEc;
  if (leaf == KeyType::kRsa2048) return TargetId::kLibraryRsaLeaf;
  return std::nullopt;
}

absl::Status MeasurePair(const NamedType& leaf, const NamedType& root_type, RequestPool& requests,
                         const Effort& effort, Report& report) {
  ASSIGN_OR_RETURN(const IssuingRoot root, IssuingRoot::Create(root_type.type));
  ASSIGN_OR_RETURN(const Costs costs, MeasureInTurns(root, requests, effort));
  const std::string name = absl::StrCat(leaf.name, " leaf, ", root_type.name, " root");
  Figure cpu;
  cpu.section = kSection;
  cpu.name = name;
  cpu.value = Median(costs.issuing);
  cpu.unit = "us";
  cpu.floor = Median(costs.floor);
  cpu.floor_is = "verify and sign";
  cpu.target = TargetIdOf(leaf.type, root_type.type);
  Figure allocations;
  allocations.section = kSection;
  allocations.name = absl::StrCat(name, ": allocations");
  allocations.value = Median(costs.allocations);
  allocations.unit = "allocations";
  allocations.floor = Median(costs.floor_allocations);
  allocations.floor_is = cpu.floor_is;
  report.Add(std::move(cpu));
  report.Add(std::move(allocations));
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureLibrary(const Options& options, Report& report) {
  const Effort& effort = options.quick ? kQuick : kFull;
  for (const NamedType& leaf : kLeafTypes) {
    Progress(absl::StrCat("library: ", leaf.name, " leaves"));
    ASSIGN_OR_RETURN(RequestPool requests, RequestPool::Create(leaf.type, effort.requests));
    for (const NamedType& root : kRootTypes) {
      RETURN_IF_ERROR(MeasurePair(leaf, root, requests, effort, report));
    }
  }
  return absl::OkStatus();
}

}  // namespace hourglass::bench
