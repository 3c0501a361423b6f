#include "tests/history/certificate_check.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/types/span.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "hsm/base/openssl.h"
#include "tests/history/history_in_words.h"

namespace hourglass::history {
namespace {

const unsigned char* Octets(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What a tenant's leaves, and its intermediates, are issued by.
struct Issuer {
  X509Ptr certificate;
  std::string subject;  // Name, DER
};

std::optional<Issuer> ReadIssuer(const std::string& der) {
  const std::optional<ca::CertificateView> view = ca::ReadCertificate(der);
  if (!view.has_value()) return std::nullopt;
  const unsigned char* octets = Octets(der);
  Issuer issuer{X509Ptr(d2i_X509(nullptr, &octets, static_cast<long>(der.size()))),
                std::string(view->subject)};
  ERR_clear_error();
  if (issuer.certificate == nullptr || X509_get0_pubkey(issuer.certificate.get()) == nullptr) {
    return std::nullopt;
  }
  return issuer;
}

// The hash that a signature algorithm (AlgorithmIdentifier, DER) begins with; null where OpenSSL
// knows of none.
const EVP_MD* HashOf(absl::string_view algorithm) {
  const unsigned char* octets = Octets(algorithm);
  const OpensslPtr<X509_ALGOR, X509_ALGOR_free> parsed(
      d2i_X509_ALGOR(nullptr, &octets, static_cast<long>(algorithm.size())));
  if (parsed == nullptr) return nullptr;
  const ASN1_OBJECT* identifier = nullptr;
  X509_ALGOR_get0(&identifier, nullptr, nullptr, parsed.get());
  int hash = NID_undef;
  int key_type = NID_undef;
  if (OBJ_find_sigid_algs(OBJ_obj2nid(identifier), &hash, &key_type) != 1) return nullptr;
  return EVP_get_digestbynid(hash);
}

// Without d2i_X509, which takes twice as long to read the key of a leaf as the signature takes to
// verify.
bool IsIssuedBy(const Issuer& issuer, const ca::CertificateView& view) {
  if (view.issuer != issuer.subject || view.algorithm != view.signed_algorithm) return false;
  const EVP_MD* const hash = HashOf(view.algorithm);
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY* const key = X509_get0_pubkey(issuer.certificate.get());
  const bool verifies =
      hash != nullptr && context != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), Octets(view.signature), view.signature.size(),
                       Octets(view.to_be_signed), view.to_be_signed.size()) == 1;
  ERR_clear_error();
  return verifies;
}

// The certificates above a tenant's leaves, for one thread.
class Issuers {
 public:
  explicit Issuers(const TenantHistory& tenant) {
    for (const RecordedRoot& root : tenant.roots) Add(root.root_id, "", root.certificate);
    for (const RecordedIntermediate& record : tenant.intermediates) {
      Add(record.root_id, record.serial_number, record.certificate);
    }
  }

  // Null where it is not recorded, or no certificate.
  const Issuer* Find(absl::string_view root_id, absl::string_view intermediate) const {
    const auto found = issuers_.find({root_id, intermediate});
    return found == issuers_.end() ? nullptr : &found->second;
  }

 private:
  void Add(absl::string_view root_id, absl::string_view intermediate,
           const std::string& certificate) {
    std::optional<Issuer> issuer = ReadIssuer(certificate);
    if (issuer.has_value()) issuers_[{root_id, intermediate}] = *std::move(issuer);
  }

