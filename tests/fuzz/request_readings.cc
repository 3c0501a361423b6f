#include "tests/fuzz/request_readings.h"

#include <botan/pk_keys.h>
#include <botan/pkcs10.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "ca/encoding/der.h"
#include "ca/request/certificate_request.h"
#include "hsm/base/openssl.h"
#include "tests/support/openssl_der.h"

namespace hourglass {
namespace {

using PssParamsPtr = OpensslPtr<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;

constexpr int kSha2[] = {NID_sha256, NID_sha384, NID_sha512};
constexpr int kEcdsa[] = {NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384, NID_ecdsa_with_SHA512};
constexpr int kRsa[] = {NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption,
                        NID_sha512WithRSAEncryption};
constexpr int kNameStrings[] = {V_ASN1_BIT_STRING,      V_ASN1_UTF8STRING, V_ASN1_NUMERICSTRING,
                                V_ASN1_PRINTABLESTRING, V_ASN1_T61STRING,  V_ASN1_IA5STRING,
                                V_ASN1_UNIVERSALSTRING, V_ASN1_BMPSTRING};

[[noreturn]] void Die(const std::string& message, absl::string_view request) {
  std::fprintf(stderr, "%s: %s\n", message.c_str(), absl::BytesToHexString(request).c_str());
  std::abort();
}

template <std::size_t kSize>
bool IsOneOf(int value, const int (&values)[kSize]) {
  return std::find(values, values + kSize, value) != values + kSize;
}

bool IsNullOrAbsent(const X509_ALGOR* algorithm) {
  int type = 0;
  X509_ALGOR_get0(nullptr, &type, nullptr, algorithm);
  return type == V_ASN1_NULL || type == V_ASN1_UNDEF;
}

int NidOf(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(object);
}

// The hash of MGF1, or 0.
int MaskHash(const X509_ALGOR* mask) {
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, mask);
  if (NidOf(mask) != NID_mgf1 || type != V_ASN1_SEQUENCE) return 0;
  const OpensslPtr<X509_ALGOR, X509_ALGOR_free> hash(static_cast<X509_ALGOR*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(X509_ALGOR))));
  return hash != nullptr && IsNullOrAbsent(hash.get()) ? NidOf(hash.get()) : 0;
}

bool IsAcceptedPss(const X509_ALGOR* algorithm) {
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return false;
  const PssParamsPtr pss(static_cast<RSA_PSS_PARAMS*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), ASN1_ITEM_rptr(RSA_PSS_PARAMS))));
  if (pss == nullptr || pss->hashAlgorithm == nullptr || pss->maskGenAlgorithm == nullptr ||
      pss->trailerField != nullptr) {
    return false;
  }
  const int hash = NidOf(pss->hashAlgorithm);
  const long salt = pss->saltLength == nullptr ? -1 : ASN1_INTEGER_get(pss->saltLength);
  return IsOneOf(hash, kSha2) && IsNullOrAbsent(pss->hashAlgorithm) &&
         MaskHash(pss->maskGenAlgorithm) == hash && salt != 20;
}

bool IsAcceptedAlgorithm(const X509_ALGOR* algorithm) {
  int type = 0;
  X509_ALGOR_get0(nullptr, &type, nullptr, algorithm);
  const int nid = NidOf(algorithm);
  if (IsOneOf(nid, kEcdsa)) return type == V_ASN1_UNDEF;
  if (IsOneOf(nid, kRsa)) return IsNullOrAbsent(algorithm);
  return nid == NID_rsassaPss && IsAcceptedPss(algorithm);
}

std::string Text(const EVP_PKEY* key, const char* parameter) {
  char text[64];
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, parameter, text, sizeof(text), &size) != 1) return "";
  return std::string(text, size);
}

bool IsAcceptedEcKey(const EVP_PKEY* key) {
  const std::string curve = Text(key, OSSL_PKEY_PARAM_GROUP_NAME);
  return (curve == "prime256v1" || curve == "secp384r1") &&
         Text(key, OSSL_PKEY_PARAM_EC_ENCODING) == "named_curve" &&
         Text(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT) == "uncompressed";
}

bool IsAcceptedRsaKey(const EVP_PKEY* key) {
  BIGNUM *n = nullptr, *e = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
  const BignumPtr modulus(n), exponent(e);
  if (n == nullptr || e == nullptr) return false;
  return BN_num_bits(n) >= 2048 && BN_num_bits(n) <= 4096 && BN_is_odd(n) && BN_is_odd(e) &&
         BN_num_bits(e) >= 17 && BN_num_bits(e) <= 64;
}

// Whether OpenSSL would write the key as it stands there.
bool IsAcceptedKey(EVP_PKEY* key, const std::string& info) {
  if (DerByOpenssl(i2d_PUBKEY, key) != info) return false;
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return IsAcceptedEcKey(key);
    case EVP_PKEY_RSA:
      return IsAcceptedRsaKey(key);
    default:
      return false;
  }
}

