#include "hsm/store/key_store.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"
#include "hsm/store/custodians.h"
#include "hsm/store/kept_keys.h"
#include "hsm/store/key_place.h"
#include "hsm/store/software_place.h"
#include "hsm/store/token_place.h"
#include "hsm/store/tpm_place.h"

namespace hourglass::hsm {
namespace {

// More sessions than any module was seen to serve well.
constexpr int kMostSessions = 1024;
constexpr int kMostWorkers = 64;

using Places = std::vector<std::unique_ptr<KeyPlace>>;

absl::Status OptionRefused(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kConfigurationInvalid, absl::StrCat("keys.", field), message);
}

// A key and the place that it lives in.
struct Located {
  KeyPlace* place;
  KeyUri uri;
};

class ConfiguredKeyStore final : public KeyStore {
 public:
  ConfiguredKeyStore(Places places, KeyObserver* observer)
      : places_(std::move(places)), kept_(observer) {}

  absl::StatusOr<std::string> DefaultUri(absl::string_view name) const override {
    if (!IsKeyName(name)) {
      return UriRefused("the name must be 1 to 128 of A-Z a-z 0-9 . _ - and not begin with a dot");
    }
    for (const auto& place : places_) {
      if (const auto uri = place->UriOf(name); uri.has_value()) return FormatKeyUri(*uri);
    }
    return UriRefused("the configuration has no place for keys");
  }

  absl::StatusOr<std::string> CanonicalUri(absl::string_view uri) const override {
    ASSIGN_OR_RETURN(const Located key, Locate(uri));
    return FormatKeyUri(key.uri);
  }

  absl::StatusOr<std::string> NewKeyUri(absl::string_view uri) const override {
    ASSIGN_OR_RETURN(const Located key, Locate(uri));
    ASSIGN_OR_RETURN(const KeyUri with_id, key.place->WithNewId(key.uri));
    return FormatKeyUri(with_id);
  }

