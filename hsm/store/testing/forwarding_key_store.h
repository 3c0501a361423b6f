// A store of keys that does what another does, for tests that change some of it.
#ifndef HOURGLASS_HSM_STORE_TESTING_FORWARDING_KEY_STORE_H_
#define HOURGLASS_HSM_STORE_TESTING_FORWARDING_KEY_STORE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/store/key_store.h"

namespace hourglass::hsm {

// Each call is one of the same to `keys`, and as safe to make from several threads.
class ForwardingKeyStore : public KeyStore {
 public:
  // `keys` must outlive the calls.
  explicit ForwardingKeyStore(KeyStore* keys) : keys_(keys) {}

  absl::StatusOr<std::string> DefaultUri(absl::string_view name) const override {
    return keys_->DefaultUri(name);
  }
  absl::StatusOr<std::string> CanonicalUri(absl::string_view uri) const override {
    return keys_->CanonicalUri(uri);
  }
  absl::StatusOr<std::string> NewKeyUri(absl::string_view uri) const override {
    return keys_->NewKeyUri(uri);
  }
  absl::StatusOr<std::string> UriWithId(absl::string_view uri) override {
    return keys_->UriWithId(uri);
  }
  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(absl::string_view uri,
                                                       KeyType type) override {
    return keys_->Generate(uri, type);
  }
  absl::StatusOr<std::unique_ptr<SigningKey>> Open(absl::string_view uri) override {
    return keys_->Open(uri);
  }
  absl::Status Destroy(absl::string_view uri) override { return keys_->Destroy(uri); }
  absl::StatusOr<std::vector<StoredKey>> Find(absl::string_view uri) override {
    return keys_->Find(uri);
  }
  std::vector<Place> List() override { return keys_->List(); }
  absl::Status MakeReady(absl::string_view place) override { return keys_->MakeReady(place); }
  std::vector<std::pair<std::string, CustodianStatus>> Status() const override {
    return keys_->Status();
  }

 private:
  KeyStore* const keys_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_TESTING_FORWARDING_KEY_STORE_H_
