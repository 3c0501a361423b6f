#include "hsm/store/software_place.h"

#include <utility>
#include <vector>

#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

const std::string& NameOf(const KeyUri& uri) { return std::get<SoftwareKeyUri>(uri).name; }

class Software final : public KeyPlace {
 public:
  explicit Software(SoftwareFolder folder) : folder_(std::move(folder)) {}

  const std::string& name() const override { return name_; }

  bool Holds(const KeyUri& uri) const override {
    return std::holds_alternative<SoftwareKeyUri>(uri);
  }

  std::optional<KeyUri> UriOf(absl::string_view name) const override {
    return SoftwareKeyUri{std::string(name)};
  }

  absl::StatusOr<KeyUri> Complete(const KeyUri& uri) const override {
    const std::string& directory = std::get<SoftwareKeyUri>(uri).directory;
    if (!directory.empty() && directory != folder_.path()) {
      return UriRefused("the folder is not that of the configuration");
    }
    return uri;
  }

  // Names alone tell keys apart here.
  absl::StatusOr<KeyUri> WithNewId(const KeyUri& uri) const override { return uri; }
  absl::StatusOr<KeyUri> WithId(const KeyUri& uri) override { return uri; }

  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(const KeyUri& uri, KeyType type) override {
    return folder_.Generate(NameOf(uri), type);
  }
  absl::StatusOr<std::unique_ptr<SigningKey>> Open(const KeyUri& uri) override {
    return folder_.Open(NameOf(uri));
  }
  absl::Status Destroy(const KeyUri& uri) override { return folder_.Destroy(NameOf(uri)); }

  KeyStore::Place List() override {
    KeyStore::Place place{name_, "software", absl::OkStatus(), {}};
    const absl::StatusOr<std::vector<std::string>> names = folder_.Names();
    place.status = names.status();
    if (!names.ok()) return place;
    for (const std::string& name : *names) {
      KeyStore::StoredKey stored;
      stored.uri = FormatKeyUri(SoftwareKeyUri{name});
      const absl::StatusOr<std::unique_ptr<SigningKey>> key = folder_.Open(name);
      if (key.ok()) {
        stored.type = (*key)->type();
        stored.public_key = (*key)->public_key();
      } else {
        stored.unfit_because = std::string(key.status().message());
      }
      place.keys.push_back(std::move(stored));
    }
    return place;
  }

  absl::Status MakeReady() override { return absl::OkStatus(); }

  std::optional<CustodianStatus> Status() const override { return std::nullopt; }

 private:
  const std::string name_ = "software:";
  const SoftwareFolder folder_;
};

}  // namespace

std::unique_ptr<KeyPlace> SoftwarePlace(SoftwareFolder folder) {
  return std::make_unique<Software>(std::move(folder));
}

}  // namespace hourglass::hsm
