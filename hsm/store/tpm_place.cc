#include "hsm/store/tpm_place.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/custodial_key.h"
#include "hsm/key/key_uri.h"
#include "hsm/tpm/sealed_folder.h"

namespace hourglass::hsm {
namespace {

class Tpm final : public KeyPlace {
 public:
  Tpm(TpmPlace tpm, std::optional<SealedFolder> folder, TpmFaces faces)
      : tpm_(std::move(tpm)), folder_(std::move(folder)), faces_(std::move(faces)) {}

  const std::string& name() const override { return faces_.custodian->name(); }

  bool Holds(const KeyUri& uri) const override {
    return std::holds_alternative<ResidentKeyUri>(uri) ||
           (std::holds_alternative<SealedKeyUri>(uri) && folder_.has_value());
  }

  // Keys that stay in the TPM have numbers, not names.
  std::optional<KeyUri> UriOf(absl::string_view name) const override {
    if (!folder_.has_value()) return std::nullopt;
    return SealedKeyUri{std::string(name)};
  }

  absl::StatusOr<KeyUri> Complete(const KeyUri& uri) const override {
    if (const auto* sealed = std::get_if<SealedKeyUri>(&uri)) {
      RETURN_IF_ERROR(CheckQuery(sealed->tcti, sealed->pin_source));
      if (!sealed->directory.empty() && sealed->directory != folder_->path()) {
        return UriRefused("the folder is not that of the configuration");
      }
      return uri;
    }
    const ResidentKeyUri& resident = std::get<ResidentKeyUri>(uri);
    RETURN_IF_ERROR(CheckQuery(resident.tcti, resident.pin_source));
    return uri;
  }

  // Names alone tell keys apart here.
  absl::StatusOr<KeyUri> WithNewId(const KeyUri& uri) const override { return uri; }
  absl::StatusOr<KeyUri> WithId(const KeyUri& uri) override { return uri; }

  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(const KeyUri& uri, KeyType type) override {
    if (const auto* sealed = std::get_if<SealedKeyUri>(&uri)) {
      return folder_->Generate(sealed->name, type, sealed->registers.value_or(tpm_.registers),
                               *faces_.sealer);
    }
    const KeySelector selector = SelectorOf(uri);
    const std::lock_guard lock(generating_);
    RETURN_IF_ERROR(RefuseExisting(selector));
    ASSIGN_OR_RETURN(CustodialKey key, faces_.custodian->Generate(selector, type));
    return OpenCustodialKey(faces_.custodian, std::move(key));
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Open(const KeyUri& uri) override {
    if (const auto* sealed = std::get_if<SealedKeyUri>(&uri)) return OpenSealed(*sealed);
    ASSIGN_OR_RETURN(CustodialKey key, faces_.custodian->Open(SelectorOf(uri)));
    return OpenCustodialKey(faces_.custodian, std::move(key));
  }

  absl::Status Destroy(const KeyUri& uri) override {
    const auto* sealed = std::get_if<SealedKeyUri>(&uri);
    return sealed != nullptr ? folder_->Destroy(sealed->name)
                             : faces_.custodian->Destroy(SelectorOf(uri));
  }

  KeyStore::Place List() override {
    KeyStore::Place place{name(), "tpm", absl::OkStatus(), {}};
    place.status = ListResident(place.keys);
    if (folder_.has_value()) place.status.Update(ListSealed(place.keys));
    return place;
  }

  absl::Status MakeReady() override { return faces_.custodian->Greet().status(); }

  std::optional<CustodianStatus> Status() const override { return faces_.custodian->Status(); }

 private:
  static KeySelector SelectorOf(const KeyUri& uri) {
    return KeySelector{FormatHandle(std::get<ResidentKeyUri>(uri).handle), ""};
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> OpenSealed(const SealedKeyUri& uri) {
    if (uri.registers.has_value()) {
      ASSIGN_OR_RETURN(const SealedKeyListing about, folder_->Describe(uri.name));
      if (about.registers != *uri.registers) {
        return UriRefused("pcrs are not those that the key is bound to");
      }
    }
    return folder_->Open(uri.name, *faces_.sealer);
  }

  absl::Status ListResident(std::vector<KeyStore::StoredKey>& keys) {
    ASSIGN_OR_RETURN(std::vector<KeyListing> listings, faces_.custodian->List());
    for (KeyListing& listing : listings) {
      KeyStore::StoredKey key;
      key.uri = absl::StrCat("tpm:handle=", listing.selector.label);
      key.type = listing.type;
      key.public_key = std::move(listing.public_key);
      key.unfit_because = std::move(listing.unfit_because);
      keys.push_back(std::move(key));
    }
    return absl::OkStatus();
  }

  absl::Status ListSealed(std::vector<KeyStore::StoredKey>& keys) {
    ASSIGN_OR_RETURN(std::vector<SealedKeyListing> listings, folder_->List());
    for (SealedKeyListing& listing : listings) {
      KeyStore::StoredKey key;
      key.uri = FormatKeyUri(SealedKeyUri{std::move(listing.name)});
      key.type = listing.type;
      key.public_key = std::move(listing.public_key);
      key.unfit_because = std::move(listing.unfit_because);
      keys.push_back(std::move(key));
    }
    return absl::OkStatus();
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
  const std::optional<SealedFolder> folder_;
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
  std::optional<SealedFolder> folder;
  if (!tpm.sealed_directory.empty()) {
    ASSIGN_OR_RETURN(folder,
                     SealedFolder::Create(tpm.sealed_directory, tpm.pin_source.empty()
                                                                    ? SealAuthorization::kNone
                                                                    : SealAuthorization::kPin));
  }
  return std::make_unique<Tpm>(tpm, std::move(folder), std::move(faces));
}

}  // namespace hourglass::hsm
