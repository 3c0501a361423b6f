#include "hsm/pkcs11/token_listing.h"

#include <iterator>

#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/pkcs11/object_reading.h"
#include "hsm/pkcs11/token_objects.h"

namespace hourglass::hsm {
namespace {

using std::chrono::steady_clock;

constexpr int kMostBeginnings = 6;

// That one object cannot be judged must not hide the others; that the token is lost must.
bool IsOfTheKey(const absl::Status& failure) {
  const ErrorReason reason = ReasonOf(failure);
  return reason == ErrorReason::kKeyUnfit || reason == ErrorReason::kKeyUnsupported ||
         reason == ErrorReason::kKeyInvalid;
}

}  // namespace

absl::StatusOr<std::optional<std::vector<KeyListing>>> TokenListing::ReadOn(
    Session& session, std::chrono::nanoseconds budget) {
  const auto deadline = steady_clock::now() + budget;
  if (login_ != session.login) RETURN_IF_ERROR(BeginAnew(session));
  do {
    const absl::StatusOr<bool> more = ReadOne(session);
    if (!more.ok()) {
      login_.reset();
      return more.status();
    }
    if (!*more) return std::make_optional(std::exchange(listings_, {}));
  } while (steady_clock::now() < deadline);
  return std::nullopt;
}

absl::Status TokenListing::BeginAnew(Session& session) {
  if (++beginnings_ > kMostBeginnings) {
    return Error(ErrorReason::kKeyUnavailable, session.field,
                 "has keys that change while they are listed");
  }
  login_ = session.login;
  public_objects_.reset();
  private_objects_.reset();
  read_ = 0;
  public_keys_.clear();
  listings_.clear();
  return absl::OkStatus();
}

absl::StatusOr<bool> TokenListing::ReadOne(Session& session) {
  if (!private_objects_.has_value()) {
    ASSIGN_OR_RETURN(private_objects_, FindAll(session, CKO_PRIVATE_KEY));
    return true;
  }
  if (!public_objects_.has_value()) {
    ASSIGN_OR_RETURN(public_objects_, FindAll(session, CKO_PUBLIC_KEY));
    return true;
  }
  const std::size_t index = read_++;
  if (index < public_objects_->size()) {
    RETURN_IF_ERROR(ReadPublic(session, (*public_objects_)[index]));
    return true;
  }
  const std::size_t of_private = index - public_objects_->size();
  if (of_private >= private_objects_->size()) return false;
  RETURN_IF_ERROR(ReadPrivate(session, (*private_objects_)[of_private]));
  return true;
}

absl::Status TokenListing::ReadPublic(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(KeySelector selector, ReadSelector(session, object));
  absl::StatusOr<std::string> key = ReadPublicKeyObject(session, object);
  if (!key.ok() && !IsOfTheKey(key.status())) return key.status();
  public_keys_.emplace(Name(std::move(selector.label), std::move(selector.id)), std::move(key));
  return absl::OkStatus();
}

absl::Status TokenListing::ReadPrivate(Session& session, CK_OBJECT_HANDLE object) {
  ASSIGN_OR_RETURN(PrivateKeyReading reading, ReadPrivateKey(session, object));
  const Name name(reading.selector.label, reading.selector.id);
  KeyListing listing;
  listing.selector = std::move(reading.selector);
  const absl::Status completed = Complete(name, listing);
  const absl::Status& unfit = reading.fitness.ok() ? completed : reading.fitness;
  listing.unfit_because = std::string(unfit.message());
  listings_.push_back(std::move(listing));
  return absl::OkStatus();
}

absl::Status TokenListing::Complete(const Name& name, KeyListing& listing) const {
  const auto [first, last] = public_keys_.equal_range(name);
  if (first == last) return absl::NotFoundError("there is no public key beside it");
  if (std::next(first) != last) {
    return absl::NotFoundError("there are several public keys beside it");
  }
  RETURN_IF_ERROR(first->second.status());
  listing.public_key = *first->second;
  ASSIGN_OR_RETURN(const EvpPkeyPtr parsed, ParsePublicKey(listing.public_key));
  ASSIGN_OR_RETURN(listing.type, KeyTypeOf(*parsed));
  return absl::OkStatus();
}

}  // namespace hourglass::hsm
