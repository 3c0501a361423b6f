// A key that signs as it should until a test tells it otherwise.
#ifndef HOURGLASS_CA_TESTING_LYING_KEY_H_
#define HOURGLASS_CA_TESTING_LYING_KEY_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/key/signing_key.h"
#include "hsm/key/software_key.h"

namespace hourglass::ca {

// Signs as the key it was given says, until told to sign with another or to answer something else.
// Says of itself what a token would, until told to say that it signs in this process.
class LyingKey : public hsm::SigningKey {
 public:
  explicit LyingKey(std::unique_ptr<hsm::SigningKey> honest) : honest_(std::move(honest)) {}
  hsm::KeyType type() const override { return honest_->type(); }
  const std::string& public_key() const override { return honest_->public_key(); }
  bool signs_in_process() const override {
    return in_process_ ? honest_->signs_in_process() : SigningKey::signs_in_process();
  }
  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    ++signed_;
    if (answer_.has_value()) return *answer_;
    const bool lies = other_ != nullptr && honest_signatures_-- <= 0;
    return lies ? other_->Sign(message) : honest_->Sign(message);
  }
  std::vector<absl::StatusOr<std::string>> SignAll(
      absl::Span<const absl::string_view> messages) override {
    ++calls_;
    auto signatures = SigningKey::SignAll(messages);
    if (drops_one_) signatures.pop_back();
    return signatures;
  }
  void TakeOutOfService() override { in_service_ = false; }
  bool in_service() const { return in_service_; }
  // Messages, and calls of SignAll.
  int signatures() const { return signed_; }
  int calls() const { return calls_; }

  void SignInProcess() { in_process_ = true; }
  void SignWithAnotherKey(int after_honest_signatures = 0) {
    other_ = *hsm::GenerateSoftwareKey(type());
    honest_signatures_ = after_honest_signatures;
  }
  void Answer(absl::StatusOr<std::string> answer) { answer_ = std::move(answer); }
  void DropOne() { drops_one_ = true; }

 private:
  std::unique_ptr<hsm::SigningKey> honest_, other_;
  std::optional<absl::StatusOr<std::string>> answer_;
  int honest_signatures_ = 0, signed_ = 0, calls_ = 0;
  bool in_service_ = true, in_process_ = false, drops_one_ = false;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_LYING_KEY_H_
