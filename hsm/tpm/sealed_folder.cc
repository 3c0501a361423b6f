#include "hsm/tpm/sealed_folder.h"

#include <openssl/rand.h>

#include "absl/strings/cord.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/software_key.h"
#include "hsm/tpm/recovery_code.h"
#include "hsm/tpm/seal_blob.h"
#include "hsm/tpm/sealed_key_file.h"

namespace hourglass::hsm {
namespace {

// The same error of `field`, with what else it carries.
absl::Status OfField(const absl::Status& status, absl::string_view field) {
  absl::string_view message = status.message();
  const std::string prefix = FieldOf(status) + ": ";
  if (prefix != ": ") message = absl::StripPrefix(message, prefix);
  absl::Status named = Error(ReasonOf(status), field, message);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (!named.GetPayload(url).has_value()) named.SetPayload(url, payload);
  });
  return named;
}

absl::StatusOr<SecretText> RandomOctets(int size) {
  SecretText octets{std::string(static_cast<std::size_t>(size), '\0')};
  if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(octets.get().data()), size) == 1) {
    return octets;
  }
  return Error(ErrorReason::kInternalError, "", "no random octets");
}

absl::StatusOr<SecretText> UnsealKey(const SealedKeyFile& file, absl::string_view recovery_code,
                                     Sealer& sealer) {
  if (recovery_code.empty()) {
    ASSIGN_OR_RETURN(std::string key, sealer.Unseal(file.sealed, ""));
    return SecretText(std::move(key));
  }
  if (file.recovery.empty()) {
    return Error(ErrorReason::kKeyUnfit, "", "was made without a recovery code");
  }
  ASSIGN_OR_RETURN(const SecretText code, ParseRecoveryCode(recovery_code));
  ASSIGN_OR_RETURN(std::string key, sealer.Unseal(file.recovery, code.get()));
  return SecretText(std::move(key));
}

absl::StatusOr<std::unique_ptr<SigningKey>> OpenFile(const SealedKeyFile& file,
                                                     const SecretText& key_encryption_key) {
  ASSIGN_OR_RETURN(const SecureOctets pkcs8, DecryptPrivateKey(file, key_encryption_key.get()));
  ASSIGN_OR_RETURN(std::unique_ptr<SigningKey> key, SoftwareKeyFromDer(pkcs8.view()));
  if (key->type() == file.type && key->public_key() == file.public_key) return key;
  return Error(ErrorReason::kKeyMismatch, "", "its private key is not its public key's");
}

absl::StatusOr<SealedKeyFile> FileFrom(absl::string_view octets, absl::string_view name) {
  ASSIGN_OR_RETURN(SealedKeyFile file, ParseSealedKeyFile(octets));
  if (file.name == name) return file;
  return Error(ErrorReason::kKeyUnfit, "", "its file is that of another key, renamed");
}

struct Generated {
  SealedKeyFile file;
  std::unique_ptr<SigningKey> key;
};

absl::StatusOr<Generated> GenerateFile(absl::string_view name, KeyType type,
                                       const PcrSelection& registers,
                                       SealAuthorization authorization,
                                       const SecretText* recovery_code, Sealer& sealer) {
  ASSIGN_OR_RETURN(const SecureOctets pkcs8, GenerateSoftwareKeyDer(type));
  ASSIGN_OR_RETURN(const std::unique_ptr<SigningKey> made, SoftwareKeyFromDer(pkcs8.view()));
  ASSIGN_OR_RETURN(const SecretText key, RandomOctets(kKeyEncryptionKeySize));
  Generated generated;
  SealedKeyFile& file = generated.file;
  file.type = type;
  file.name = std::string(name);
  file.public_key = made->public_key();
  ASSIGN_OR_RETURN(file.sealed, sealer.Seal(key.get(), registers, authorization, ""));
  if (recovery_code != nullptr) {
    ASSIGN_OR_RETURN(file.recovery, sealer.Seal(key.get(), {}, SealAuthorization::kRecoveryCode,
                                                recovery_code->get()));
    // A code that does not open would be found out when it is needed.
    RETURN_IF_ERROR(UnsealKey(file, recovery_code->get(), sealer).status());
  }
  RETURN_IF_ERROR(EncryptPrivateKey(pkcs8.view(), key.get(), file));
  ASSIGN_OR_RETURN(const SecretText unsealed, UnsealKey(file, "", sealer));
  ASSIGN_OR_RETURN(generated.key, OpenFile(file, unsealed));
  return generated;
}

absl::StatusOr<SealedKeyFile> ResealedFile(SealedKeyFile file, const PcrSelection& registers,
                                           SealAuthorization authorization,
                                           absl::string_view recovery_code, Sealer& sealer) {
  ASSIGN_OR_RETURN(const SealBlob bound, ParseSealBlob(file.sealed));
  if (bound.authorization == SealAuthorization::kPin && authorization != SealAuthorization::kPin) {
    return Error(ErrorReason::kPinRefused, "",
                 "asks for a PIN, which it would lose: no PIN source is configured");
  }
  ASSIGN_OR_RETURN(const SecretText key, UnsealKey(file, recovery_code, sealer));
  ASSIGN_OR_RETURN(const SecureOctets pkcs8, DecryptPrivateKey(file, key.get()));
  ASSIGN_OR_RETURN(file.sealed, sealer.Seal(key.get(), registers, authorization, ""));
  RETURN_IF_ERROR(EncryptPrivateKey(pkcs8.view(), key.get(), file));
  ASSIGN_OR_RETURN(const SecretText unsealed, UnsealKey(file, "", sealer));
  RETURN_IF_ERROR(OpenFile(file, unsealed).status());
  return file;
}

}  // namespace

