// Whatever a sealed key's file or a sealed blob holds, it is taken in its one encoding or refused
// as unfit; and so is what is taken as a blob out of a file.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/tpm/seal_blob.h"
#include "hsm/tpm/sealed_key_file.h"

namespace hourglass::hsm {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckBlob(absl::string_view octets) {
  const absl::StatusOr<SealBlob> blob = ParseSealBlob(octets);
  if (!blob.ok()) {
    Require(ReasonOf(blob.status()) == ErrorReason::kKeyUnfit);
    return;
  }
  Require(FormatSealBlob(*blob) == octets);
  const absl::StatusOr<SealBlob> again = ParseSealBlob(FormatSealBlob(*blob));
  Require(again.ok() && *again == *blob);
  const auto object = SealedObjectOf(*blob);
  if (!object.ok()) {
    Require(ReasonOf(object.status()) == ErrorReason::kKeyUnfit);
    return;
  }
  Require(object->publicArea.type == TPM2_ALG_KEYEDHASH);
  Require((object->publicArea.objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0);
  Require((object->publicArea.objectAttributes & TPMA_OBJECT_FIXEDTPM) != 0);
}

void CheckFile(absl::string_view octets) {
  const absl::StatusOr<SealedKeyFile> file = ParseSealedKeyFile(octets);
  if (!file.ok()) {
    Require(ReasonOf(file.status()) == ErrorReason::kKeyUnfit);
    return;
  }
  Require(FormatSealedKeyFile(*file) == octets);
  CheckBlob(file->sealed);
  CheckBlob(file->recovery);
  // No key but the right one opens it, whatever was changed.
  Require(!DecryptPrivateKey(*file, std::string(kKeyEncryptionKeySize, 'k')).ok());
}

}  // namespace
}  // namespace hourglass::hsm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view octets(reinterpret_cast<const char*>(data), size);
  hourglass::hsm::CheckBlob(octets);
  hourglass::hsm::CheckFile(octets);
  return 0;
}
