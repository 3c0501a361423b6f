// The list of a worker's keys, part by part.
#ifndef HOURGLASS_HSM_KEYHOLDER_WORKER_LISTING_IN_PARTS_H_
#define HOURGLASS_HSM_KEYHOLDER_WORKER_LISTING_IN_PARTS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "hsm/base/mutex.h"
#include "hsm/key/custodian.h"
#include "hsm/key/keys_in_parts.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"

namespace hourglass::hsm {

// One list at a time: one that begins ends the one before. Safe to call from several threads.
class ListingInParts {
 public:
  explicit ListingInParts(std::function<std::unique_ptr<KeysInParts>()> begin)
      : begin_(std::move(begin)) {}

  // Reads on for some milliseconds, or hands out what was read; the reply is unfinished while there
  // is more of either. Errors: those of KeysInParts::ReadOn; INTERNAL_ERROR where there is none to
  // continue.
  absl::Status Answer(const keyholder::List& request, keyholder::Reply* reply);

 private:
  const std::function<std::unique_ptr<KeysInParts>()> begin_;
  Mutex mutex_;
  std::unique_ptr<KeysInParts> reading_ ABSL_GUARDED_BY(mutex_);  // not yet all
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<KeyListing> keys_ ABSL_GUARDED_BY(mutex_);
  std::size_t given_ ABSL_GUARDED_BY(mutex_) = 0;  // of keys_
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_WORKER_LISTING_IN_PARTS_H_
