#include "tests/chaos/seeded_fault.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"

namespace hourglass::chaos {
namespace {

constexpr std::array kFaults = {SeededFault::kNone, SeededFault::kNoFence, SeededFault::kNoLock,
                                SeededFault::kNoIdempotency};

// In statements that contain `in`, `from` is replaced. `in` is said in words that stay when the
// rest of the statement changes, so that this is noticed.
struct Replacement {
  SeededFault fault;
  absl::string_view in;
  absl::string_view from;
  absl::string_view to;
};

constexpr Replacement kReplacements[] = {
    {SeededFault::kNoFence, "pg_advisory_xact_lock_shared", "pg_advisory_xact_lock_shared(",
     "abs("},
    {SeededFault::kNoFence, "INSERT INTO intents ", "epoch = $2 AND primary_root = $3",
     "epoch >= $2 AND $3 IS NOT NULL"},
    {SeededFault::kNoFence, "INSERT INTO releases ", "t.epoch = $3", "t.epoch >= $3"},
    {SeededFault::kNoLock, "pg_advisory_xact_lock_shared", "pg_advisory_xact_lock_shared(", "abs("},
    // Sleeps after the statement's snapshot, by which it reads the epoch.
    {SeededFault::kNoLock, "INSERT INTO releases ", "FROM tenants t ",
     "FROM (SELECT pg_sleep(0.1)) AS pause CROSS JOIN tenants t "},
};

}  // namespace

absl::string_view SeededFaultName(SeededFault fault) {
  switch (fault) {
    case SeededFault::kNone:
      return "none";
    case SeededFault::kNoFence:
      return "no-fence";
    case SeededFault::kNoLock:
      return "no-lock";
    case SeededFault::kNoIdempotency:
      return "no-idempotency";
  }
  return "none";
}

std::optional<SeededFault> SeededFaultOfName(absl::string_view name) {
  for (const SeededFault fault : kFaults) {
    if (SeededFaultName(fault) == name) return fault;
  }
  return std::nullopt;
}

std::string WithFault(SeededFault fault, absl::string_view sql) {
  std::string changed(sql);
  for (const Replacement& replacement : kReplacements) {
    if (replacement.fault != fault || !absl::StrContains(changed, replacement.in)) continue;
    if (absl::StrReplaceAll({{replacement.from, replacement.to}}, &changed) == 0) return "";
  }
  return changed;
}

}  // namespace hourglass::chaos
