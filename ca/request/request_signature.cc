#include "ca/request/request_signature.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"
#include "ca/keys/key_verification.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kSupported =
    "the request must be signed with ECDSA, RSA PKCS#1 v1.5 or RSA-PSS and SHA-256, SHA-384 or "
    "SHA-512";

absl::Status Unsupported() { return Error(ErrorReason::kKeyUnsupported, "pkcs10", kSupported); }

// Hashes that are broken or short, by the algorithms that name them: of signatures, and of PSS.
struct OldHash {
  absl::string_view oid;
  const char* name;
};

constexpr OldHash kOldHashes[] = {
    {oids::kEcdsaWithSha1, "SHA-1"},
    {oids::kSha1WithRsa, "SHA-1"},
    {oids::kOiwSha1WithRsa, "SHA-1"},
    {oids::kSha1, "SHA-1"},
    {oids::kEcdsaWithSha224, "SHA-224"},
    {oids::kSha224WithRsa, "SHA-224"},
    {oids::kSha224, "SHA-224"},
    {oids::kMd5WithRsa, "MD5"},
    {oids::kMd5, "MD5"},
    {oids::kMd4WithRsa, "MD4"},
    {oids::kMd2WithRsa, "MD2"},
};

// Says which hash it is that the client's tools must be told to leave.
absl::Status UnsupportedHash(absl::string_view oid) {
  for (const OldHash& old : kOldHashes) {
    if (old.oid != oid) continue;
    return Error(ErrorReason::kKeyUnsupported, "pkcs10",
                 absl::StrCat("the request is signed with ", old.name,
                              ", which is not accepted any more; ", kSupported));
  }
  return Unsupported();
}

struct SimpleAlgorithm {
  absl::string_view oid;
  SignatureScheme scheme;
  int digest_bits;
};

constexpr SimpleAlgorithm kSimpleAlgorithms[] = {
    {oids::kEcdsaWithSha256, SignatureScheme::kEcdsa, 256},
    {oids::kEcdsaWithSha384, SignatureScheme::kEcdsa, 384},
    {oids::kEcdsaWithSha512, SignatureScheme::kEcdsa, 512},
    {oids::kSha256WithRsa, SignatureScheme::kRsaPkcs1, 256},
    {oids::kSha384WithRsa, SignatureScheme::kRsaPkcs1, 384},
    {oids::kSha512WithRsa, SignatureScheme::kRsaPkcs1, 512},
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

// The OID of the hash of RSASSA-PSS-params, SHA-1 where none is named (RFC 4055 section 3.1), or
// nothing.
absl::string_view PssHashOid(absl::string_view parameters) {
  const std::optional<absl::string_view> fields = der::ReadOnly(parameters, der::kSequence);
  if (!fields.has_value()) return "";
  der::Reader reader(*fields);
  if (!reader.NextIs(der::Constructed(0))) return oids::kSha1;
  const std::optional<absl::string_view> hash = ReadTagged(0, der::kSequence, &reader);
  return hash.has_value() ? der::Reader(*hash).Read(der::kOid).value_or("") : "";
}

// RSASSA-PSS-params. The trailer field has one legal value, which is its default, so DER never
// writes it.
std::optional<SignatureAlgorithm> ReadPss(absl::string_view parameters) {
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
  return SignatureAlgorithm{SignatureScheme::kRsaPss, *bits, *salt_size};
}

absl::StatusOr<SignatureAlgorithm> ReadAlgorithm(absl::string_view algorithm) {
  der::Reader reader(algorithm);
  const std::optional<absl::string_view> oid = reader.Read(der::kOid);
  if (!oid.has_value()) {
    return Error(ErrorReason::kRequestMalformed, "pkcs10", "the signature algorithm is not DER");
  }
  if (*oid == oids::kRsassaPss) {
    const std::optional<SignatureAlgorithm> pss = ReadPss(reader.rest());
    if (!pss.has_value()) return UnsupportedHash(PssHashOid(reader.rest()));
    return *pss;
  }
  for (const SimpleAlgorithm& simple : kSimpleAlgorithms) {
    if (simple.oid != *oid) continue;
    const bool parameters_fit =
        simple.scheme == SignatureScheme::kEcdsa ? reader.empty() : IsNullOrAbsent(reader.rest());
    if (!parameters_fit) return Unsupported();
    return SignatureAlgorithm{simple.scheme, simple.digest_bits, 0};
  }
  return UnsupportedHash(*oid);
}

}  // namespace

absl::Status VerifyRequestSignature(const PublicKey& key, absl::string_view algorithm,
                                    absl::string_view message, absl::string_view signature) {
  ASSIGN_OR_RETURN(const SignatureAlgorithm known, ReadAlgorithm(algorithm));
  return CheckSignature(key, known, message, signature);
}

}  // namespace hourglass::ca
