#include "issuance/config/tls_fitness.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {
namespace {

using SslContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;
using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

// Of how many bits security is demanded, by level (SSL_CTX_set_security_level(3)).
constexpr int kBitsOfLevel[] = {0, 80, 112, 128, 192, 256};

// `certificate 2 of the file` where there are several.
std::string Which(std::size_t index, std::size_t count) {
  return count == 1 ? "" : absl::StrCat("certificate ", index + 1, " of the file ");
}

std::string WeaknessOf(unsigned long error) {
  switch (ERR_GET_REASON(error)) {
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
      return "has a key that is too weak for TLS: RSA takes 2048 bits or more, EC 224 or more";
    case SSL_R_CA_MD_TOO_WEAK:
      return "is signed with a digest that is too weak for TLS, such as SHA-1";
    default:
      return "";
  }
}

// What OpenSSL says when a connection is to be made with it, so late and so little.
std::string Weakness(X509* certificate, bool is_leaf) {
  const SslContextPtr context(SSL_CTX_new(TLS_method()));
  if (context == nullptr) return "";
  ERR_clear_error();
  std::string weakness;
  const bool taken = is_leaf ? SSL_CTX_use_certificate(context.get(), certificate) == 1
                             : SSL_CTX_add1_chain_cert(context.get(), certificate) == 1;
  if (!taken) weakness = WeaknessOf(ERR_peek_last_error());
  ERR_clear_error();
  return weakness;
}

bool HasWeakKey(X509* certificate) {
  const SslContextPtr context(SSL_CTX_new(TLS_method()));
  const EVP_PKEY* const key = X509_get0_pubkey(certificate);
  if (context == nullptr || key == nullptr) return false;
  const int level = std::clamp(SSL_CTX_get_security_level(context.get()), 0, 5);
  return EVP_PKEY_get_security_bits(key) < kBitsOfLevel[level];
}

// What the leaf is for; empty if that includes `side`.
std::string MistakeInPurpose(X509* leaf, TlsSide side) {
  const bool server = side == TlsSide::kServer;
  const int purpose = server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
  if (X509_check_purpose(leaf, purpose, 0) == 1) return "";
  const uint32_t wanted = server ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
  const uint32_t other = server ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
  const uint32_t purposes = X509_get_extended_key_usage(leaf);
  const absl::string_view name = server ? "serverAuth" : "clientAuth";
  if ((purposes & wanted) != 0) return "is not for TLS: its keyUsage lacks digitalSignature";
  if ((purposes & other) == 0) {
    return absl::StrCat("is not for TLS: its extendedKeyUsage lacks ", name);
  }
  return absl::StrCat("is for ", server ? "clients" : "servers",
                      " only: its extendedKeyUsage lacks ", name);
}

bool NamesAHost(X509* leaf) {
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const int type = sk_GENERAL_NAME_value(names.get(), i)->type;
    if (type == GEN_DNS || type == GEN_IPADD) return true;
  }
  return false;
}

bool Issued(X509* issuer, X509* subject) {
  const bool issued = X509_check_issued(issuer, subject) == X509_V_OK &&
                      X509_verify(subject, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return issued;
}

Timestamp TimeOf(const ASN1_TIME* time) {
  tm broken_down = {};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return Timestamp();
  return Timestamp(std::chrono::seconds(timegm(&broken_down)));
}

std::string Day(Timestamp time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  tm broken_down = {};
  gmtime_r(&seconds, &broken_down);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &broken_down);
  return text;
}

std::string MistakeInPeriod(const X509& certificate, Timestamp now) {
  if (NotAfter(certificate) < now) return absl::StrCat("expired at ", Day(NotAfter(certificate)));
  const Timestamp not_before = TimeOf(X509_get0_notBefore(&certificate));
  return not_before <= now ? "" : absl::StrCat("is not valid before ", Day(not_before));
}

}  // namespace

std::vector<std::string> MistakesInChain(const std::vector<X509Ptr>& chain, TlsSide side) {
  std::vector<std::string> mistakes;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const std::string weakness = Weakness(chain[i].get(), i == 0);
    if (!weakness.empty()) mistakes.push_back(absl::StrCat(Which(i, chain.size()), weakness));
    if (i > 0 && !Issued(chain[i].get(), chain[i - 1].get())) {
      mistakes.push_back(absl::StrCat(Which(i, chain.size()), "did not issue the one before it"));
    }
  }
  if (chain.empty()) return mistakes;
  X509* const leaf = chain.front().get();
  const std::string purpose = MistakeInPurpose(leaf, side);
  if (!purpose.empty()) mistakes.push_back(absl::StrCat(Which(0, chain.size()), purpose));
  if (side == TlsSide::kServer && !NamesAHost(leaf)) {
    mistakes.push_back(absl::StrCat(Which(0, chain.size()),
                                    "names no host: no client accepts a server without a DNS name "
                                    "or an IP address as subject alternative name"));
  }
  return mistakes;
}

std::vector<std::string> MistakesInTrustedRoots(const std::vector<X509Ptr>& roots) {
  std::vector<std::string> mistakes;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    X509* const root = roots[i].get();
    if (X509_check_ca(root) == 0 && X509_self_signed(root, 1) != 1) {
      mistakes.push_back(absl::StrCat(Which(i, roots.size()),
                                      "is of no authority, but a certificate that one issued: "
                                      "nothing chains to it"));
    }
    if (HasWeakKey(root)) {
      mistakes.push_back(absl::StrCat(Which(i, roots.size()),
                                      "has a key that is too weak for TLS: nothing that chains to "
                                      "it is accepted"));
    }
  }
  ERR_clear_error();
  return mistakes;
}

std::vector<std::string> MistakesInPeriods(const std::vector<X509Ptr>& chain, Timestamp now) {
  std::vector<std::string> mistakes;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const std::string mistake = MistakeInPeriod(*chain[i], now);
    if (!mistake.empty()) mistakes.push_back(absl::StrCat(Which(i, chain.size()), mistake));
  }
  return mistakes;
}

std::vector<std::string> MistakesInPeriodsOfRoots(const std::vector<X509Ptr>& roots,
                                                  Timestamp now) {
  std::vector<std::string> mistakes = MistakesInPeriods(roots, now);
  if (mistakes.size() < roots.size()) return {};
  return mistakes;
}

Timestamp NotAfter(const X509& certificate) { return TimeOf(X509_get0_notAfter(&certificate)); }

}  // namespace hourglass::issuance
