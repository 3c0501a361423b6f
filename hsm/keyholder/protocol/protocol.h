// What the messages of keyholder.proto mean, for both sides: to our types and, checked, back.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROTOCOL_PROTOCOL_H_
#define HOURGLASS_HSM_KEYHOLDER_PROTOCOL_PROTOCOL_H_

#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/sealer.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/tpm/tpm_custodian.h"

namespace hourglass::hsm {

inline constexpr int kMostKeyholderThreads = 64;
inline constexpr int kMostDigests = 64;
// Of one part of a list.
inline constexpr int kMostListings = 100;

// What a worker holds, and on how many threads it serves it (1 for a TPM).
struct Holding {
  std::variant<TokenUri, TpmConnection> custodian;
  int threads = 1;
};

// All Read functions refuse what the other side, of this build, cannot have written: with
// INTERNAL_ERROR and the message's field, or with what the parser of a public key or a PIN source
// says.

keyholder::Start WriteStart(const Holding& holding);
absl::StatusOr<Holding> ReadStart(const keyholder::Start& start);

void WriteSelector(const KeySelector& selector, keyholder::Key* key);
KeySelector ReadSelector(const keyholder::Key& key);

absl::StatusOr<KeyType> ReadKeyType(int key_type);

// Whether the request makes or destroys a key, or seals one: such have a socket of their own, and
// are answered on no other.
bool IsAdministrative(const keyholder::Request& request);

// The key that a batch is to be signed with, of 1 to kMostDigests digests, each as long as the
// hash of the key's type.
absl::StatusOr<CustodialKey> ReadSignBatch(const keyholder::SignBatch& batch);

void WriteKey(const CustodialKey& key, keyholder::CustodialKey* message);
absl::StatusOr<CustodialKey> ReadKey(const keyholder::CustodialKey& message);

// A listing whose texts are longer than a page can carry is cut short and said to be unfit.
void WriteListing(const KeyListing& listing, keyholder::Listing* message);
absl::StatusOr<KeyListing> ReadListing(const keyholder::Listing& message);

absl::StatusOr<SealAuthorization> ReadAuthorization(int authorization);

void WriteFacts(const CustodianFacts& facts, keyholder::Facts* message);
CustodianFacts ReadFacts(const keyholder::Facts& message);

// Reason, field, message (at most 1000 octets) and NeedsNewCustodian of an error. Never reads as
// OK.
void WriteFailure(const absl::Status& error, keyholder::Failure* failure);
absl::Status ReadFailure(const keyholder::Failure& failure);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROTOCOL_PROTOCOL_H_
