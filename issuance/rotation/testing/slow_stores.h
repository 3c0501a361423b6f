// A key store and a store that a test holds up where it likes.
#ifndef HOURGLASS_ISSUANCE_ROTATION_TESTING_SLOW_STORES_H_
#define HOURGLASS_ISSUANCE_ROTATION_TESTING_SLOW_STORES_H_

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/store/key_store.h"
#include "hsm/store/testing/forwarding_key_store.h"
#include "issuance/store/testing/forwarding_store.h"

namespace hourglass::issuance {

// Long enough for any machine; only what is broken waits for it.
inline constexpr std::chrono::seconds kNever(60);

// A point that a thread comes to, and does not pass until it is told to.
class Gate {
 public:
  void Pass() {
    reached_.set_value();
    opened_.get_future().wait();
  }
  bool IsReached() { return reached_.get_future().wait_for(kNever) == std::future_status::ready; }
  void Open() { opened_.set_value(); }

 private:
  std::promise<void> reached_;
  std::promise<void> opened_;
};

// Stands for a token that takes seconds for a key.
class SlowKeyStore : public hsm::ForwardingKeyStore {
 public:
  explicit SlowKeyStore(std::unique_ptr<hsm::KeyStore> keys)
      : ForwardingKeyStore(keys.get()), keys_(std::move(keys)) {}

  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> Generate(absl::string_view uri,
                                                            hsm::KeyType type) override {
    if (Gate* const gate = before_making.exchange(nullptr)) gate->Pass();
    auto key = keys_->Generate(uri, type);
    if (Gate* const gate = after_making.exchange(nullptr)) gate->Pass();
    return key;
  }
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> Open(absl::string_view uri) override {
    auto key = keys_->Open(uri);
    if (Gate* const gate = after_opening.exchange(nullptr)) gate->Pass();
    return key;
  }
  absl::Status Destroy(absl::string_view uri) override {
    if (Gate* const gate = before_destroying.exchange(nullptr)) gate->Pass();
    return keys_->Destroy(uri);
  }

  // The next making, opening or destruction of a key stops here; once.
  std::atomic<Gate*> before_making = nullptr;
  std::atomic<Gate*> after_making = nullptr;
  std::atomic<Gate*> after_opening = nullptr;
  std::atomic<Gate*> before_destroying = nullptr;

 private:
  const std::unique_ptr<hsm::KeyStore> keys_;
};

// Stands for a database that takes long to add a root.
class SlowStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::Status AddRoot(const RootRecord& root) override {
    if (Gate* const gate = before_adding.exchange(nullptr)) gate->Pass();
    const absl::Status failure = TakeError();
    return failure.ok() ? ForwardingStore::AddRoot(root) : failure;
  }

  // The next root is not added, and this is said of it; once.
  void FailToAdd(absl::Status error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
  }

  // The next root that is added stops here; once.
  std::atomic<Gate*> before_adding = nullptr;

 private:
  absl::Status TakeError() {
    const std::lock_guard lock(mutex_);
    return std::exchange(error_, absl::OkStatus());
  }

  std::mutex mutex_;
  absl::Status error_;  // guarded by mutex_
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_TESTING_SLOW_STORES_H_
