// A device with a key of its own, in software.
#ifndef HOURGLASS_TESTS_SUPPORT_DEVICE_SIGNER_H_
#define HOURGLASS_TESTS_SUPPORT_DEVICE_SIGNER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "hourglass/v1/issuance.pb.h"
#include "hsm/base/openssl.h"
#include "issuance/base/clock.h"
#include "issuance/device_keys/statements.h"

namespace hourglass {

// A new P-256 key. Ends the process where OpenSSL fails.
class DeviceSigner {
 public:
  DeviceSigner();

  // SubjectPublicKeyInfo, DER.
  const std::string& public_key() const { return public_key_; }

  // At the second of `now`, with a nonce that no other proof of this process has.
  v1::DeviceProof Prove(const issuance::DeviceQuestion& question, issuance::Timestamp now) const;
  // Of this key.
  v1::DeviceProof Enrol(absl::string_view tenant_id, absl::string_view device_id,
                        issuance::Timestamp now) const;
  // For this request of a broker whose word counts.
  v1::DeviceProof ProveRequest(const v1::IssueCertificateRequest& request,
                               issuance::Timestamp now) const;

 private:
  std::string Sign(absl::string_view statement) const;

  EvpPkeyPtr key_;
  std::string public_key_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_DEVICE_SIGNER_H_
