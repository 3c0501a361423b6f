// The newest good key set of a source, and what became of attempts to get a newer one.
#ifndef HOURGLASS_ISSUANCE_TOKENS_KEPT_KEY_SET_H_
#define HOURGLASS_ISSUANCE_TOKENS_KEPT_KEY_SET_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/key_set_source.h"

namespace hourglass::issuance {

// Safe to use from several threads, but for Take.
class KeptKeySet {
 public:
  // `name`: of the source, for messages: a path or a URL without secrets. `news` may be null.
  KeptKeySet(std::string name, KeySetNews news);

  // What was read at `now`, or why it could not be. Whether it is a good set, which is kept then. A
  // text that is the same as before keeps the set that there is, with what its keys remember. By
  // one thread at a time.
  bool Take(const absl::StatusOr<std::string>& text, Timestamp now);

  std::shared_ptr<const KeySet> keys() const;
  KeySetHealth health() const;

 private:
  absl::StatusOr<std::shared_ptr<const KeySet>> Parse(const absl::StatusOr<std::string>& text,
                                                      std::shared_ptr<const KeySet> before);

  const std::string name_;
  const KeySetNews news_;
  std::string digest_;  // of the text of the newest good set; of Take alone
  mutable Mutex mutex_;
  KeySetHealth health_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_KEPT_KEY_SET_H_