  // By the root and the serial number of the intermediate, which is empty for the root itself.
  absl::flat_hash_map<std::pair<absl::string_view, absl::string_view>, Issuer> issuers_;
};

// Content of the INTEGER; empty where it is no TBSCertificate.
std::optional<absl::string_view> SerialNumberIn(absl::string_view to_be_signed) {
  const std::optional<absl::string_view> content =
      ca::der::ReadOnly(to_be_signed, ca::der::kSequence);
  if (!content.has_value()) return std::nullopt;
  ca::der::Reader reader(*content);
  reader.Read(ca::der::Constructed(0));  // the version
  return reader.Read(ca::der::kInteger);
}

// A fault of a record, and its rule.
struct Fault {
  Rule rule;
  const char* what;
};

std::optional<Fault> FaultOf(const RecordedCertificate& record, const Issuers& issuers) {
  if (SerialNumberIn(record.to_be_signed) != absl::string_view(record.serial_number)) {
    return Fault{Rule::kRecordContradicts, "what was to be signed has another serial number"};
  }
  if (record.certificate.empty() == record.released_at.has_value()) {
    return Fault{Rule::kRecordContradicts, "released without a certificate, or the reverse"};
  }
  if (record.certificate.empty()) return std::nullopt;
  const std::optional<ca::CertificateView> view = ca::ReadCertificate(record.certificate);
  if (!view.has_value()) {
    return Fault{Rule::kRecordContradicts, "what was released is no certificate"};
  }
  if (view->to_be_signed != record.to_be_signed) {
    return Fault{Rule::kRecordContradicts, "what was released is not what was to be signed"};
  }
  const Issuer* const issuer = issuers.Find(record.root_id, record.intermediate_serial_number);
  if (issuer == nullptr) {
    return Fault{Rule::kSignature, "its issuer is not recorded, or was not released"};
  }
  if (!IsIssuedBy(*issuer, *view)) {
    return Fault{Rule::kSignature, "it does not verify under the issuer that the record names"};
  }
  return std::nullopt;
}

std::optional<Fault> FaultOf(const RecordedIntermediate& record, const Issuers& issuers) {
  if (record.certificate.empty() == record.released_at.has_value()) {
    return Fault{Rule::kRecordContradicts, "released without a certificate, or the reverse"};
  }
  if (record.certificate.empty()) return std::nullopt;
  const std::optional<ca::CertificateView> view = ca::ReadCertificate(record.certificate);
  if (!view.has_value() || view->serial_number != record.serial_number) {
    return Fault{Rule::kRecordContradicts, "it has another serial number, or is no certificate"};
  }
  const Issuer* const root = issuers.Find(record.root_id, "");
  if (root == nullptr || !IsIssuedBy(*root, *view)) {
    return Fault{Rule::kSignature, "it does not verify under the root that the record names"};
  }
  return std::nullopt;
}

std::optional<Fault> FaultOf(const RecordedRoot& root, const Issuers& issuers) {
  if (issuers.Find(root.root_id, "") != nullptr) return std::nullopt;
  return Fault{Rule::kRecordContradicts, "it is no certificate"};
}

template <typename Record>
std::vector<Violation> FaultsOf(const TenantHistory& tenant, absl::Span<const Record> records) {
  // OpenSSL's objects are shared by no threads: they would wait for each other's counts.
  const Issuers issuers(tenant);
  std::vector<Violation> faults;
  for (const Record& record : records) {
    const std::optional<Fault> fault = FaultOf(record, issuers);
    if (fault.has_value()) {
      faults.push_back({fault->rule, fault->what, Describe(tenant, record), ""});
    }
  }
  return faults;
}

void Append(std::vector<Violation> more, std::vector<Violation>* violations) {
  std::move(more.begin(), more.end(), std::back_inserter(*violations));
}

}  // namespace

void CheckCertificates(const TenantHistory& tenant, int threads,
                       std::vector<Violation>* violations) {
  Append(FaultsOf(tenant, absl::MakeConstSpan(tenant.roots)), violations);
  Append(FaultsOf(tenant, absl::MakeConstSpan(tenant.intermediates)), violations);
  const absl::Span<const RecordedCertificate> all = tenant.certificates;
  const std::size_t share = all.size() / static_cast<std::size_t>(threads) + 1;
  std::vector<std::vector<Violation>> found(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t begin = std::min(all.size(), i * share);
    workers.emplace_back([&tenant, &part = found[i], records = all.subspan(begin, share)] {
      part = FaultsOf(tenant, records);
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (std::vector<Violation>& part : found) Append(std::move(part), violations);
}

absl::flat_hash_map<std::string, absl::string_view> RootsByIssuer(const TenantHistory& tenant) {
  absl::flat_hash_map<std::string, absl::string_view> roots;
  const auto add = [&roots](const std::string& certificate, const std::string& root_id) {
    const std::optional<ca::CertificateView> view = ca::ReadCertificate(certificate);
    if (view.has_value()) roots.try_emplace(std::string(view->subject), root_id);
  };
  for (const RecordedRoot& root : tenant.roots) add(root.certificate, root.root_id);
  for (const RecordedIntermediate& record : tenant.intermediates) {
    add(record.certificate, record.root_id);
  }
  return roots;
}

}  // namespace hourglass::history
