#include "tools/profiles/known_certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "tools/client/certificate.h"
#include "tools/client/wording.h"

namespace hourglass::profiles {
namespace {

absl::Status Refused(absl::string_view field, const KnownCertificate& certificate,
                     absl::string_view why) {
  return Error(ErrorReason::kFieldInvalid, field,
               absl::StrCat(client::Printable(certificate.subject), " ", why));
}

using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;
using PurposesPtr = OpensslPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

std::string TextOf(const ASN1_STRING* string) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                     static_cast<std::size_t>(ASN1_STRING_length(string)));
}

std::vector<std::string> NamesOf(const X509* certificate) {
  std::vector<std::string> names;
  const GeneralNamesPtr all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) names.push_back(TextOf(name->d.dNSName));
  }
  if (!names.empty()) return names;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return names;
  names.push_back(TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return names;
}

std::vector<std::string> PurposesOf(const X509* certificate) {
  std::vector<std::string> purposes;
  const PurposesPtr all(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; all != nullptr && i < sk_ASN1_OBJECT_num(all.get()); ++i) {
    char dotted[128];
    OBJ_obj2txt(dotted, sizeof(dotted), sk_ASN1_OBJECT_value(all.get(), i), 1);
    purposes.emplace_back(dotted);
  }
  return purposes;
}

absl::StatusOr<KnownCertificate> Read(absl::string_view der, absl::string_view field) {
  const absl::StatusOr<client::CertificateFacts> facts = client::ReadCertificate(der);
  if (!facts.ok()) return Error(ErrorReason::kFieldInvalid, field, facts.status().message());
  const auto* next = reinterpret_cast<const unsigned char*>(der.data());
  const X509Ptr certificate(d2i_X509(nullptr, &next, static_cast<long>(der.size())));
  KnownCertificate known;
  known.subject = facts->subject;
  known.issuer = facts->issuer;
  known.sha1_thumbprint = facts->sha1_thumbprint;
  known.public_key = facts->public_key;
  known.names = NamesOf(certificate.get());
  known.purposes = PurposesOf(certificate.get());
  known.not_before = facts->not_before;
  known.not_after = facts->not_after;
  known.is_self_signed = X509_NAME_cmp(X509_get_subject_name(certificate.get()),
                                       X509_get_issuer_name(certificate.get())) == 0 &&
                         X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())) == 1;
  // Also version 1 and others without basicConstraints, as old roots are.
  const bool is_authority = X509_check_ca(certificate.get()) != 0;
  known.place = !is_authority          ? ChainPlace::kLeaf
                : known.is_self_signed ? ChainPlace::kRoot
                                       : ChainPlace::kIntermediate;
  static_cast<void>(DrainOpensslErrors());
  return known;
}

bool IsOneOf(const KnownCertificate& certificate, absl::Span<const KnownCertificate> roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const KnownCertificate& root) {
    return root.sha1_thumbprint == certificate.sha1_thumbprint ||
           root.public_key == certificate.public_key;
  });
}

}  // namespace

absl::StatusOr<std::vector<KnownCertificate>> ReadCertificates(absl::string_view octets,
                                                               absl::string_view field) {
  std::vector<std::string> ders;
  if (absl::StrContains(octets, "-----BEGIN")) {
    const absl::StatusOr<std::vector<ca::PemBlock>> blocks = ca::PemBlocks(octets);
    if (!blocks.ok()) return Error(ErrorReason::kFieldInvalid, field, blocks.status().message());
    for (const ca::PemBlock& block : *blocks) {
      if (block.label == ca::kCertificateLabel) ders.push_back(block.octets);
    }
  } else {
    ders.emplace_back(octets);
  }
  if (ders.empty()) return Error(ErrorReason::kFieldInvalid, field, "there is no certificate");
  std::vector<KnownCertificate> certificates;
  for (const std::string& der : ders) {
    ASSIGN_OR_RETURN(KnownCertificate certificate, Read(der, field));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

absl::Status CheckServerRoot(const KnownCertificate& certificate,
                             absl::Span<const KnownCertificate> tenant_roots, absl::Time now) {
  constexpr absl::string_view kField = "--server-root";
  if (IsOneOf(certificate, tenant_roots)) {
    return Refused(kField, certificate,
                   "is one of the tenant's own roots, which servers trust; what clients trust is "
                   "the root of the RADIUS server's own certificate");
  }
  const std::string issuer = client::Printable(certificate.issuer);
  if (certificate.place == ChainPlace::kIntermediate) {
    return Refused(kField, certificate,
                   absl::StrCat("is an intermediate: Windows compares the root at the top of the "
                                "chain, so go on to its issuer, ",
                                issuer));
  }
  if (certificate.place == ChainPlace::kLeaf) {
    return Refused(kField, certificate,
                   certificate.is_self_signed
                       ? std::string("is self-signed and no authority: a server's own certificate "
                                     "is no root")
                       : absl::StrCat("is a server's or user's certificate and no root: go up the "
                                      "chain, to ",
                                      issuer, " first"));
  }
  if (now > certificate.not_after || now < certificate.not_before) {
    return Refused(kField, certificate,
                   absl::StrCat("is valid from ", client::UtcInWords(certificate.not_before),
                                " to ", client::UtcInWords(certificate.not_after), ", not now"));
  }
  return absl::OkStatus();
}

absl::Status CheckSsoIssuer(const KnownCertificate& certificate,
                            absl::Span<const KnownCertificate> tenant_roots) {
  constexpr absl::string_view kField = "--sso-issuer";
  if (IsOneOf(certificate, tenant_roots)) {
    return Refused(kField, certificate,
                   "is one of the tenant's own roots, whose certificates domain controllers do "
                   "not take: give the on-premises CA");
  }
  if (certificate.place == ChainPlace::kLeaf) {
    return Refused(kField, certificate, "is no authority: give the on-premises CA, best its root");
  }
  return absl::OkStatus();
}

}  // namespace hourglass::profiles
