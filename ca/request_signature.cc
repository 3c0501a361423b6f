#include "ca/request_signature.h"

#include <openssl/rsa.h>

#include <cstdint>
#include <optional>

#include "ca/der.h"
#include "ca/oids.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

enum class Scheme { kEcdsa, kRsaPkcs1, kRsaPss };

struct Algorithm {
  Scheme scheme;
  const EVP_MD* digest;
  int salt_size;  // PSS only, octets
};

absl::Status Unsupported() {
  return Error(ErrorReason::kKeyUnsupported, "pkcs10",
               "the request must be signed with ECDSA, RSA PKCS#1 v1.5 or RSA-PSS and SHA-256, "
               "SHA-384 or SHA-512");
}

absl::Status SignatureInvalid() {
  return Error(ErrorReason::kRequestSignatureInvalid, "pkcs10",
               "the request is not signed by the key that it carries");
}

const unsigned char* Octets(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Fetched once: EVP_sha256() and its like would be looked up again in every operation.
const EVP_MD* Digest(int bits) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  return bits == 256 ? sha256 : bits == 384 ? sha384 : sha512;
}

struct SimpleAlgorithm {
  absl::string_view oid;
  Scheme scheme;
  int digest_bits;
};

constexpr SimpleAlgorithm kSimpleAlgorithms[] = {
    {oids::kEcdsaWithSha256, Scheme::kEcdsa, 256},  {oids::kEcdsaWithSha384, Scheme::kEcdsa, 384},
    {oids::kEcdsaWithSha512, Scheme::kEcdsa, 512},  {oids::kSha256WithRsa, Scheme::kRsaPkcs1, 256},
    {oids::kSha384WithRsa, Scheme::kRsaPkcs1, 384}, {oids::kSha512WithRsa, Scheme::kRsaPkcs1, 512},
};

bool IsNullOrAbsent(absl::string_view parameters) {
  return parameters.empty() || der::ReadOnly(parameters, der::kNull) == absl::string_view();
}

// The bits of the SHA-2 that the content of an AlgorithmIdentifier names.
std::optional<int> ReadHash(absl::string_view algorithm) {
  der::Reader reader(algorithm);
  const std::optional<absl::string_view> oid = reader.Read(der::kOid);
  if (!oid.has_value() || !IsNullOrAbsent(reader.rest())) return std::nullopt;
  if (*oid == oids::kSha256) return 256;
  if (*oid == oids::kSha384) return 384;
  if (*oid == oids::kSha512) return 512;
  return std::nullopt;
}

// The hash of MGF1, from the content of its AlgorithmIdentifier.
std::optional<int> ReadMgf1Hash(absl::string_view algorithm) {
  der::Reader reader(algorithm);
  if (reader.Read(der::kOid) != oids::kMgf1) return std::nullopt;
  const std::optional<absl::string_view> hash = der::ReadOnly(reader.rest(), der::kSequence);
  return hash.has_value() ? ReadHash(*hash) : std::nullopt;
}

// The content of what the explicit tag `[number]` wraps.
std::optional<absl::string_view> ReadTagged(int number, der::Tag tag, der::Reader* reader) {
  const std::optional<absl::string_view> wrapped = reader->Read(der::Constructed(number));
  return wrapped.has_value() ? der::ReadOnly(*wrapped, tag) : std::nullopt;
}

constexpr int kDefaultSaltSize = 20;

// A salt length of one or two octets is as much as an RSA-4096 signature can hold.
std::optional<int> ReadSaltSize(der::Reader* reader) {
  if (!reader->NextIs(der::Constructed(2))) return kDefaultSaltSize;
  const std::optional<absl::string_view> content = ReadTagged(2, der::kInteger, reader);
  if (!content.has_value() || !der::IsMinimalInteger(*content) || content->size() > 2 ||
      ((*content)[0] & 0x80) != 0) {
    return std::nullopt;
  }
  int size = 0;
  for (const char c : *content) size = size << 8 | static_cast<std::uint8_t>(c);
  // DER does not write a default.
  return size == kDefaultSaltSize ? std::nullopt : std::optional<int>(size);
}

