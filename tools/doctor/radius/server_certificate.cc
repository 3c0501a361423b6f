#include "tools/doctor/radius/server_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"

namespace hourglass::doctor {
namespace {

constexpr std::int64_t kDay = 24 * 3600;  // seconds
constexpr std::int64_t kSoon = 14 * kDay;

using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;
using StorePtr = OpensslPtr<X509_STORE, X509_STORE_free>;
using ContextPtr = OpensslPtr<X509_STORE_CTX, X509_STORE_CTX_free>;

std::vector<X509Ptr> CertificatesIn(const std::string& pem) {
  std::vector<X509Ptr> all;
  const BioPtr reader(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509Ptr one{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)}) {
    all.push_back(std::move(one));
  }
  DrainOpensslErrors();
  return all;
}

// What the names in its subject alternative name are, or its common name where it has none.
std::vector<std::string> NamesOf(X509* certificate) {
  std::vector<std::string> all;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    all.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return all;
}

// X509_V_OK, or why it cannot be verified with its time left aside.
int VerifyChain(const std::vector<X509Ptr>& shown, const std::vector<X509Ptr>& roots) {
  const StorePtr store(X509_STORE_new());
  const ContextPtr context(X509_STORE_CTX_new());
  STACK_OF(X509)* const chain = sk_X509_new_null();
  int result = X509_V_ERR_OUT_OF_MEM;
  if (store != nullptr && context != nullptr && chain != nullptr) {
    for (const X509Ptr& root : roots) X509_STORE_add_cert(store.get(), root.get());
    for (std::size_t i = 1; i < shown.size(); ++i) sk_X509_push(chain, shown[i].get());
    if (X509_STORE_CTX_init(context.get(), store.get(), shown.front().get(), chain) == 1) {
      X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
      X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
      result = X509_verify_cert(context.get()) == 1 ? X509_V_OK
                                                    : X509_STORE_CTX_get_error(context.get());
    }
  }
  sk_X509_free(chain);
  DrainOpensslErrors();
  return result;
}

void CheckChain(const std::vector<X509Ptr>& shown, const ExpectedServer& expected,
                FindingList& findings) {
  if (expected.roots_pem.empty()) {
    findings.AddNote("radius-server-chain-unknown",
                     "whether clients trust the server's certificate was not looked at", "",
                     "give the roots that the clients' profile names (TrustedRootCA) with "
                     "--server-ca");
    return;
  }
  const int fault = VerifyChain(shown, CertificatesIn(expected.roots_pem));
  if (fault == X509_V_OK) return;
  findings.AddError("radius-server-not-trusted",
                    absl::StrCat("the server's certificate does not chain to the given roots: ",
                                 X509_verify_cert_error_string(fault)),
                    "clients refuse the server, or ask their users (Windows: error 853)",
                    "install the server's certificate with its intermediates, or name its root in "
                    "the profile (TrustedRootCA)");
}

void CheckPurpose(X509* own, FindingList& findings) {
  if (X509_check_purpose(own, X509_PURPOSE_SSL_SERVER, /*ca=*/0) == 1) return;
  findings.AddError("radius-server-purpose", "the server's certificate is not for servers",
                    "clients refuse it: it has no Server Authentication purpose",
                    "issue one with the extended key usage 1.3.6.1.5.5.7.3.1");
}

void CheckName(X509* own, const ExpectedServer& expected, FindingList& findings) {
  if (expected.name.empty()) {
    findings.AddNote("radius-server-name-unknown",
                     "whether the server has the name that clients expect was not looked at", "",
                     "give the name in the clients' profile (ServerNames) with --server-name");
    return;
  }
  const std::vector<std::string> names = NamesOf(own);
  if (X509_check_host(own, expected.name.data(), expected.name.size(),
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) != 1) {
    findings.AddError("radius-server-name",
                      absl::StrCat("the server's certificate is not for ", expected.name,
                                   names.empty() ? "" : ", but for ", absl::StrJoin(names, ", ")),
                      "clients that expect this name refuse the server (Windows: error 853)",
                      "issue one for the name, or name it so in the profile (ServerNames)");
    return;
  }
  for (const std::string& name : names) {
    if (name == expected.name || !absl::EqualsIgnoreCase(name, expected.name)) continue;
    findings.AddWarning("radius-server-name-case",
                        absl::StrCat("the certificate writes the name as ", name),
                        "Windows 11 minds the case of letters in ServerNames (error 853)",
                        "write it in small letters in both");
  }
}

// Whole days between `now` and `then`, cut.
std::int64_t DaysUntil(const ASN1_TIME* then, std::int64_t now) {
  const OpensslPtr<ASN1_TIME, ASN1_TIME_free> from(ASN1_TIME_set(nullptr, now));
  int days = 0;
  int seconds = 0;
  if (from == nullptr || ASN1_TIME_diff(&days, &seconds, from.get(), then) != 1) return 0;
  return days;
}

std::string InWords(std::int64_t days) {
  if (days == 0) return "less than a day";
  return days == 1 ? "a day" : absl::StrCat(days, " days");
}

void CheckTimes(const X509* own, std::int64_t now, FindingList& findings) {
  time_t at = now;
  if (X509_cmp_time(X509_get0_notBefore(own), &at) > 0) {
    findings.AddError("radius-server-not-yet-valid", "the server's certificate is not valid yet",
                      "clients refuse the server", "look at the clocks, or wait");
    return;
  }
  if (X509_cmp_time(X509_get0_notAfter(own), &at) < 0) {
    findings.AddError("radius-server-expired", "the server's certificate has expired",
                      "clients refuse the server: nobody gets in", "renew it");
    return;
  }
  time_t soon = now + kSoon;
  if (X509_cmp_time(X509_get0_notAfter(own), &soon) >= 0) return;
  findings.AddWarning("radius-server-expires-soon",
                      absl::StrCat("the server's certificate ends in ",
                                   InWords(DaysUntil(X509_get0_notAfter(own), now))),
                      "after that clients refuse the server: nobody gets in",
                      "renew it; from another root only once clients trust that");
}

}  // namespace

absl::Status CheckRoots(const std::string& roots_pem) {
  const std::vector<X509Ptr> roots = CertificatesIn(roots_pem);
  if (!roots.empty()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "server-ca", "it holds no certificate in PEM");
}

void CheckServerCertificate(const std::string& shown_pem, const ExpectedServer& expected,
                            std::int64_t now, FindingList& findings) {
  const std::vector<X509Ptr> shown = CertificatesIn(shown_pem);
  if (shown.empty()) {
    findings.AddNote("radius-server-certificate-not-seen", "the server's certificate was not seen",
                     "", "find out first why the conversation ended before");
    return;
  }
  X509* const own = shown.front().get();
  CheckChain(shown, expected, findings);
  CheckPurpose(own, findings);
  CheckName(own, expected, findings);
  CheckTimes(own, now, findings);
}

}  // namespace hourglass::doctor
