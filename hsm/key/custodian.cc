#include "hsm/key/custodian.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hourglass::hsm {
namespace {

constexpr char kNewCustodianPayload[] = "hourglass/needs-new-custodian";
constexpr char kRetryDelayPayload[] = "hourglass/retry-delay-ms";

}  // namespace

absl::string_view CustodianStateName(CustodianStatus::State state) {
  switch (state) {
    case CustodianStatus::State::kUnused:
      return "unused";
    case CustodianStatus::State::kHealthy:
      return "healthy";
    case CustodianStatus::State::kRecovering:
      return "recovering";
    case CustodianStatus::State::kFailed:
      return "failed";
  }
  return "failed";
}

std::vector<absl::StatusOr<std::string>> KeyCustodian::SignDigests(
    const CustodialKey& key, absl::Span<const std::string> digests) {
  std::vector<absl::StatusOr<std::string>> signatures;
  signatures.reserve(digests.size());
  for (const std::string& digest : digests) signatures.push_back(SignDigest(key, digest));
  return signatures;
}

absl::Status NeedingNewCustodian(absl::Status status) {
  status.SetPayload(kNewCustodianPayload, absl::Cord());
  return status;
}

bool NeedsNewCustodian(const absl::Status& status) {
  return status.GetPayload(kNewCustodianPayload).has_value();
}

absl::Status WithRetryDelay(absl::Status status, std::chrono::milliseconds delay) {
  status.SetPayload(kRetryDelayPayload, absl::Cord(absl::StrCat(delay.count())));
  return status;
}

std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryDelayPayload);
  std::int64_t milliseconds = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &milliseconds)) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(milliseconds);
}

}  // namespace hourglass::hsm
