#include "issuance/tokens/kept_key_set.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"

namespace hourglass::issuance {

KeptKeySet::KeptKeySet(std::string name, KeySetNews news)
    : name_(std::move(name)), news_(std::move(news)) {
  const MutexLock lock(mutex_);
  health_.fault = absl::StrCat(name_, ": was not read yet");
}

absl::StatusOr<std::shared_ptr<const KeySet>> KeptKeySet::Parse(
    const absl::StatusOr<std::string>& text, std::shared_ptr<const KeySet> before) {
  if (!text.ok()) return text.status();
  std::string digest = ca::Sha256(*text);
  if (before != nullptr && digest == digest_) return before;
  absl::StatusOr<std::shared_ptr<const KeySet>> keys = KeySet::Parse(*text);
  if (keys.ok()) digest_ = std::move(digest);
  return keys;
}

bool KeptKeySet::Take(const absl::StatusOr<std::string>& text, Timestamp now) {
  const KeySetHealth before = health();
  KeySetHealth after = before;
  absl::StatusOr<std::shared_ptr<const KeySet>> keys = Parse(text, before.keys);
  if (keys.ok()) {
    after = {"", *std::move(keys), now};
  } else {
    after.fault = absl::StrCat(name_, ": ", keys.status().message());
  }
  {
    const MutexLock lock(mutex_);
    health_ = after;
  }
  const bool is_news = after.keys != before.keys || after.fault != before.fault;
  if (is_news && news_ != nullptr) news_(after);
  return after.fault.empty();
}

std::shared_ptr<const KeySet> KeptKeySet::keys() const {
  const MutexLock lock(mutex_);
  return health_.keys;
}

KeySetHealth KeptKeySet::health() const {
  const MutexLock lock(mutex_);
  return health_;
}

}  // namespace hourglass::issuance
