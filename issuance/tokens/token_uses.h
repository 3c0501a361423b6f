// Which tokens were used, and for what: a token that somebody took down is of no use to him.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TOKEN_USES_H_
#define HOURGLASS_ISSUANCE_TOKENS_TOKEN_USES_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// Whether a token may be used for more than one request (docs/decisions/
// 0034-our-own-reader-of-tokens.md).
enum class TokenReuse {
  kNever,       // for one request, and repeats of it
  kSameCaller,  // for any request of the caller who used it first, until it expires
};

struct TokenUseOptions {
  TokenReuse reuse = TokenReuse::kNever;
  // Tokens that are remembered at once, of some 200 octets each; more are refused until some have
  // expired.
  std::size_t capacity = 250'000;
};

// A token that is about to be used. Its id is unique among those of its issuer.
struct TokenUse {
  absl::string_view issuer;
  absl::string_view token_id;
  absl::string_view caller;      // by what the caller is told from others
  absl::string_view request_id;  // what a repeat of the request has, too
  std::chrono::sys_seconds accepted_until;
};

// The tokens of one tenant that this process has seen and that have not expired: no other tenant's
// can push them out. Knows nothing of other processes, nor of what was before it started. Safe to
// use from several threads.
class TokenUses {
 public:
  explicit TokenUses(const TokenUseOptions& options) : options_(options) {}

  // Notes the use of a token that has passed everything else. OK where it was not used yet, or may
  // be used again. Errors, all TokenError: kReplayed, kUsedByAnotherCaller, kTooManyTokens where
  // there is no room to note it. `now` must not be much less than it was.
  absl::Status Note(const TokenUse& use, Timestamp now);

  // Tokens that are remembered, some of them expired. At most the capacity.
  std::size_t size() const;

 private:
  using Digest = std::array<char, 32>;
  using Minute = std::chrono::sys_time<std::chrono::minutes>;

  struct Entry {
    Digest caller;
    Digest request_id;
  };

  void Forget(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static Digest DigestOf(absl::string_view text);

  const TokenUseOptions options_;
  mutable Mutex mutex_;
  absl::flat_hash_map<Digest, Entry> entries_ ABSL_GUARDED_BY(mutex_);  // by issuer and token id
  // When which of them may be forgotten: at the beginning of the minute.
  std::map<Minute, std::vector<Digest>> ends_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TOKEN_USES_H_
