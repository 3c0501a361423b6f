#include "hsm/store/software_folder.h"

#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/software_key.h"

namespace hourglass::hsm {
namespace {

// An RSA-4096 key takes 3272 octets of PEM.
constexpr size_t kLargestFile = 16384;

}  // namespace

absl::StatusOr<SoftwareFolder> SoftwareFolder::Create(absl::string_view path) {
  ASSIGN_OR_RETURN(KeyFolder folder,
                   KeyFolder::Create(path, {.configuration_field = "keys.software_directory",
                                            .field_prefix = "software:",
                                            .suffix = ".pem"}));
  return SoftwareFolder(std::move(folder));
}

absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareFolder::Generate(absl::string_view name,
                                                                     KeyType type) const {
  RETURN_IF_ERROR(folder_.CheckFree(name));
  ASSIGN_OR_RETURN(std::string generated, GenerateSoftwareKeyPem(type));
  const SecretText pem(std::move(generated));
  ASSIGN_OR_RETURN(std::unique_ptr<SigningKey> key, SoftwareKeyFromPem(pem.get()));
  RETURN_IF_ERROR(folder_.Write(name, pem.get()));
  return key;
}

absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareFolder::Open(absl::string_view name) const {
  ASSIGN_OR_RETURN(const SecretText pem, folder_.Read(name, kLargestFile));
  absl::StatusOr<std::unique_ptr<SigningKey>> key = SoftwareKeyFromPem(pem.get());
  if (!key.ok()) {
    return Error(ReasonOf(key.status()), folder_.FieldOf(name), key.status().message());
  }
  return key;
}

absl::StatusOr<std::vector<std::string>> SoftwareFolder::Names() const { return folder_.Names(); }

absl::Status SoftwareFolder::Destroy(absl::string_view name) const { return folder_.Remove(name); }

}  // namespace hourglass::hsm
