// The keys of a custodian, page by page.
#ifndef HOURGLASS_HSM_KEYHOLDER_LISTING_PAGES_H_
#define HOURGLASS_HSM_KEYHOLDER_LISTING_PAGES_H_

#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "hsm/custodian.h"
#include "hsm/keyholder/keyholder.pb.h"

namespace hourglass::hsm {

// Every worker that sees the same keys gives the same pages, so that each may come from another.
// Safe to call from several threads.
class ListingPages {
 public:
  // The page of `request`: of the list that it continues where that was the last one here, and else
  // of what `custodian` lists now. Errors: those of List.
  absl::Status Answer(KeyCustodian& custodian, const keyholder::List& request,
                      keyholder::Reply* reply);

 private:
  // With mutex_ held.
  absl::Status Renew(KeyCustodian& custodian);

  std::mutex mutex_;
  std::vector<keyholder::Listing> listings_;  // guarded by mutex_
  std::string digest_;                        // of listings_; guarded by mutex_
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_LISTING_PAGES_H_
