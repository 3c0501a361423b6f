#include "tools/bench/access/token_costs.h"

#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/access/access_benchmark.h"
#include "tools/bench/access/sample_tokens.h"
#include "tools/bench/cost/thread_cost.h"

namespace hourglass::bench {
namespace {

constexpr int kManyGroups = 200;

absl::Status MeasureWith(int groups, bool quick, Report& report) {
  ASSIGN_OR_RETURN(SampleTokens tokens, SampleTokens::Make(quick ? 4 : 256, groups));
  const CostEffort effort = quick ? CostEffort{1, std::chrono::milliseconds(5)}
                                  : CostEffort{11, std::chrono::milliseconds(60)};
  ASSIGN_OR_RETURN(const CostBesideFloor cost, MeasureBesideFloor(
                                                   effort, [&] { return tokens.CheckNext(); },
                                                   [&] { return tokens.VerifyNextBarely(); }));
  Figure figure = {
      .section = kAccessSection,
      .name = "access token, RS256, 2048 bits: checked",
      .value = cost.cost,
      .unit = "us",
      .floor = cost.floor,
      .floor_is = absl::StrCat("hash of ", tokens.token_size(), " octets and RSA verification")};
  if (groups == 0) {
    figure.target = TargetId::kTokenCheck;
  } else {
    absl::StrAppend(&figure.name, ", with ", groups, " groups");
  }
  report.Add(std::move(figure));
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureTokenChecks(bool quick, Report& report) {
  RETURN_IF_ERROR(MeasureWith(0, quick, report));
  return MeasureWith(kManyGroups, quick, report);
}

}  // namespace hourglass::bench