// Whether the name is of strings, and no row of it is empty: of such a row OpenSSL has no entry.
bool IsAcceptedName(const X509_NAME* name) {
  int rows = 0;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    if (!IsOneOf(X509_NAME_ENTRY_get_data(entry)->type, kNameStrings)) return false;
    if (X509_NAME_ENTRY_set(entry) > rows) return false;
    rows = X509_NAME_ENTRY_set(entry) + 1;
  }
  const std::string der = DerByOpenssl(i2d_X509_NAME, name);
  const auto content = ca::der::ReadOnly(der, ca::der::kSequence);
  if (!content.has_value()) return false;
  ca::der::Reader reader(*content);
  for (; reader.ReadAny().has_value(); --rows) {
  }
  return rows == 0;
}

// OpenSSL takes a set under an implicit tag for one whatever the tag says of its encoding, which
// X.690 section 8.12.1 wants constructed. They are the fourth of what is signed, if they are there.
bool HasConstructedAttributes(absl::string_view der) {
  ca::der::Reader request(*ca::der::ReadOnly(der, ca::der::kSequence));
  const auto info = request.Read(ca::der::kSequence);
  if (!info.has_value()) return false;
  ca::der::Reader reader(*info);
  for (int i = 0; i < 3; ++i) reader.ReadAny();
  return reader.empty() || reader.NextIs(ca::der::Constructed(0));
}

std::string RefusedOnPurpose(X509_REQ* request, EVP_PKEY* key, absl::string_view der,
                             const std::string& info) {
  if (der.size() > ca::kMaxRequestSize) return "size";
  if (!ca::der::ReadOnly(der, ca::der::kSequence).has_value() || !ca::der::IsWellFormed(der) ||
      !HasConstructedAttributes(der)) {
    return "not DER";
  }
  if (X509_REQ_get_version(request) != 0) return "version";
  if (!IsAcceptedName(X509_REQ_get_subject_name(request))) return "subject";
  for (int i = 0; i < X509_REQ_get_attr_count(request); ++i) {
    if (X509_ATTRIBUTE_count(X509_REQ_get_attr(request, i)) == 0) return "attribute";
  }
  if (!IsAcceptedKey(key, info)) return "key";
  const X509_ALGOR* algorithm = nullptr;
  X509_REQ_get0_signature(request, nullptr, &algorithm);
  return IsAcceptedAlgorithm(algorithm) ? "" : "algorithm";
}

void CompareWithBotan(absl::string_view request, const ca::RequestedKey& key) {
  try {
    const Botan::PKCS10_Request parsed(std::vector<std::uint8_t>(request.begin(), request.end()));
    const std::vector<std::uint8_t> info = parsed.raw_public_key();
    if (std::string(info.begin(), info.end()) != key.subject_public_key_info()) {
      Die("Botan reads another key", request);
    }
    const std::unique_ptr<Botan::Public_Key> public_key(parsed.subject_public_key());
    if (!parsed.check_signature(*public_key)) Die("Botan does not verify what we accept", request);
  } catch (const std::exception&) {
    // It knows fewer forms than we do.
  }
}

}  // namespace

std::optional<OpensslReading> ReadWithOpenssl(absl::string_view request) {
  const auto* in = reinterpret_cast<const unsigned char*>(request.data());
  const auto* const end = in + request.size();
  const X509ReqPtr parsed(d2i_X509_REQ(nullptr, &in, static_cast<long>(request.size())));
  EVP_PKEY* const key =
      parsed == nullptr || in != end ? nullptr : X509_REQ_get0_pubkey(parsed.get());
  if (key == nullptr || X509_REQ_verify(parsed.get(), key) != 1) {
    DrainOpensslErrors();
    return std::nullopt;
  }
  OpensslReading reading;
  X509_PUBKEY* const info = X509_REQ_get_X509_PUBKEY(parsed.get());
  reading.subject_public_key_info = DerByOpenssl(i2d_X509_PUBKEY, info);
  const unsigned char* bits = nullptr;
  int size = 0;
  X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, info);
  unsigned char identifier[20];
  EVP_Digest(bits, static_cast<std::size_t>(size), identifier, nullptr, EVP_sha1(), nullptr);
  reading.key_identifier.assign(identifier, identifier + sizeof(identifier));
  reading.refused_on_purpose =
      RefusedOnPurpose(parsed.get(), key, request, reading.subject_public_key_info);
  DrainOpensslErrors();
  return reading;
}

void CompareReadings(absl::string_view request) {
  const auto ours = ca::ParseCertificateRequest(request, ca::KeyPolicy());
  const std::optional<OpensslReading> openssls = ReadWithOpenssl(request);
  if (ours.ok()) {
    if (!openssls.has_value()) Die("OpenSSL refuses what we accept", request);
    if (openssls->subject_public_key_info != ours->subject_public_key_info() ||
        openssls->key_identifier != ours->key_identifier()) {
      Die("OpenSSL reads another key", request);
    }
    if (!openssls->refused_on_purpose.empty()) {
      Die("we accept what is refused on purpose: " + openssls->refused_on_purpose, request);
    }
    CompareWithBotan(request, *ours);
  } else if (openssls.has_value() && openssls->refused_on_purpose.empty()) {
    Die("we refuse what OpenSSL accepts: " + ours.status().ToString(), request);
  }
}

}  // namespace hourglass
