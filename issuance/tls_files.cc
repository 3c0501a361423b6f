#include "issuance/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/openssl.h"

namespace hourglass::issuance {
namespace {

// OpenSSL's own would ask at the terminal.
int GiveNoPassword(char*, int, int, void*) { return -1; }

// Every certificate of the file; empty, with a mistake added, if there is none or one is malformed.
std::vector<X509Ptr> ReadCertificates(const std::string& path, absl::string_view name,
                                      yaml::Mapping& fields) {
  std::vector<X509Ptr> certificates;
  const BioPtr file(BIO_new_file(path.c_str(), "r"));
  if (file == nullptr) {
    fields.Mistake(name, absl::StrCat("cannot be read: ", std::strerror(errno)));
    DrainOpensslErrors();
    return certificates;
  }
  while (X509Ptr certificate{PEM_read_bio_X509(file.get(), nullptr, GiveNoPassword, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  DrainOpensslErrors();
  if (!at_end) {
    fields.Mistake(name, absl::StrCat("certificate ", certificates.size() + 1,
                                      " of the file cannot be parsed"));
    certificates.clear();
  } else if (certificates.empty()) {
    fields.Mistake(name, "holds no certificate in PEM");
  }
  return certificates;
}

EvpPkeyPtr ReadPrivateKey(const std::string& path, absl::string_view name, yaml::Mapping& fields) {
  const std::string mistake = MistakeInSecretFile(path);
  if (!mistake.empty()) {
    fields.Mistake(name, mistake);
    return nullptr;
  }
  const BioPtr file(BIO_new_file(path.c_str(), "r"));
  if (file == nullptr) {
    fields.Mistake(name, absl::StrCat("cannot be read: ", std::strerror(errno)));
    DrainOpensslErrors();
    return nullptr;
  }
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(file.get(), nullptr, GiveNoPassword, nullptr));
  DrainOpensslErrors();
  if (key == nullptr) fields.Mistake(name, "holds no unencrypted private key in PEM");
  return key;
}

}  // namespace

TlsFiles ReadTlsFiles(yaml::Mapping fields) {
  TlsFiles files;
  files.certificate = fields.RequiredPath("certificate");
  files.private_key = fields.RequiredPath("private_key");
  files.trusted_roots = fields.RequiredPath("trusted_roots");
  return files;
}

void CheckTlsFiles(const TlsFiles& files, yaml::Mapping fields) {
  std::vector<X509Ptr> chain;
  if (!files.certificate.empty())
    chain = ReadCertificates(files.certificate, "certificate", fields);
  if (!files.trusted_roots.empty()) ReadCertificates(files.trusted_roots, "trusted_roots", fields);
  if (files.private_key.empty()) return;
  const EvpPkeyPtr key = ReadPrivateKey(files.private_key, "private_key", fields);
  if (key == nullptr || chain.empty()) return;
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    fields.Mistake("private_key", "does not belong to the first certificate of certificate");
    DrainOpensslErrors();
  }
}

void CheckFolder(const std::string& path, yaml::Mapping fields, absl::string_view name) {
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) {
    fields.Mistake(name, absl::StrCat("cannot be used: ", std::strerror(errno)));
  } else if (!S_ISDIR(about.st_mode)) {
    fields.Mistake(name, "is not a folder");
  }
}

std::string MistakeInSecretFile(const std::string& path) {
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) {
    return absl::StrCat("cannot be read: ", std::strerror(errno));
  }
  if (!S_ISREG(about.st_mode)) return "is not a regular file";
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return "may be read by others than its owner, chmod 600 it";
  }
  return "";
}

}  // namespace hourglass::issuance