// RSASSA-PSS-params. The trailer field has one legal value, which is its default, so DER never
// writes it.
std::optional<Algorithm> ReadPss(absl::string_view parameters) {
  const std::optional<absl::string_view> fields = der::ReadOnly(parameters, der::kSequence);
  if (!fields.has_value()) return std::nullopt;
  der::Reader reader(*fields);
  const std::optional<absl::string_view> hash = ReadTagged(0, der::kSequence, &reader);
  const std::optional<absl::string_view> mask = ReadTagged(1, der::kSequence, &reader);
  const std::optional<int> salt_size = ReadSaltSize(&reader);
  if (!hash.has_value() || !mask.has_value() || !salt_size.has_value() || !reader.empty()) {
    return std::nullopt;
  }
  const std::optional<int> bits = ReadHash(*hash);
  if (!bits.has_value() || ReadMgf1Hash(*mask) != bits) return std::nullopt;
  return Algorithm{Scheme::kRsaPss, Digest(*bits), *salt_size};
}

absl::StatusOr<Algorithm> ReadAlgorithm(absl::string_view algorithm) {
  der::Reader reader(algorithm);
  const std::optional<absl::string_view> oid = reader.Read(der::kOid);
  if (!oid.has_value()) {
    return Error(ErrorReason::kRequestMalformed, "pkcs10", "the signature algorithm is not DER");
  }
  if (*oid == oids::kRsassaPss) {
    const std::optional<Algorithm> pss = ReadPss(reader.rest());
    if (!pss.has_value()) return Unsupported();
    return *pss;
  }
  for (const SimpleAlgorithm& simple : kSimpleAlgorithms) {
    if (simple.oid != *oid) continue;
    const bool parameters_fit =
        simple.scheme == Scheme::kEcdsa ? reader.empty() : IsNullOrAbsent(reader.rest());
    if (!parameters_fit) return Unsupported();
    return Algorithm{simple.scheme, Digest(simple.digest_bits), 0};
  }
  return Unsupported();
}

// One context a thread, reset after each use so that no key outlives its request.
EVP_MD_CTX* ThreadContext() {
  thread_local const EvpMdCtxPtr context(EVP_MD_CTX_new());
  return context.get();
}

bool Verifies(const Algorithm& algorithm, EVP_PKEY* key, absl::string_view message,
              absl::string_view signature, EVP_MD_CTX* context) {
  EVP_PKEY_CTX* parameters = nullptr;
  if (EVP_DigestVerifyInit(context, &parameters, algorithm.digest, nullptr, key) != 1) return false;
  if (algorithm.scheme == Scheme::kRsaPss &&
      (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, algorithm.salt_size) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context, Octets(signature), signature.size(), Octets(message),
                          message.size()) == 1;
}

}  // namespace

absl::Status VerifyRequestSignature(const PublicKey& key, absl::string_view algorithm,
                                    absl::string_view message, absl::string_view signature) {
  const absl::StatusOr<Algorithm> known = ReadAlgorithm(algorithm);
  if (!known.ok()) return known.status();
  const bool key_is_rsa = key.kind == PublicKeyKind::kRsa;
  if (key_is_rsa == (known->scheme == Scheme::kEcdsa)) return SignatureInvalid();
  EVP_MD_CTX* const context = ThreadContext();
  if (context == nullptr || known->digest == nullptr) {
    return Error(ErrorReason::kInternalError, "", "OpenSSL has no digest");
  }
  const bool verifies = Verifies(*known, key.handle.get(), message, signature, context);
  EVP_MD_CTX_reset(context);
  if (verifies) return absl::OkStatus();
  DrainOpensslErrors();
  return SignatureInvalid();
}

}  // namespace hourglass::ca
