#include "hsm/keyholder/listing_pages.h"

#include <openssl/evp.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/protocol.h"

namespace hourglass::hsm {
namespace {

constexpr size_t kLargestPage = 128UL * 1024;
constexpr size_t kDigestSize = 32;

// Tokens list in any order, and in each process in another.
bool Before(const KeyListing& one, const KeyListing& other) {
  const auto rank = [](const KeyListing& key) {
    return std::tie(key.selector.label, key.selector.id, key.public_key, key.unfit_because);
  };
  return rank(one) < rank(other);
}

absl::StatusOr<std::string> DigestOf(const std::vector<keyholder::Listing>& listings) {
  const EvpMdCtxPtr hash(EVP_MD_CTX_new());
  bool hashed = hash != nullptr && EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) == 1;
  for (const keyholder::Listing& listing : listings) {
    const std::string octets = listing.SerializeAsString();
    const std::string framed = absl::StrCat(octets.size(), ":", octets);
    hashed = hashed && EVP_DigestUpdate(hash.get(), framed.data(), framed.size()) == 1;
  }
  std::string digest(kDigestSize, '\0');
  auto* const octets = reinterpret_cast<unsigned char*>(digest.data());
  if (hashed && EVP_DigestFinal_ex(hash.get(), octets, nullptr) == 1) return digest;
  return Error(ErrorReason::kInternalError, "list", DrainOpensslErrors());
}

}  // namespace

absl::Status ListingPages::Answer(KeyCustodian& custodian, const keyholder::List& request,
                                  keyholder::Reply* reply) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool continues = request.from() > 0 && request.digest() == digest_;
  if (!continues) RETURN_IF_ERROR(Renew(custodian));
  size_t octets = 0;
  size_t next = std::min<size_t>(request.from(), listings_.size());
  while (next < listings_.size() && reply->listings_size() < kMostListings &&
         octets < kLargestPage) {
    *reply->add_listings() = listings_[next++];
    octets += reply->listings(reply->listings_size() - 1).ByteSizeLong();
  }
  reply->set_more_listings(next < listings_.size());
  reply->set_list_digest(digest_);
  return absl::OkStatus();
}

absl::Status ListingPages::Renew(KeyCustodian& custodian) {
  ASSIGN_OR_RETURN(std::vector<KeyListing> keys, custodian.List());
  std::sort(keys.begin(), keys.end(), Before);
  listings_.clear();
  for (const KeyListing& key : keys) WriteListing(key, &listings_.emplace_back());
  ASSIGN_OR_RETURN(digest_, DigestOf(listings_));
  return absl::OkStatus();
}

}  // namespace hourglass::hsm