  absl::StatusOr<std::string> UriWithId(absl::string_view uri) override {
    ASSIGN_OR_RETURN(const Located key, Locate(uri));
    ASSIGN_OR_RETURN(const KeyUri with_id, key.place->WithId(key.uri));
    return FormatKeyUri(with_id);
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(absl::string_view uri,
                                                       KeyType type) override {
    ASSIGN_OR_RETURN(const Located key, Locate(uri));
    ASSIGN_OR_RETURN(std::unique_ptr<SigningKey> made, key.place->Generate(key.uri, type));
    return kept_.Keep(FormatKeyUri(key.uri), std::move(made));
  }

  absl::StatusOr<std::unique_ptr<SigningKey>> Open(absl::string_view uri) override {
    ASSIGN_OR_RETURN(const Located key, Locate(uri));
    ASSIGN_OR_RETURN(std::unique_ptr<SigningKey> opened, key.place->Open(key.uri));
    return kept_.Keep(FormatKeyUri(key.uri), std::move(opened));
  }

  absl::Status Destroy(absl::string_view uri) override {
    ASSIGN_OR_RETURN(const Located key, Locate(uri));
    return key.place->Destroy(key.uri);
  }

  absl::StatusOr<std::vector<StoredKey>> Find(absl::string_view uri) override {
    ASSIGN_OR_RETURN(const Located key, Locate(uri));
    Place place = ListPlace(*key.place);
    RETURN_IF_ERROR(place.status);
    const std::string name = FormatKeyUri(key.uri);
    std::vector<StoredKey> found;
    for (StoredKey& stored : place.keys) {
      if (MayNameOneKey(name, stored.uri)) found.push_back(std::move(stored));
    }
    return found;
  }

  std::vector<Place> List() override {
    std::vector<Place> all;
    for (const auto& place : places_) all.push_back(ListPlace(*place));
    return all;
  }

  absl::Status MakeReady(absl::string_view name) override {
    for (const auto& place : places_) {
      if (place->name() == name) return place->MakeReady();
    }
    return UriRefused("names no place of the configuration");
  }

  std::vector<std::pair<std::string, CustodianStatus>> Status() const override {
    std::vector<std::pair<std::string, CustodianStatus>> all;
    for (const auto& place : places_) {
      if (auto status = place->Status(); status.has_value()) {
        all.emplace_back(place->name(), *std::move(status));
      }
    }
    return all;
  }

 private:
  Place ListPlace(KeyPlace& place) const {
    Place listed = place.List();
    for (StoredKey& key : listed.keys) key.out_of_service = kept_.IsOutOfService(key.public_key);
    return listed;
  }

  absl::StatusOr<Located> Locate(absl::string_view text) const {
    ASSIGN_OR_RETURN(const KeyUri uri, ParseKeyUri(text));
    KeyPlace* found = nullptr;
    for (const auto& place : places_) {
      if (!place->Holds(uri)) continue;
      if (found != nullptr) return UriRefused("several configured tokens match: give the serial");
      found = place.get();
    }
    if (found == nullptr) return UriRefused(NoPlaceFor(uri));
    ASSIGN_OR_RETURN(KeyUri complete, found->Complete(uri));
    return Located{found, std::move(complete)};
  }

  static absl::string_view NoPlaceFor(const KeyUri& uri) {
    if (std::holds_alternative<TokenKeyUri>(uri)) return "names no token of the configuration";
    if (std::holds_alternative<SoftwareKeyUri>(uri)) {
      return "the configuration does not allow software keys";
    }
    return "the configuration does not allow such keys of a TPM";
  }

  const Places places_;
  KeptKeys kept_;
};

absl::Status CheckNumbers(const KeyStoreOptions& options) {
  if (options.sessions_per_token < 1 || options.sessions_per_token > kMostSessions) {
    return OptionRefused("sessions_per_token", absl::StrCat("must be 1 to ", kMostSessions));
  }
  if (options.workers_per_token < 0 || options.workers_per_token > kMostWorkers) {
    return OptionRefused("workers_per_token", absl::StrCat("must be 0 to ", kMostWorkers));
  }
  if (options.hang_timeout <= std::chrono::milliseconds(0)) {
    return OptionRefused("hang_timeout", "must be more than nothing");
  }
  if (!options.keyholder_program.empty() && options.keyholder_program[0] != '/') {
    return OptionRefused("keyholder", "must be an absolute path");
  }
  return absl::OkStatus();
}

absl::Status AddTokens(const KeyStoreOptions& options, Places& places) {
  std::vector<std::string> names;
  for (const std::string& text : options.tokens) {
    const std::string field = absl::StrCat("tokens[", names.size(), "]");
    absl::StatusOr<TokenUri> uri = ParseTokenUri(text);
    if (!uri.ok()) return OptionRefused(field, uri.status().message());
    std::string name = FormatToken(*uri);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return OptionRefused(field, "names the token of another entry");
    }
    names.push_back(std::move(name));
    std::shared_ptr<KeyCustodian> custodian = CustodianOfToken(*uri, options);
    places.push_back(TokenPlace(*std::move(uri), std::move(custodian)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeyStore>> KeyStore::Create(const KeyStoreOptions& options) {
  RETURN_IF_ERROR(CheckNumbers(options));
  Places places;
  RETURN_IF_ERROR(AddTokens(options, places));
  if (options.tpm.has_value()) {
    ASSIGN_OR_RETURN(TpmFaces faces, CustodianOfTpm(*options.tpm, options));
    ASSIGN_OR_RETURN(std::unique_ptr<KeyPlace> tpm, TpmKeyPlace(*options.tpm, std::move(faces)));
    places.push_back(std::move(tpm));
  }
  if (!options.software_directory.empty()) {
    ASSIGN_OR_RETURN(SoftwareFolder folder, SoftwareFolder::Create(options.software_directory));
    places.push_back(SoftwarePlace(std::move(folder)));
  }
  return std::make_unique<ConfiguredKeyStore>(std::move(places), options.observer);
}

}  // namespace hourglass::hsm
