#include "issuance/config/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/base/file_trust.h"

namespace hourglass::issuance {
namespace {

// OpenSSL's own would ask at the terminal.
int GiveNoPassword(char*, int, int, void*) { return -1; }

// Empty, with a mistake added, where there is nothing sound.
std::vector<X509Ptr> ReadCertificates(const std::string& path, absl::string_view name,
                                      yaml::Mapping& fields) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  const std::string pem{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) {
    fields.Mistake(name, absl::StrCat("cannot be read: ", std::strerror(errno)));
    return {};
  }
  if (const std::string mistake = MistakeInTrust(path); !mistake.empty()) {
    fields.Mistake(name, mistake);
  }
  std::string mistake;
  std::vector<X509Ptr> certificates = ParseCertificates(pem, &mistake);
  if (!mistake.empty()) fields.Mistake(name, mistake);
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

std::vector<X509Ptr> ParseCertificates(absl::string_view pem, std::string* mistake) {
  std::vector<X509Ptr> certificates;
  const BioPtr text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509Ptr certificate{PEM_read_bio_X509(text.get(), nullptr, GiveNoPassword, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  DrainOpensslErrors();
  if (!at_end) {
    *mistake =
        absl::StrCat("certificate ", certificates.size() + 1, " of the file cannot be parsed");
    certificates.clear();
  } else if (certificates.empty()) {
    *mistake = "holds no certificate in PEM";
  }
  return certificates;
}

void CheckTlsFiles(const TlsFiles& files, TlsSide side, std::optional<Timestamp> now,
                   yaml::Mapping fields, const TlsFieldNames& names) {
  const auto add = [&fields](absl::string_view name, const std::vector<std::string>& mistakes) {
    for (const std::string& mistake : mistakes) fields.Mistake(name, mistake);
  };
  std::vector<X509Ptr> chain, roots;
  if (!files.certificate.empty()) {
    chain = ReadCertificates(files.certificate, names.certificate, fields);
    add(names.certificate, MistakesInChain(chain, side));
    if (now.has_value()) add(names.certificate, MistakesInPeriods(chain, *now));
  }
  if (!files.trusted_roots.empty()) {
    roots = ReadCertificates(files.trusted_roots, names.trusted_roots, fields);
    add(names.trusted_roots, MistakesInTrustedRoots(roots));
    if (now.has_value()) add(names.trusted_roots, MistakesInPeriodsOfRoots(roots, *now));
  }
  if (files.private_key.empty()) return;
  const EvpPkeyPtr key = ReadPrivateKey(files.private_key, names.private_key, fields);
  if (key == nullptr || chain.empty()) return;
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    fields.Mistake(names.private_key,
                   absl::StrCat("does not belong to the first certificate of ", names.certificate));
    DrainOpensslErrors();
  }
}

void CheckFolder(const std::string& path, yaml::Mapping fields, absl::string_view name) {
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) {
    fields.Mistake(name, absl::StrCat("cannot be used: ", std::strerror(errno)));
  } else if (!S_ISDIR(about.st_mode)) {
    fields.Mistake(name, "is not a folder");
  } else if (const std::string mistake = MistakeInTrust(path); !mistake.empty()) {
    fields.Mistake(name, mistake);
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
  return MistakeInTrust(path);
}

}  // namespace hourglass::issuance
