#include "hsm/store/token_place.h"

#include <openssl/rand.h>

#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/custodial_key.h"

namespace hourglass::hsm {
namespace {

constexpr size_t kNewIdSize = 16;

KeySelector SelectorOf(const KeyUri& uri) {
  const TokenKeyUri& key = std::get<TokenKeyUri>(uri);
  return KeySelector{key.object, key.id};
}

class Token final : public KeyPlace {
 public:
  Token(TokenUri token, std::shared_ptr<KeyCustodian> custodian)
      : token_(std::move(token)), name_(FormatToken(token_)), custodian_(std::move(custodian)) {}

  const std::string& name() const override { return name_; }

  bool Holds(const KeyUri& uri) const override {
    const auto* key = std::get_if<TokenKeyUri>(&uri);
    return key != nullptr && key->token_label == token_.label &&
           (key->token_serial.empty() || key->token_serial == token_.serial);
  }

  std::optional<KeyUri> UriOf(absl::string_view name) const override {
    return TokenKeyUri{token_.label, token_.serial, std::string(name), "", "", ""};
  }

  absl::StatusOr<KeyUri> Complete(const KeyUri& uri) const override {
    TokenKeyUri key = std::get<TokenKeyUri>(uri);
    if ((!key.module_path.empty() && key.module_path != token_.module_path) ||
        (!key.pin_source.empty() && key.pin_source != FormatPinSource(token_.pin_source))) {
      return UriRefused("module-path or pin-source is not that of the configuration");
    }
    // Whether the serial number was given or not, it is the same key.
    key.token_serial = token_.serial;
    return key;
  }

  absl::StatusOr<KeyUri> WithNewId(const KeyUri& uri) const override {
    TokenKeyUri key = std::get<TokenKeyUri>(uri);
    if (!key.id.empty()) return key;
    key.id.resize(kNewIdSize);
    if (RAND_bytes(reinterpret_cast<unsigned char*>(key.id.data()), kNewIdSize) != 1) {
      return Error(ErrorReason::kInternalError, custodian_->name(), DrainOpensslErrors());
    }
    return key;
  }

  absl::StatusOr<KeyUri> WithId(const KeyUri& uri) override {
    TokenKeyUri key = std::get<TokenKeyUri>(uri);
    ASSIGN_OR_RETURN(const CustodialKey found, custodian_->Open(SelectorOf(uri)));
    key.id = found.selector.id;
    return key;
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(const KeyUri& uri, KeyType type) override {
    // The id is chosen here, so that a custodian that lost its process halfway finds its own key.
    ASSIGN_OR_RETURN(const KeyUri with_id, WithNewId(uri));
    // One at a time: two that find each other's new key would both give up.
    const std::lock_guard lock(generating_);
    if (!std::get<TokenKeyUri>(uri).id.empty()) RETURN_IF_ERROR(RefuseExisting(SelectorOf(uri)));
    ASSIGN_OR_RETURN(CustodialKey key, custodian_->Generate(SelectorOf(with_id), type));
    return OpenCustodialKey(custodian_, std::move(key));
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Open(const KeyUri& uri) override {
    ASSIGN_OR_RETURN(CustodialKey key, custodian_->Open(SelectorOf(uri)));
    return OpenCustodialKey(custodian_, std::move(key));
  }

  absl::Status Destroy(const KeyUri& uri) override { return custodian_->Destroy(SelectorOf(uri)); }

  KeyStore::Place List() override {
    KeyStore::Place place{name_, "pkcs11", absl::OkStatus(), {}};
    absl::StatusOr<std::vector<KeyListing>> listings = custodian_->List();
    if (!listings.ok()) {
      place.status = listings.status();
      return place;
    }
    for (KeyListing& listing : *listings) place.keys.push_back(Stored(std::move(listing)));
    return place;
  }

  absl::Status MakeReady() override { return custodian_->Greet().status(); }

  std::optional<CustodianStatus> Status() const override { return custodian_->Status(); }

 private:
  // A custodian returns the very key that is there already, as one that it just made.
  absl::Status RefuseExisting(const KeySelector& selector) {
    const absl::Status found = custodian_->Open(selector).status();
    switch (ReasonOf(found)) {
      case ErrorReason::kKeyNotFound:
        return absl::OkStatus();
      case ErrorReason::kKeyUnavailable:
      case ErrorReason::kPinRefused:
        return found;
      default:
        return Error(ErrorReason::kKeyExists, custodian_->name(),
                     absl::StrCat("holds a key ", selector.label, " already"));
    }
  }

  KeyStore::StoredKey Stored(KeyListing listing) const {
    KeyStore::StoredKey key;
    key.uri = FormatKeyUri(TokenKeyUri{token_.label, token_.serial, listing.selector.label,
                                       listing.selector.id, "", ""});
    key.type = listing.type;
    key.public_key = std::move(listing.public_key);
    key.unfit_because = std::move(listing.unfit_because);
    if (key.unfit_because.empty() && !IsKeyName(listing.selector.label)) {
      key.unfit_because = "its label is none of 1 to 128 of A-Z a-z 0-9 . _ -";
    }
    return key;
  }

  const TokenUri token_;
  const std::string name_;
  const std::shared_ptr<KeyCustodian> custodian_;
  std::mutex generating_;
};

}  // namespace

std::unique_ptr<KeyPlace> TokenPlace(TokenUri token, std::shared_ptr<KeyCustodian> custodian) {
  return std::make_unique<Token>(std::move(token), std::move(custodian));
}

}  // namespace hourglass::hsm
