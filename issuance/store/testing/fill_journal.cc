#include "issuance/store/testing/fill_journal.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/testing/sample_records.h"

namespace hourglass::issuance {
namespace {

constexpr std::int64_t kGroup = 512;
constexpr std::int64_t kDevices = 5000;

std::string OctetsOf(std::mt19937_64& random, std::size_t size) {
  std::string octets;
  while (octets.size() < size) {
    const std::uint64_t word = random();
    octets.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  octets.resize(size);
  return octets;
}

absl::Status Write(Store& store, const std::vector<JournalWrite>& writes) {
  ASSIGN_OR_RETURN(const std::vector<absl::Status> statuses, store.AppendToJournal(writes));
  for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

}  // namespace

Intent SyntheticIntent(std::int64_t number, absl::string_view tenant_id) {
  // The generator is seeded with few steps, and its first words are as good as any here.
  std::uint64_t state = static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15 + 1;
  const auto next = [&state] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  };
  static const std::string tbs = [] {
    std::mt19937_64 random(2026);
    return OctetsOf(random, 560);
  }();
  Intent intent = SampleIntent(absl::StrFormat("%016x%016x", next(), number), tenant_id);
  const std::int64_t device = number % kDevices;
  intent.device_id = absl::StrCat("device-", device);
  intent.user_id = absl::StrCat("user-id-", device);
  intent.user_upn = absl::StrCat("user", device, "@contoso.example");
  intent.verdict_id = absl::StrFormat("%032x", next());
  intent.intended_at += std::chrono::milliseconds(number);
  intent.verdict_evaluated_at = intent.intended_at;
  intent.not_before = std::chrono::floor<std::chrono::seconds>(intent.intended_at);
  intent.not_after = intent.not_before + std::chrono::hours(1);
  intent.tbs_certificate = absl::StrCat(absl::Hex(next(), absl::kZeroPad16), tbs);
  return intent;
}

Release SyntheticRelease(const Intent& intent) {
  Release release = ReleaseOf(intent);
  static const std::string signature(84, '\x5a');
  release.certificate = absl::StrCat("\x30\x82\x02\x9c", intent.tbs_certificate, signature);
  return release;
}

absl::Status FillJournal(Store& store, absl::string_view tenant_id, std::int64_t count,
                         std::int64_t first) {
  for (std::int64_t done = 0; done < count;) {
    std::vector<JournalWrite> intents, releases;
    for (; done < count && static_cast<std::int64_t>(intents.size()) < kGroup; ++done) {
      Intent intent = SyntheticIntent(first + done, tenant_id);
      releases.push_back(SyntheticRelease(intent));
      intents.push_back(std::move(intent));
    }
    RETURN_IF_ERROR(Write(store, intents));
    RETURN_IF_ERROR(Write(store, releases));
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
