// Where the keys of an issuer come from.
#ifndef HOURGLASS_ISSUANCE_TOKENS_KEY_SET_SOURCE_H_
#define HOURGLASS_ISSUANCE_TOKENS_KEY_SET_SOURCE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "issuance/base/clock.h"
#include "issuance/tokens/key_set.h"

namespace hourglass::issuance {

// How a source is doing.
struct KeySetHealth {
  // Why the newest attempt to read failed, after the source's name, and without a secret; the set
  // before it stays in use then. Empty: it did not fail.
  std::string fault;
  std::shared_ptr<const KeySet> keys;  // the newest good set; null until there is one
  std::optional<Timestamp> read_at;    // when that was read, or last found unchanged
};

// Called after an attempt that told something new: another set, a failure after a success or the
// other way round, a failure of another kind. By one thread at a time; must not call the source.
using KeySetNews = std::function<void(const KeySetHealth& health)>;

// Safe to use from several threads.
class KeySetSource {
 public:
  virtual ~KeySetSource() = default;

  // The newest good set, and null where there was none yet. Never waits for a network.
  virtual std::shared_ptr<const KeySet> Get() = 0;

  // To be told when a token names a key that the set of Get() does not have: the issuer may have
  // a new one. Costs nothing, however often.
  virtual void KeyIsUnknown() = 0;

  virtual KeySetHealth Health() const = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_KEY_SET_SOURCE_H_
