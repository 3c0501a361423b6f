#include "hsm/tpm/seal_blob.h"

#include <openssl/evp.h>
#include <tss2/tss2_mu.h>

#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/tpm/esys_connection.h"
#include "hsm/tpm/octet_reader.h"

namespace hourglass::hsm {
namespace {

constexpr absl::string_view kMagic = "HGSEAL01";
constexpr int kRegisters = kHighestRegister + 1;
constexpr std::size_t kValueSize = TPM2_SHA256_DIGEST_SIZE;
constexpr std::size_t kLargestName = 66;  // two octets and a SHA-512
constexpr std::size_t kLargestPublic = 256;
constexpr std::size_t kLargestPrivate = 512;

absl::Status Changed() {
  return Error(ErrorReason::kKeyUnfit, kTpmField, "the sealed blob was changed, or is none");
}

absl::StatusOr<std::string> Sha256(absl::string_view octets) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(octets.data(), octets.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    return Error(ErrorReason::kInternalError, kTpmField, DrainOpensslErrors());
  }
  return std::string(reinterpret_cast<const char*>(digest), size);
}

std::string CommandCode(TPM2_CC code) {
  std::string octets;
  for (int shift = 24; shift >= 0; shift -= 8) octets.push_back(static_cast<char>(code >> shift));
  return octets;
}

}  // namespace

std::string FormatSealBlob(const SealBlob& blob) {
  std::string out(kMagic);
  out.push_back(static_cast<char>(blob.authorization));
  out.push_back(static_cast<char>(blob.registers.size()));
  for (const SealedRegister& sealed : blob.registers) {
    out.push_back(static_cast<char>(sealed.number));
    out.append(sealed.value);
  }
  AppendSized(out, blob.storage_key_name);
  AppendSized(out, blob.public_area);
  AppendSized(out, blob.private_area);
  return out;
}

absl::StatusOr<SealBlob> ParseSealBlob(absl::string_view octets) {
  if (!absl::ConsumePrefix(&octets, kMagic)) return Changed();
  OctetReader reader(octets);
  SealBlob blob;
  const std::size_t authorization = reader.TakeOctet();
  reader.Require(authorization <= static_cast<std::size_t>(SealAuthorization::kRecoveryCode));
  blob.authorization = static_cast<SealAuthorization>(authorization);
  const std::size_t count = reader.TakeOctet();
  reader.Require(count <= kRegisters);
  for (int previous = -1; blob.registers.size() < count && count <= kRegisters;) {
    const int number = static_cast<int>(reader.TakeOctet());
    reader.Require(number > previous && number < kRegisters);
    previous = number;
    blob.registers.push_back({number, std::string(reader.Take(kValueSize))});
  }
  blob.storage_key_name = reader.TakeSized(1, kLargestName);
  blob.public_area = reader.TakeSized(1, kLargestPublic);
  blob.private_area = reader.TakeSized(1, kLargestPrivate);
  if (!reader.Done()) return Changed();
  return blob;
}

TPML_PCR_SELECTION PcrSelectionOf(const PcrSelection& registers) {
  TPML_PCR_SELECTION selection = {};
  if (registers.empty()) return selection;
  selection.count = 1;
  TPMS_PCR_SELECTION& bank = selection.pcrSelections[0];
  bank.hash = TPM2_ALG_SHA256;
  bank.sizeofSelect = kRegisters / 8;
  for (const int number : registers) {
    bank.pcrSelect[number / 8] |= static_cast<BYTE>(1U << (number % 8));
  }
  return selection;
}

absl::StatusOr<std::string> PolicyDigestOf(const SealBlob& blob) {
  std::string policy(TPM2_SHA256_DIGEST_SIZE, '\0');
  if (!blob.registers.empty()) {
    PcrSelection numbers;
    std::string values;
    for (const SealedRegister& sealed : blob.registers) {
      numbers.push_back(sealed.number);
      values.append(sealed.value);
    }
    const TPML_PCR_SELECTION selection = PcrSelectionOf(numbers);
    BYTE marshalled[sizeof(TPML_PCR_SELECTION)];
    std::size_t size = 0;
    if (Tss2_MU_TPML_PCR_SELECTION_Marshal(&selection, marshalled, sizeof(marshalled), &size) !=
        TSS2_RC_SUCCESS) {
      return Error(ErrorReason::kInternalError, kTpmField, "cannot marshal a selection");
    }
    ASSIGN_OR_RETURN(const std::string digest, Sha256(values));
    ASSIGN_OR_RETURN(
        policy, Sha256(absl::StrCat(
                    policy, CommandCode(TPM2_CC_PolicyPCR),
                    absl::string_view(reinterpret_cast<const char*>(marshalled), size), digest)));
  }
  if (blob.authorization == SealAuthorization::kNone) return policy;
  return Sha256(absl::StrCat(policy, CommandCode(TPM2_CC_PolicyAuthValue)));
}

TPM2B_PUBLIC SealedObjectTemplate(SealAuthorization authorization, absl::string_view policy) {
  TPM2B_PUBLIC object = {};
  TPMT_PUBLIC& area = object.publicArea;
  area.type = TPM2_ALG_KEYEDHASH;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          (authorization == SealAuthorization::kNone ? TPMA_OBJECT_NODA : 0);
  area.authPolicy.size = static_cast<UINT16>(policy.size());
  std::memcpy(area.authPolicy.buffer, policy.data(), policy.size());
  area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  return object;
}

absl::StatusOr<TPM2B_PUBLIC> SealedObjectOf(const SealBlob& blob) {
  ASSIGN_OR_RETURN(const std::string policy, PolicyDigestOf(blob));
  TPM2B_PUBLIC object = {};
  std::size_t offset = 0;
  if (Tss2_MU_TPMT_PUBLIC_Unmarshal(reinterpret_cast<const BYTE*>(blob.public_area.data()),
                                    blob.public_area.size(), &offset,
                                    &object.publicArea) != TSS2_RC_SUCCESS) {
    return Changed();
  }
  TPM2B_PUBLIC wanted = SealedObjectTemplate(blob.authorization, policy);
  wanted.publicArea.unique.keyedHash = object.publicArea.unique.keyedHash;
  BYTE marshalled[kLargestPublic];
  std::size_t size = 0;
  if (object.publicArea.type != TPM2_ALG_KEYEDHASH ||
      Tss2_MU_TPMT_PUBLIC_Marshal(&wanted.publicArea, marshalled, sizeof(marshalled), &size) !=
          TSS2_RC_SUCCESS ||
      blob.public_area != absl::string_view(reinterpret_cast<const char*>(marshalled), size)) {
    return Changed();
  }
  return object;
}

}  // namespace hourglass::hsm
