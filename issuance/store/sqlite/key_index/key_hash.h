// Keyed hashes of what the journal finds its records by.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_HASH_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// Secret and random, one a store: whoever chooses request ids must not be able to choose hashes.
struct HashKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

// SipHash-2-4 with 64 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", section 2).
std::uint64_t SipHash(const HashKey& key, absl::string_view octets);

// Of a tenant's request id, and of a tenant's serial number. The same octets never mean both.
std::uint64_t HashOfRequestId(const HashKey& key, absl::string_view tenant_id,
                              absl::string_view request_id);
std::uint64_t HashOfSerialNumber(const HashKey& key, absl::string_view tenant_id,
                                 absl::string_view serial_number);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_HASH_H_
