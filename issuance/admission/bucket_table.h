// Token buckets of any number of askers, in memory that does not grow.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_BUCKET_TABLE_H_
#define HOURGLASS_ISSUANCE_ADMISSION_BUCKET_TABLE_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "hsm/base/mutex.h"
#include "issuance/admission/token_bucket.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// Askers are told apart by a hash alone, which whoever asks must not be able to choose. Every one
// has a full bucket at first. Where more are remembered than there is room for, of the eight or so
// that share a place the one whose bucket is fullest is forgotten, be it the newcomer: so no number
// of others makes the table forget one that loops, as long as each of these asks less than he does.
// Who is forgotten has a full bucket again.
//
// Safe to call from several threads; those that ask for different places seldom wait for each
// other.
class BucketTable {
 public:
  // Room for `buckets`, rounded up to a power of two and at least 512: 16 octets each, which the
  // machine gives when they are used first.
  explicit BucketTable(std::size_t buckets);
  BucketTable(const BucketTable&) = delete;
  BucketTable& operator=(const BucketTable&) = delete;

  // TokenBucket::Take of the asker's bucket. Where `shape` is another than before, what was taken
  // counts by how long it takes to fill.
  std::optional<std::chrono::microseconds> Take(std::uint64_t asker, const BucketShape& shape,
                                                Timestamp now);
  // Puts back the token that was just taken.
  void GiveBack(std::uint64_t asker, const BucketShape& shape);

 private:
  static constexpr std::size_t kBucketsOfAPlace = 8;
  static constexpr std::size_t kMutexes = 64;

  // All octets zero: nobody's.
  struct Entry {
    std::uint64_t asker;  // not 0
    TokenBucket bucket;
  };
  using Place = std::array<Entry, kBucketsOfAPlace>;
  struct Free {
    void operator()(Place* places) const { std::free(places); }
  };
  struct alignas(64) PaddedMutex {
    Mutex mutex;
  };

  std::size_t IndexOf(std::uint64_t asker) const { return asker & (count_ - 1); }
  Mutex& MutexOf(std::size_t index) { return mutexes_[index % kMutexes].mutex; }
  static Entry* Find(Place& place, std::uint64_t asker);

  const std::size_t count_;  // of places, a power of two
  // Place i is guarded by MutexOf(i).
  const std::unique_ptr<Place[], Free> places_;
  std::array<PaddedMutex, kMutexes> mutexes_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_BUCKET_TABLE_H_