absl::StatusOr<SealedFolder> SealedFolder::Create(absl::string_view path,
                                                  SealAuthorization authorization) {
  ASSIGN_OR_RETURN(KeyFolder folder,
                   KeyFolder::Create(path, {.configuration_field = "keys.tpm.sealed_directory",
                                            .field_prefix = "tpm:sealed=",
                                            .suffix = ".sealed"}));
  return SealedFolder(std::move(folder), authorization);
}

absl::StatusOr<std::unique_ptr<SigningKey>> SealedFolder::Generate(
    absl::string_view name, KeyType type, const PcrSelection& registers, Sealer& sealer,
    std::string* recovery_code) const {
  RETURN_IF_ERROR(folder_.CheckFree(name));
  std::optional<SecretText> code;
  if (recovery_code != nullptr) {
    ASSIGN_OR_RETURN(SecretText fresh, NewRecoveryCode());
    code.emplace(std::move(fresh));
  }
  absl::StatusOr<Generated> generated = GenerateFile(name, type, registers, authorization_,
                                                     code.has_value() ? &*code : nullptr, sealer);
  if (!generated.ok()) return OfField(generated.status(), folder_.FieldOf(name));
  RETURN_IF_ERROR(folder_.Write(name, FormatSealedKeyFile(generated->file)));
  if (code.has_value()) *recovery_code = FormatRecoveryCode(code->get());
  return std::move(generated->key);
}

absl::StatusOr<std::unique_ptr<SigningKey>> SealedFolder::Open(absl::string_view name,
                                                               Sealer& sealer) const {
  ASSIGN_OR_RETURN(const SecretText octets, folder_.Read(name, kLargestSealedKeyFile));
  const auto open = [&]() -> absl::StatusOr<std::unique_ptr<SigningKey>> {
    ASSIGN_OR_RETURN(const SealedKeyFile file, FileFrom(octets.get(), name));
    ASSIGN_OR_RETURN(const SecretText key, UnsealKey(file, "", sealer));
    return OpenFile(file, key);
  };
  absl::StatusOr<std::unique_ptr<SigningKey>> key = open();
  if (!key.ok()) return OfField(key.status(), folder_.FieldOf(name));
  return key;
}

absl::Status SealedFolder::Reseal(absl::string_view name, const PcrSelection& registers,
                                  absl::string_view recovery_code, Sealer& sealer) const {
  ASSIGN_OR_RETURN(const SecretText octets, folder_.Read(name, kLargestSealedKeyFile));
  const auto reseal = [&]() -> absl::StatusOr<SealedKeyFile> {
    ASSIGN_OR_RETURN(SealedKeyFile file, FileFrom(octets.get(), name));
    return ResealedFile(std::move(file), registers, authorization_, recovery_code, sealer);
  };
  const absl::StatusOr<SealedKeyFile> resealed = reseal();
  if (!resealed.ok()) return OfField(resealed.status(), folder_.FieldOf(name));
  return folder_.Replace(name, FormatSealedKeyFile(*resealed));
}

absl::StatusOr<SealedKeyListing> SealedFolder::Describe(absl::string_view name) const {
  ASSIGN_OR_RETURN(const SecretText octets, folder_.Read(name, kLargestSealedKeyFile));
  SealedKeyListing listing;
  listing.name = std::string(name);
  const absl::StatusOr<SealedKeyFile> file = FileFrom(octets.get(), name);
  if (!file.ok()) {
    listing.unfit_because = std::string(file.status().message());
    return listing;
  }
  listing.type = file->type;
  listing.public_key = file->public_key;
  listing.recoverable = !file->recovery.empty();
  const absl::StatusOr<SealBlob> blob = ParseSealBlob(file->sealed);
  if (!blob.ok()) {
    listing.unfit_because = std::string(blob.status().message());
    return listing;
  }
  for (const SealedRegister& sealed : blob->registers) listing.registers.push_back(sealed.number);
  return listing;
}

absl::StatusOr<std::vector<SealedKeyListing>> SealedFolder::List() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, folder_.Names());
  std::vector<SealedKeyListing> listings;
  for (const std::string& name : names) {
    absl::StatusOr<SealedKeyListing> listing = Describe(name);
    if (ReasonOf(listing.status()) == ErrorReason::kKeyNotFound) continue;  // gone since
    if (listing.ok()) {
      listings.push_back(*std::move(listing));
    } else {
      listings.emplace_back().name = name;
      listings.back().unfit_because = std::string(listing.status().message());
    }
  }
  return listings;
}

absl::Status SealedFolder::Destroy(absl::string_view name) const { return folder_.Remove(name); }

}  // namespace hourglass::hsm
