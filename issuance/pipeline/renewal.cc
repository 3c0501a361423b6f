#include "issuance/pipeline/renewal.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;

// FNV-1a, 64 bits, and the last step of MurmurHash3, without which ids that differ in their last
// digits only would stand close together. No secret depends on it, and it costs a tenth of a
// microsecond.
std::uint64_t Mixed(std::uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdu;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53u;
  return hash ^ (hash >> 33);
}

std::uint64_t HashOf(const Intent& intent) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto take = [&hash](absl::string_view octets) {
    for (const char octet : octets) {
      hash = (hash ^ static_cast<unsigned char>(octet)) * 0x100000001b3u;
    }
  };
  for (const std::string* field : {&intent.tenant_id, &intent.user_id, &intent.device_id}) {
    take(*field);
    // In none of the three, so that they do not run together.
    take(absl::string_view("\0", 1));
  }
  return Mixed(hash);
}

// Five eighths of the certificate's whole life, in minutes so that it is the same for every
// certificate of a profile, however long a request was under way.
microseconds PeriodOf(const Intent& intent) {
  const auto life = std::chrono::round<std::chrono::minutes>(intent.not_after - intent.intended_at);
  return microseconds(std::max(life, std::chrono::minutes(1))) * 5 / 8;
}

}  // namespace

Timestamp RenewAfter(Timestamp now, const Intent& intent) {
  const microseconds left = intent.not_after - now;
  const Timestamp earliest = now + left / 8;
  const Timestamp latest = now + left * 3 / 4;
  const microseconds period = PeriodOf(intent);
  const microseconds own(HashOf(intent) % static_cast<std::uint64_t>(period.count()));
  const microseconds since_own = (earliest.time_since_epoch() - own) % period;
  const Timestamp moment = since_own.count() == 0 ? earliest : earliest + (period - since_own);
  return std::min(moment, latest);
}

}  // namespace hourglass::issuance
