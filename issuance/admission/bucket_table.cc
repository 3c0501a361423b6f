#include "issuance/admission/bucket_table.h"

#include <algorithm>
#include <bit>
#include <new>

namespace hourglass::issuance {
namespace {

// No asker is 0, which is nobody's.
std::uint64_t NotZero(std::uint64_t asker) { return std::max<std::uint64_t>(asker, 1); }

// Cleared memory from the system costs nothing before it is touched, which a vector would do.
void* Cleared(std::size_t count, std::size_t size) {
  void* const memory = std::calloc(count, size);
  // As `new` would end it: nothing runs without this memory.
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

BucketTable::BucketTable(std::size_t buckets)
    : count_(std::max(std::bit_ceil(buckets) / kBucketsOfAPlace, kMutexes)),
      places_(static_cast<Place*>(Cleared(count_, sizeof(Place)))) {}

BucketTable::Entry* BucketTable::Find(Place& place, std::uint64_t asker) {
  const auto found = std::find_if(place.begin(), place.end(),
                                  [&](const Entry& entry) { return entry.asker == asker; });
  return found == place.end() ? nullptr : &*found;
}

std::optional<std::chrono::microseconds> BucketTable::Take(std::uint64_t asker,
                                                           const BucketShape& shape,
                                                           Timestamp now) {
  asker = NotZero(asker);
  const std::size_t index = IndexOf(asker);
  const MutexLock lock(MutexOf(index));
  Place& place = places_[index];
  Entry* const known = Find(place, asker);
  if (known != nullptr) return known->bucket.Take(shape, now);
  Entry newcomer{asker, TokenBucket()};
  const std::optional<std::chrono::microseconds> refused = newcomer.bucket.Take(shape, now);
  Entry& fullest = *std::min_element(
      place.begin(), place.end(),
      [](const Entry& a, const Entry& b) { return a.bucket.full_at() < b.bucket.full_at(); });
  if (fullest.bucket.full_at() < newcomer.bucket.full_at()) fullest = newcomer;
  return refused;
}

void BucketTable::GiveBack(std::uint64_t asker, const BucketShape& shape) {
  asker = NotZero(asker);
  const std::size_t index = IndexOf(asker);
  const MutexLock lock(MutexOf(index));
  Entry* const known = Find(places_[index], asker);
  if (known != nullptr) known->bucket.GiveBack(shape);
}

}  // namespace hourglass::issuance
