// Whatever arrives on the socket between the service and a worker, what is taken for a start, a
// batch, a key, a listing or a failure is one. The first octet says which of them the rest is.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/keyholder/protocol/protocol.h"

namespace hourglass::hsm {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckStart(const std::string& packet) {
  keyholder::Start start;
  if (!start.ParseFromString(packet)) return;
  const absl::StatusOr<Holding> holding = ReadStart(start);
  if (!holding.ok()) return;
  Require(holding->threads >= 1 && holding->threads <= kMostKeyholderThreads);
  if (const auto* token = std::get_if<TokenUri>(&holding->custodian)) {
    Require(!token->label.empty() && token->module_path[0] == '/');
  } else {
    Require(!std::get<TpmConnection>(holding->custodian).tcti.empty());
  }
  // What was read is all that counts.
  const absl::StatusOr<Holding> again = ReadStart(WriteStart(*holding));
  Require(again.ok() &&
          WriteStart(*again).SerializeAsString() == WriteStart(*holding).SerializeAsString());
}

void CheckBatch(const keyholder::SignBatch& batch) {
  const absl::StatusOr<CustodialKey> key = ReadSignBatch(batch);
  if (!key.ok()) {
    Require(ReasonOf(key.status()) == ErrorReason::kInternalError);
    return;
  }
  Require(batch.digests_size() >= 1 && batch.digests_size() <= kMostDigests);
  for (const std::string& digest : batch.digests()) {
    Require(digest.size() == (key->type == KeyType::kEcP384 ? 48 : 32));
  }
}

void CheckRequest(const std::string& packet) {
  keyholder::Request request;
  if (!request.ParseFromString(packet)) return;
  CheckBatch(request.sign());
  const absl::StatusOr<KeyType> type = ReadKeyType(request.generate().key_type());
  Require(!type.ok() || !KeyTypeName(*type).empty());
}

void CheckReply(const std::string& packet) {
  keyholder::Reply reply;
  if (!reply.ParseFromString(packet)) return;
  Require(!ReadFailure(reply.failure()).ok());
  for (const keyholder::Signature& signature : reply.signatures()) {
    Require(ReasonOf(ReadFailure(signature.failure())) != ErrorReason::kUnspecified);
  }
  if (const absl::StatusOr<CustodialKey> key = ReadKey(reply.key()); key.ok()) {
    const auto public_key = ParsePublicKey(key->public_key);
    Require(public_key.ok() && *KeyTypeOf(**public_key) == key->type);
  }
  for (const keyholder::Listing& message : reply.listings()) {
    const absl::StatusOr<KeyListing> listing = ReadListing(message);
    if (!listing.ok()) continue;
    keyholder::Listing written;
    WriteListing(*listing, &written);
    Require(ReadListing(written).ok());
  }
}

}  // namespace
}  // namespace hourglass::hsm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string packet(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      hourglass::hsm::CheckStart(packet);
      break;
    case 1:
      hourglass::hsm::CheckRequest(packet);
      break;
    default:
      hourglass::hsm::CheckReply(packet);
  }
  return 0;
}
