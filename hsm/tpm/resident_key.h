// Keys that stay in the TPM, by their persistent handles.
#ifndef HOURGLASS_HSM_TPM_RESIDENT_KEY_H_
#define HOURGLASS_HSM_TPM_RESIDENT_KEY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "hsm/tpm/esys_connection.h"

namespace hourglass::hsm {

// The owner's persistent handles (TPM 2.0 Library Specification part 2 section 7.4).
inline constexpr std::uint32_t kFirstResident = 0x81000000;
inline constexpr std::uint32_t kLastResident = 0x817fffff;

// The handle that a selector names: its label is `0x81010001`, eight digits in lower case, within
// the range above, and its id empty. Nothing where it names none.
std::optional<std::uint32_t> ResidentHandleOf(const KeySelector& selector);

struct ResidentKey {
  EsysPersistent object;
  KeyListing listing;  // fit or not
  bool may_be_destroyed;
};

// Errors: KEY_NOT_FOUND where nothing is there, KEY_UNAVAILABLE.
absl::StatusOr<ResidentKey> FindResidentKey(const EsysConnection& connection, std::uint32_t handle);

// Every key of the range, in no order. Errors: KEY_UNAVAILABLE.
absl::StatusOr<std::vector<KeyListing>> ListResidentKeys(const EsysConnection& connection);

// A key made but not yet at its handle.
struct ResidentDraft {
  EsysPtr<TPM2B_PUBLIC> public_area;
  EsysPtr<TPM2B_PRIVATE> private_area;
};

// Errors: KEY_UNSUPPORTED, KEY_UNAVAILABLE, also where `pin` has more than 32 octets.
absl::StatusOr<ResidentDraft> MakeResidentKey(const EsysConnection& connection, KeyType type,
                                              absl::string_view pin);
// Puts it at its handle, where it stays when the machine is switched off. Errors: KEY_EXISTS where
// something is there, KEY_UNAVAILABLE.
absl::Status PersistResidentKey(const EsysConnection& connection, const ResidentDraft& draft,
                                std::uint32_t handle);

// Errors: KEY_UNAVAILABLE.
absl::Status EvictResidentKey(const EsysConnection& connection, EsysPersistent object,
                              std::uint32_t handle);

// Signs with the authorization value that was set for `object`. Errors: TpmError, KEY_MISMATCH.
absl::StatusOr<std::string> SignWithResidentKey(const EsysConnection& connection, ESYS_TR object,
                                                KeyType type, absl::string_view digest);

// An authorization value as TPMs take it. Errors: KEY_UNAVAILABLE where it has more than 32 octets,
// as many as the name algorithm's digests.
absl::StatusOr<TPM2B_AUTH> AuthorizationOf(absl::string_view pin);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_RESIDENT_KEY_H_
