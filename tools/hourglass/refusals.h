// The verbs of `journal` that are about refusals.
#ifndef HOURGLASS_TOOLS_HOURGLASS_REFUSALS_H_
#define HOURGLASS_TOOLS_HOURGLASS_REFUSALS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {

struct RefusalOptions {
  std::string tenant;
  std::string device;  // may be empty, as the next
  std::string user;
  std::string verdict;
  std::uint32_t limit = 100;
};

absl::StatusOr<Answer> ListRefusals(const RefusalOptions& options, const Session& session);
absl::StatusOr<Answer> ShowRefusal(const RefusalOptions& options, const Session& session);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_REFUSALS_H_
