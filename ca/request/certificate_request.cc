#include "ca/request/certificate_request.h"

#include <optional>

#include "ca/encoding/der.h"
#include "ca/encoding/digest.h"
#include "ca/keys/weak_keys.h"
#include "ca/request/request_signature.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kVersion1("\0", 1);

absl::Status Malformed(absl::string_view message) {
  return Error(ErrorReason::kRequestMalformed, "pkcs10", message);
}

// The strings that a name is made of (X.520), and BIT STRING for x500UniqueIdentifier.
bool IsNameString(der::Tag tag) {
  switch (tag) {
    case der::kBitString:
    case der::kUtf8String:
    case der::kNumericString:
    case der::kPrintableString:
    case der::kTeletexString:
    case der::kIa5String:
    case der::kUniversalString:
    case der::kBmpString:
      return true;
    default:
      return false;
  }
}

// AttributeTypeAndValue (RFC 5280 section 4.1.2.4).
bool IsNameAttribute(absl::string_view content) {
  der::Reader reader(content);
  if (!reader.Read(der::kOid).has_value()) return false;
  const std::optional<der::Element> value = reader.ReadAny();
  return value.has_value() && IsNameString(value->tag) && reader.empty();
}

bool IsName(absl::string_view content) {
  der::Reader names(content);
  while (!names.empty()) {
    const std::optional<absl::string_view> relative = names.Read(der::kSet);
    if (!relative.has_value() || relative->empty()) return false;
    der::Reader attributes(*relative);
    while (!attributes.empty()) {
      const std::optional<absl::string_view> attribute = attributes.Read(der::kSequence);
      if (!attribute.has_value() || !IsNameAttribute(*attribute)) return false;
    }
  }
  return true;
}

// SET OF Attribute (RFC 2986 section 4.1): each a type and a non-empty SET of values.
bool AreAttributes(absl::string_view content) {
  der::Reader reader(content);
  while (!reader.empty()) {
    const std::optional<absl::string_view> attribute = reader.Read(der::kSequence);
    if (!attribute.has_value()) return false;
    der::Reader fields(*attribute);
    if (!fields.Read(der::kOid).has_value()) return false;
    const std::optional<absl::string_view> values = fields.Read(der::kSet);
    if (!values.has_value() || values->empty() || !fields.empty()) return false;
  }
  return true;
}

struct Request {
  absl::string_view signed_part;              // CertificationRequestInfo, whole
  absl::string_view subject_public_key_info;  // whole
  absl::string_view signature_algorithm;      // content
  absl::string_view signature;
};

absl::Status ReadRequestInfo(absl::string_view content, Request* request) {
  der::Reader reader(content);
  if (reader.Read(der::kInteger) != kVersion1) return Malformed("the version must be 0");
  const std::optional<absl::string_view> subject = reader.Read(der::kSequence);
  if (!subject.has_value() || !IsName(*subject)) return Malformed("the subject is not a name");
  const std::optional<absl::string_view> key = reader.ReadWhole(der::kSequence);
  if (!key.has_value()) return Malformed("has no public key");
  request->subject_public_key_info = *key;
  if (reader.empty()) return absl::OkStatus();
  const std::optional<absl::string_view> attributes = reader.Read(der::Constructed(0));
  if (!attributes.has_value() || !reader.empty() || !AreAttributes(*attributes)) {
    return Malformed("the attributes are not a set of attributes");
  }
  return absl::OkStatus();
}

absl::StatusOr<Request> ReadRequest(absl::string_view der) {
  if (der.size() > kMaxRequestSize) return Malformed("is larger than 16 KiB");
  der::Reader outer(der);
  const std::optional<absl::string_view> content = outer.Read(der::kSequence);
  if (!content.has_value()) return Malformed("is not a PKCS#10 request in DER");
  if (!outer.empty()) return Malformed("has octets after its end");
  if (!der::IsWellFormed(der)) return Malformed("is not DER in all its parts");
  der::Reader reader(*content);
  const std::optional<absl::string_view> signed_part = reader.ReadWhole(der::kSequence);
  const std::optional<absl::string_view> algorithm = reader.Read(der::kSequence);
  const std::optional<absl::string_view> signature = reader.ReadOctetAlignedBits();
  if (!signed_part.has_value() || !algorithm.has_value() || !signature.has_value() ||
      !reader.empty()) {
    return Malformed("is not a PKCS#10 request in DER");
  }
  Request request{*signed_part, {}, *algorithm, *signature};
  RETURN_IF_ERROR(ReadRequestInfo(*der::ReadOnly(*signed_part, der::kSequence), &request));
  return request;
}

}  // namespace

absl::StatusOr<RequestedKey> ParseCertificateRequest(absl::string_view der,
                                                     const KeyPolicy& policy) {
  ASSIGN_OR_RETURN(const Request request, ReadRequest(der));
  ASSIGN_OR_RETURN(const PublicKey key, ReadPublicKey(request.subject_public_key_info, policy));
  RETURN_IF_ERROR(VerifyRequestSignature(key, request.signature_algorithm, request.signed_part,
                                         request.signature));
  // Last, as it costs something: who sends requests with keys that are not his own pays first.
  RETURN_IF_ERROR(CheckKeyStrength(key));
  RequestedKey requested;
  requested.subject_public_key_info_ = std::string(request.subject_public_key_info);
  requested.key_identifier_ = Sha1(key.bits);
  requested.sha256_ = Sha256(request.subject_public_key_info);
  return requested;
}

}  // namespace hourglass::ca
