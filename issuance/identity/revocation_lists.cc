#include "issuance/identity/revocation_lists.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

using CrlPtr = OpensslPtr<X509_CRL, X509_CRL_free>;
using NamePtr = OpensslPtr<X509_NAME, X509_NAME_free>;

// Octets. A million revoked certificates are some 40 MB.
constexpr std::size_t kMaxFileSize = 64 * 1024 * 1024;

absl::Status Wrong(absl::string_view message) {
  return Error(ErrorReason::kConfigurationInvalid, "", message);
}

// What tells whether a file is the one that was read.
using Stamp = std::tuple<dev_t, ino_t, off_t, time_t, long>;

std::optional<Stamp> StampOf(const std::string& path) {
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) return std::nullopt;
  return Stamp(about.st_dev, about.st_ino, about.st_size, about.st_mtim.tv_sec,
               about.st_mtim.tv_nsec);
}

absl::StatusOr<std::string> Content(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open() || in.bad()) return Wrong(absl::StrCat("cannot be read: ", strerror(errno)));
  if (content.size() > kMaxFileSize) return Wrong("is larger than 64 MiB");
  return content;
}

absl::StatusOr<std::vector<X509Ptr>> ParseCertificates(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<X509Ptr> certificates;
  while (X509Ptr certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  DrainOpensslErrors();
  return certificates;
}

absl::StatusOr<std::vector<CrlPtr>> ParseLists(const std::string& content) {
  std::vector<CrlPtr> lists;
  const auto* octets = reinterpret_cast<const unsigned char*>(content.data());
  const unsigned char* const end = octets + content.size();
  if (CrlPtr list{d2i_X509_CRL(nullptr, &octets, static_cast<long>(content.size()))}) {
    if (octets != end) return Wrong("has more octets than its list");
    lists.push_back(std::move(list));
    return lists;
  }
  DrainOpensslErrors();
  const BioPtr bio(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
  while (CrlPtr list{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)}) {
    lists.push_back(std::move(list));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  DrainOpensslErrors();
  if (!at_end) return Wrong("holds a revocation list that cannot be parsed");
  if (lists.empty()) return Wrong("holds no certificate revocation list, neither PEM nor DER");
  return lists;
}

absl::Status CheckExtensions(const X509_CRL& list) {
  for (int i = 0; i < X509_CRL_get_ext_count(&list); ++i) {
    X509_EXTENSION* const extension = X509_CRL_get_ext(&list, i);
    if (X509_EXTENSION_get_critical(extension) == 0) continue;
    char name[80] = "";
    OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(extension), 0);
    return Wrong(absl::StrCat("holds a list with a critical extension that is not supported: ",
                              name, "; it must be a complete list"));
  }
  return absl::OkStatus();
}

absl::Status CheckSigner(X509_CRL& list, const std::vector<X509Ptr>& trusted) {
  for (const X509Ptr& signer : trusted) {
    if (X509_NAME_cmp(X509_get_subject_name(signer.get()), X509_CRL_get_issuer(&list)) != 0) {
      continue;
    }
    if ((X509_get_key_usage(signer.get()) & KU_CRL_SIGN) == 0) continue;
    if (X509_CRL_verify(&list, X509_get0_pubkey(signer.get())) == 1) return absl::OkStatus();
  }
  DrainOpensslErrors();
  return Wrong("holds a list that no certificate of tls.trusted_roots has signed and may sign");
}

absl::StatusOr<Timestamp> ReadTime(const ASN1_TIME* time, absl::string_view name) {
  tm utc = {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) {
    DrainOpensslErrors();
    return Wrong(absl::StrCat("holds a list without a ", name));
  }
  return Timestamp(std::chrono::seconds(timegm(&utc)));
}

absl::StatusOr<std::string> SerialOf(const X509_REVOKED& entry) {
  for (int i = 0; i < X509_REVOKED_get_ext_count(&entry); ++i) {
    if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(&entry, i)) != 0) {
      return Wrong("holds an entry with a critical extension; it must be a list of its issuer");
    }
  }
  unsigned char* number = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_REVOKED_get0_serialNumber(&entry), &number);
  if (size <= 0) return Wrong("holds an entry without a serial number");
  const std::string serial(reinterpret_cast<const char*>(number), static_cast<std::size_t>(size));
  OPENSSL_free(number);
  return serial;
}

}  // namespace

struct RevocationLists::List {
  NamePtr issuer;
  Timestamp this_update;
  Timestamp next_update;
  absl::flat_hash_set<std::string> serials;  // DER
  bool end_is_logged = false;

