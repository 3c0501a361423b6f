// The files of one side of mutual TLS, as configuration files name them.
#ifndef HOURGLASS_ISSUANCE_TLS_FILES_H_
#define HOURGLASS_ISSUANCE_TLS_FILES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// PEM files.
struct TlsFiles {
  std::string certificate;  // own chain, leaf first
  std::string private_key;
  std::string trusted_roots;  // what the peer's certificate must chain to
};

// The required fields `certificate`, `private_key` and `trusted_roots` of `fields`, resolved. Opens
// no file.
TlsFiles ReadTlsFiles(yaml::Mapping fields);

// Adds a mistake to `fields`, which `files` was read from, for each file that cannot be read or is
// not what it should be: one or more certificates; an unencrypted private key that belongs to the
// first certificate and that only its owner may read. Does not look at periods of validity.
void CheckTlsFiles(const TlsFiles& files, yaml::Mapping fields);

// Adds a mistake to `fields` at `name` where `path` is no folder.
void CheckFolder(const std::string& path, yaml::Mapping fields, absl::string_view name);

// What is wrong with a file that holds a secret: it is not there, or others than its owner may use
// it. Empty if nothing is.
std::string MistakeInSecretFile(const std::string& path);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TLS_FILES_H_
