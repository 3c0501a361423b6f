#include "hsm/tpm_place.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/custodial_key.h"
#include "hsm/key_uri.h"

namespace hourglass::hsm {
namespace {

class Tpm final : public KeyPlace {
 public:
  Tpm(TpmPlace tpm, TpmFaces faces) : tpm_(std::move(tpm)), faces_(std::move(faces)) {}

  const std::string& name() const override { return faces_.custodian->name(); }

  bool Holds(const KeyUri& uri) const override {
    return std::holds_alternative<ResidentKeyUri>(uri);
  }

  std::optional<KeyUri> UriOf(absl::string_view) const override { return std::nullopt; }

  absl::StatusOr<KeyUri> Complete(const KeyUri& uri) const override {
    const ResidentKeyUri& key = std::get<ResidentKeyUri>(uri);
    RETURN_IF_ERROR(CheckQuery(key.tcti, key.pin_source));
    return uri;
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(const KeyUri& uri, KeyType type) override {
    const KeySelector selector = SelectorOf(uri);
    const std::lock_guard lock(generating_);
    RETURN_IF_ERROR(RefuseExisting(selector));
    ASSIGN_OR_RETURN(CustodialKey key, faces_.custodian->Generate(selector, type));
    return OpenCustodialKey(faces_.custodian, std::move(key));
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Open(const KeyUri& uri) override {
    ASSIGN_OR_RETURN(CustodialKey key, faces_.custodian->Open(SelectorOf(uri)));
    return OpenCustodialKey(faces_.custodian, std::move(key));
  }

  absl::Status Destroy(const KeyUri& uri) override {
    return faces_.custodian->Destroy(SelectorOf(uri));
  }

  KeyStore::Place List() override {
    KeyStore::Place place{name(), "tpm", absl::OkStatus(), {}};
    absl::StatusOr<std::vector<KeyListing>> listings = faces_.custodian->List();
    place.status = listings.status();
    if (!listings.ok()) return place;
    for (KeyListing& listing : *listings) {
      KeyStore::StoredKey key;
      key.uri = absl::StrCat("tpm:handle=", listing.selector.label);
      key.type = listing.type;
      key.public_key = std::move(listing.public_key);
      key.unfit_because = std::move(listing.unfit_because);
      place.keys.push_back(std::move(key));
    }
    return place;
  }

  std::optional<CustodianStatus> Status() const override { return faces_.custodian->Status(); }

 private:
  static KeySelector SelectorOf(const KeyUri& uri) {
    return KeySelector{FormatHandle(std::get<ResidentKeyUri>(uri).handle), ""};
  }

  absl::Status CheckQuery(const std::string& tcti, const std::string& pin_source) const {
    if ((!tcti.empty() && tcti != tpm_.tcti) ||
        (!pin_source.empty() && pin_source != tpm_.pin_source)) {
      return UriRefused("tcti or pin-source is not that of the configuration");
    }
    return absl::OkStatus();
  }

  // A custodian returns the very key that is there already, as one that it just made.
  absl::Status RefuseExisting(const KeySelector& selector) {
    const absl::Status found = faces_.custodian->Open(selector).status();
    switch (ReasonOf(found)) {
      case ErrorReason::kKeyNotFound:
        return absl::OkStatus();
      case ErrorReason::kKeyUnavailable:
      case ErrorReason::kPinRefused:
        return found;
      default:
        return Error(ErrorReason::kKeyExists, name(),
                     absl::StrCat("holds something at ", selector.label, " already"));
    }
  }

  const TpmPlace tpm_;
  const TpmFaces faces_;
  std::mutex generating_;
};

absl::Status CheckRegisters(const std::vector<int>& registers) {
  const absl::StatusOr<PcrSelection> again = ParsePcrSelection(FormatPcrSelection(registers));
  if (again.ok()) return absl::OkStatus();
  return Error(ErrorReason::kConfigurationInvalid, "keys.tpm.registers",
               "must be numbers from 0 to 23, ascending");
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeyPlace>> TpmKeyPlace(const TpmPlace& tpm, TpmFaces faces) {
  RETURN_IF_ERROR(CheckRegisters(tpm.registers));
  return std::make_unique<Tpm>(tpm, std::move(faces));
}

}  // namespace hourglass::hsm
