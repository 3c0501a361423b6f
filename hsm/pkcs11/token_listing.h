// What keys a token holds.
#ifndef HOURGLASS_HSM_PKCS11_TOKEN_LISTING_H_
#define HOURGLASS_HSM_PKCS11_TOKEN_LISTING_H_

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// Reads every private key, in no order, with the public key of the one object of its label and id,
// and what is wrong with it. Each object is read once, in two calls of the module at most where it
// is private and three where it is public. For one thread at a time.
class TokenListing {
 public:
  // Reads on for about `budget`: the search for all objects of a class, or at least one object, is
  // never cut. Nothing while there is more to read, then all keys. After an error, and in a session
  // of another login, the next call begins anew; KEY_UNAVAILABLE where that happens too often.
  absl::StatusOr<std::optional<std::vector<KeyListing>>> ReadOn(Session& session,
                                                                std::chrono::nanoseconds budget);

 private:
  // By label and id.
  using Name = std::pair<std::string, std::string>;
  using PublicKeys = std::multimap<Name, absl::StatusOr<std::string>>;

  absl::Status BeginAnew(Session& session);
  // False once there is nothing more to read.
  absl::StatusOr<bool> ReadOne(Session& session);
  absl::Status ReadPublic(Session& session, CK_OBJECT_HANDLE object);
  absl::Status ReadPrivate(Session& session, CK_OBJECT_HANDLE object);
  // Sets public key and type, or says why there is none.
  absl::Status Complete(const Name& name, KeyListing& listing) const;

  int beginnings_ = 0;
  std::optional<std::uint64_t> login_;  // whose handles these are
  std::optional<std::vector<CK_OBJECT_HANDLE>> public_objects_;
  std::optional<std::vector<CK_OBJECT_HANDLE>> private_objects_;
  std::size_t read_ = 0;  // of both, the public ones first
  PublicKeys public_keys_;
  std::vector<KeyListing> listings_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_TOKEN_LISTING_H_
