#include "hsm/keyholder/worker/listing_in_parts.h"

#include <optional>
#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {
namespace {

constexpr std::size_t kLargestPage = 128UL * 1024;

}  // namespace

absl::Status ListingInParts::Answer(const keyholder::List& request, keyholder::Reply* reply) {
  const MutexLock lock(mutex_);
  if (!request.continues()) {
    reading_ = begin_();
    begun_ = true;
    keys_.clear();
    given_ = 0;
  }
  if (!begun_) {
    return Error(ErrorReason::kInternalError, "list", "there is no list to continue");
  }
  if (reading_ != nullptr) {
    // No longer than a batch of signatures, which takes turns with it.
    ASSIGN_OR_RETURN(std::optional<std::vector<KeyListing>> keys, reading_->ReadOn(kLongestBatch));
    reply->set_unfinished(true);
    if (!keys.has_value()) return absl::OkStatus();
    reading_.reset();
    keys_ = *std::move(keys);
  }
  std::size_t octets = 0;
  while (given_ < keys_.size() && reply->listings_size() < kMostListings && octets < kLargestPage) {
    keyholder::Listing& listing = *reply->add_listings();
    WriteListing(keys_[given_++], &listing);
    octets += listing.ByteSizeLong();
  }
  begun_ = given_ < keys_.size();
  reply->set_unfinished(begun_);
  return absl::OkStatus();
}

}  // namespace hourglass::hsm
