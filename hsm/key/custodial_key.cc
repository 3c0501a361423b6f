#include "hsm/key/custodial_key.h"

#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/out_of_service.h"
#include "hsm/key/signature.h"

namespace hourglass::hsm {
namespace {

class CustodianSigningKey final : public SigningKey {
 public:
  CustodianSigningKey(std::shared_ptr<KeyCustodian> custodian, CustodialKey key)
      : custodian_(std::move(custodian)), key_(std::move(key)) {}

  KeyType type() const override { return key_.type; }
  const std::string& public_key() const override { return key_.public_key; }

  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    RETURN_IF_ERROR(out_of_service_.Check(custodian_->name()));
    ASSIGN_OR_RETURN(const std::string digest, Digest(key_.type, message));
    return custodian_->SignDigest(key_, digest);
  }

  std::vector<absl::StatusOr<std::string>> SignAll(
      absl::Span<const absl::string_view> messages) override {
    const absl::Status in_service = out_of_service_.Check(custodian_->name());
    if (!in_service.ok()) return {messages.size(), in_service};
    std::vector<std::string> digests;
    digests.reserve(messages.size());
    for (const absl::string_view message : messages) {
      absl::StatusOr<std::string> digest = Digest(key_.type, message);
      // It fails of the machine, never of the message.
      if (!digest.ok()) return {messages.size(), digest.status()};
      digests.push_back(*std::move(digest));
    }
    return custodian_->SignDigests(key_, digests);
  }

  void TakeOutOfService() override { out_of_service_.Set(); }

 private:
  const std::shared_ptr<KeyCustodian> custodian_;
  const CustodialKey key_;
  OutOfService out_of_service_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SigningKey>> OpenCustodialKey(
    std::shared_ptr<KeyCustodian> custodian, CustodialKey key) {
  ASSIGN_OR_RETURN(const VerifyingKey verifier, VerifyingKey::FromPublicKey(key.public_key));
  if (verifier.type() != key.type) {
    return Error(ErrorReason::kKeyMismatch, custodian->name(),
                 "the public key is of another type than the key is said to be");
  }
  auto signing_key = std::make_unique<CustodianSigningKey>(std::move(custodian), std::move(key));
  constexpr absl::string_view kProbe = "hourglass key check";
  ASSIGN_OR_RETURN(const std::string signature, signing_key->Sign(kProbe));
  RETURN_IF_ERROR(verifier.Verify(kProbe, signature));
  return signing_key;
}

}  // namespace hourglass::hsm
