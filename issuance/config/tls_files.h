// The files of one side of mutual TLS, as configuration files name them.
#ifndef HOURGLASS_ISSUANCE_CONFIG_TLS_FILES_H_
#define HOURGLASS_ISSUANCE_CONFIG_TLS_FILES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hsm/base/openssl.h"
#include "issuance/base/clock.h"
#include "issuance/config/tls_fitness.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// PEM files.
struct TlsFiles {
  std::string certificate;  // own chain, leaf first
  std::string private_key;
  std::string trusted_roots;  // what the peer's certificate must chain to
};

// What the fields that name them are called.
struct TlsFieldNames {
  const char* certificate = "certificate";
  const char* private_key = "private_key";
  const char* trusted_roots = "trusted_roots";
};

// The required fields `certificate`, `private_key` and `trusted_roots` of `fields`, resolved. Opens
// no file.
TlsFiles ReadTlsFiles(yaml::Mapping fields);

// Adds a mistake to `fields`, which `files` was read from, for each file that is named and cannot
// be read, that others may change (file_trust.h) or that is not what it should be: certificates
// that do for `side` (tls_fitness.h) and are valid at `now`, where that is given; an unencrypted
// private key that belongs to the first and that only its owner may read.
void CheckTlsFiles(const TlsFiles& files, TlsSide side, std::optional<Timestamp> now,
                   yaml::Mapping fields, const TlsFieldNames& names = {});

// Every certificate in PEM. Empty, with `mistake` set, if there is none or one cannot be parsed.
std::vector<X509Ptr> ParseCertificates(absl::string_view pem, std::string* mistake);

// Adds a mistake to `fields` at `name` where `path` is no folder, or others may change it
// (file_trust.h).
void CheckFolder(const std::string& path, yaml::Mapping fields, absl::string_view name);

// What is wrong with a file that holds a secret: it is not there, others than its owner may use it,
// or it is not this process's user's or root's, or others may replace it. Empty if nothing is.
std::string MistakeInSecretFile(const std::string& path);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_TLS_FILES_H_