  static absl::StatusOr<List> Of(X509_CRL& crl, const std::vector<X509Ptr>& trusted) {
    List list;
    RETURN_IF_ERROR(CheckSigner(crl, trusted));
    RETURN_IF_ERROR(CheckExtensions(crl));
    list.issuer.reset(X509_NAME_dup(X509_CRL_get_issuer(&crl)));
    if (list.issuer == nullptr) return Wrong("holds a list whose issuer cannot be read");
    ASSIGN_OR_RETURN(list.this_update, ReadTime(X509_CRL_get0_lastUpdate(&crl), "thisUpdate"));
    ASSIGN_OR_RETURN(list.next_update, ReadTime(X509_CRL_get0_nextUpdate(&crl), "nextUpdate"));
    STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(&crl);
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
      ASSIGN_OR_RETURN(std::string serial, SerialOf(*sk_X509_REVOKED_value(entries, i)));
      list.serials.insert(std::move(serial));
    }
    return list;
  }
};

struct RevocationLists::File {
  std::string path;
  std::optional<Stamp> stamp;
  std::vector<List> lists;
};

RevocationLists::RevocationLists() = default;
RevocationLists::~RevocationLists() = default;

absl::StatusOr<std::unique_ptr<RevocationLists>> RevocationLists::Read(
    const std::vector<std::string>& files, absl::string_view trusted_certificates) {
  std::unique_ptr<RevocationLists> read(new RevocationLists);
  read->trusted_certificates_ = std::string(trusted_certificates);
  for (std::size_t i = 0; i < files.size(); ++i) {
    File file;
    file.path = files[i];
    if (const absl::Status status = read->ReadAnew(file); !status.ok()) {
      return Error(ErrorReason::kConfigurationInvalid,
                   absl::StrCat("tls.revocation_lists[", i, "]"),
                   absl::StrCat(files[i], " ", status.message()));
    }
    read->files_.push_back(std::move(file));
  }
  return read;
}

absl::Status RevocationLists::ReadAnew(File& file) const {
  // Taken before the content: what changes meanwhile is read once more.
  file.stamp = StampOf(file.path);
  ASSIGN_OR_RETURN(const std::string content, Content(file.path));
  ASSIGN_OR_RETURN(const std::vector<X509Ptr> trusted, ParseCertificates(trusted_certificates_));
  ASSIGN_OR_RETURN(const std::vector<CrlPtr> crls, ParseLists(content));
  std::vector<List> lists;
  for (const CrlPtr& crl : crls) {
    ASSIGN_OR_RETURN(List list, List::Of(*crl, trusted));
    lists.push_back(std::move(list));
  }
  for (const List& held : file.lists) {
    const auto replaces = [&](const List& list) {
      return X509_NAME_cmp(list.issuer.get(), held.issuer.get()) == 0 &&
             list.this_update >= held.this_update;
    };
    if (std::none_of(lists.begin(), lists.end(), replaces)) {
      return Wrong("is older than what was read before, or lacks a list that it had");
    }
  }
  const WriterMutexLock lock(mutex_);
  file.lists = std::move(lists);
  return absl::OkStatus();
}

absl::Status RevocationLists::Check(const CertificateSerial& certificate, Timestamp now) const {
  const ReaderMutexLock lock(mutex_);
  for (const File& file : files_) {
    for (const List& list : file.lists) {
      if (X509_NAME_cmp(list.issuer.get(), certificate.issuer.get()) != 0) continue;
      if (now < list.this_update || now > list.next_update) {
        return Error(ErrorReason::kCallerRefused, "",
                     absl::StrCat("the revocation list of the client certificate's issuer is valid "
                                  "from ",
                                  TimeText(list.this_update), " until ", TimeText(list.next_update),
                                  " only"));
      }
      if (list.serials.contains(certificate.number)) {
        return Error(ErrorReason::kCallerRefused, "", "the client certificate has been revoked");
      }
    }
  }
  return absl::OkStatus();
}

void RevocationLists::Refresh(Timestamp now, const EventLog& log) {
  for (File& file : files_) {
    if (StampOf(file.path) != file.stamp) {
      const absl::Status status = ReadAnew(file);
      if (status.ok()) {
        log.Info("revocation_list_read", {{"file", file.path}});
      } else {
        log.Failure("revocation_list_failed", {{"file", file.path}, {"message", status.message()}});
      }
    }
    for (List& list : file.lists) {
      if (now <= list.next_update || list.end_is_logged) continue;
      list.end_is_logged = true;
      log.Failure("revocation_list_expired",
                  {{"file", file.path}, {"next_update", TimeText(list.next_update)}});
    }
  }
}

}  // namespace hourglass::issuance
