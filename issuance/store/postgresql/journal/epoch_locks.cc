#include "issuance/store/postgresql/journal/epoch_locks.h"

#include <cstdint>
#include <set>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "issuance/store/postgresql/engine/fence.h"

namespace hourglass::issuance::postgresql {
namespace {

// In the order of the array.
constexpr absl::string_view kHoldEpochs =
    "SELECT pg_advisory_xact_lock_shared(key) FROM unnest($1::text::bigint[]) AS key";

}  // namespace

EpochLocks::EpochLocks(absl::Span<const JournalWrite> writes) {
  std::set<std::int64_t> keys;
  for (const JournalWrite& write : writes) keys.insert(FenceKey(TenantOf(write)));
  only_key_ = *keys.begin();
  if (keys.size() > 1) several_keys_ = absl::StrCat("{", absl::StrJoin(keys, ","), "}");
}

Statement EpochLocks::Taking() const {
  if (several_keys_.empty()) return {kHoldEpoch, {only_key_}};
  return {kHoldEpochs, {Text{several_keys_}}};
}

absl::string_view TenantOf(const JournalWrite& write) {
  return std::visit([](const auto& record) -> absl::string_view { return record.tenant_id; },
                    write);
}

absl::string_view RequestOf(const JournalWrite& write) {
  return std::visit([](const auto& record) -> absl::string_view { return record.request_id; },
                    write);
}

}  // namespace hourglass::issuance::postgresql
