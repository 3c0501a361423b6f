// Which keys a change of this process is working with.
#ifndef HOURGLASS_ISSUANCE_ROTATION_KEY_CLAIMS_H_
#define HOURGLASS_ISSUANCE_ROTATION_KEY_CLAIMS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"

namespace hourglass::issuance {

// Between the moment at which a key is found to be free and the moment at which the store knows
// whose it is, nobody else may destroy it or make a root of it. Nobody waits for a claim: tokens
// are slow, and who comes second is told so. Safe to call from several threads.
class KeyClaims {
 public:
  // Ends with its object. Must not outlive the KeyClaims.
  class Claim {
   public:
    Claim() = default;
    ~Claim() { Release(); }
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&& other) noexcept;

    // Claims what the key turned out to be, too, whatever its name. Errors: KEY_IN_USE.
    absl::Status ClaimPublicKey(absl::string_view public_key);
    void Release();

   private:
    friend class KeyClaims;
    KeyClaims* claims_ = nullptr;
    std::vector<std::string> claimed_;
  };

  // `key_uri` is canonical; it counts without its id. Errors: KEY_IN_USE with field `key_uri` where
  // another claim has it.
  absl::StatusOr<Claim> ClaimName(absl::string_view key_uri);

 private:
  absl::Status Take(std::string what, Claim& claim);

  Mutex mutex_;
  std::set<std::string> claimed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_KEY_CLAIMS_H_
