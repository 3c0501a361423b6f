#include "hsm/store/kept_keys.h"

#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

class KeptKey final : public SigningKey {
 public:
  KeptKey(std::string uri, std::unique_ptr<SigningKey> key, std::shared_ptr<OutOfService> flag,
          KeyObserver* observer)
      : uri_(std::move(uri)), key_(std::move(key)), flag_(std::move(flag)), observer_(observer) {}

  KeyType type() const override { return key_->type(); }
  const std::string& public_key() const override { return key_->public_key(); }
  bool signs_in_process() const override { return key_->signs_in_process(); }

  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    RETURN_IF_ERROR(flag_->Check(uri_));
    absl::StatusOr<std::string> signature = key_->Sign(message);
    Judge(signature);
    return signature;
  }

  std::vector<absl::StatusOr<std::string>> SignAll(
      absl::Span<const absl::string_view> messages) override {
    const absl::Status in_service = flag_->Check(uri_);
    if (!in_service.ok()) return {messages.size(), in_service};
    std::vector<absl::StatusOr<std::string>> signatures = key_->SignAll(messages);
    if (!signatures.empty()) Judge(signatures.front());
    return signatures;
  }

  void TakeOutOfService() override {
    if (flag_->Set() && observer_ != nullptr) observer_->KeyTakenOutOfService(uri_);
  }

 private:
  // A key in this process has only one reason to say so: its octets are not what they were. What a
  // token answered may be right the next time.
  void Judge(const absl::StatusOr<std::string>& signature) {
    if (signature.ok() || !signs_in_process()) return;
    if (ReasonOf(signature.status()) == ErrorReason::kKeyMismatch) TakeOutOfService();
  }

  const std::string uri_;
  const std::unique_ptr<SigningKey> key_;
  const std::shared_ptr<OutOfService> flag_;
  KeyObserver* const observer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SigningKey>> KeptKeys::Keep(std::string uri,
                                                           std::unique_ptr<SigningKey> key) {
  std::shared_ptr<OutOfService> flag;
  {
    const MutexLock lock(mutex_);
    std::shared_ptr<OutOfService>& known = flags_[key->public_key()];
    if (known == nullptr) known = std::make_shared<OutOfService>();
    flag = known;
  }
  RETURN_IF_ERROR(flag->Check(uri));
  return std::make_unique<KeptKey>(std::move(uri), std::move(key), std::move(flag), observer_);
}

bool KeptKeys::IsOutOfService(absl::string_view public_key) const {
  const MutexLock lock(mutex_);
  const auto found = flags_.find(public_key);
  return found != flags_.end() && found->second->IsSet();
}

}  // namespace hourglass::hsm
