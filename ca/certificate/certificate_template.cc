#include "ca/certificate/certificate_template.h"

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "ca/encoding/oids.h"

namespace hourglass::ca {
namespace {

// Whole elements, as they stand in every leaf.
constexpr absl::string_view kVersion3("\xa0\x03\x02\x01\x02", 5);
constexpr absl::string_view kCommonNameOid("\x06\x03\x55\x04\x03", 5);
constexpr absl::string_view kUpnOid("\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03", 12);
constexpr absl::string_view kSubjectAltNameOid("\x06\x03\x55\x1d\x11", 5);
constexpr absl::string_view kSidExtensionOid("\x06\x09\x2b\x06\x01\x04\x01\x82\x37\x19\x02", 11);
constexpr absl::string_view kObjectSidOid("\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01", 12);

// Extension values (RFC 5280 section 4.2.1, RFC 9608 section 2).
constexpr absl::string_view kNotACa("\x30\x00", 2);
constexpr absl::string_view kDigitalSignature("\x03\x02\x07\x80", 4);
constexpr absl::string_view kNull("\x05\x00", 2);

// The subjectKeyIdentifier extension up to its 20 octets.
constexpr absl::string_view kBeforeKeyIdentifier("\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16\x04\x14",
                                                 11);

constexpr absl::string_view kSidUriPrefix = "tag:microsoft.com,2022-09-14:sid:";
constexpr der::Tag kUniformResourceIdentifier = der::Primitive(6);

std::size_t SizeWith(std::size_t content_size) {
  return der::HeaderSize(content_size) + content_size;
}

void Put(absl::string_view octets, std::string* out) { out->append(octets.data(), octets.size()); }

// Every gap is an element in elements. Sizes are known inside out and headers are written outside
// in, so each of these computes the former when it is made and does the latter in Append.

// Name with one common name.
class NameGap {
 public:
  explicit NameGap(absl::string_view common_name)
      : common_name_(common_name),
        attribute_(kCommonNameOid.size() + SizeWith(common_name.size())),
        relative_(SizeWith(attribute_)),
        name_(SizeWith(relative_)) {}

  std::size_t size() const { return SizeWith(name_); }

  void Append(std::string* out) const {
    der::AppendHeader(der::kSequence, name_, out);
    der::AppendHeader(der::kSet, relative_, out);
    der::AppendHeader(der::kSequence, attribute_, out);
    Put(kCommonNameOid, out);
    der::Append(der::kUtf8String, common_name_, out);
  }

 private:
  absl::string_view common_name_;
  std::size_t attribute_, relative_, name_;
};

// The subjectAltName extension: the UPN as otherName, and the SID as URI unless `sid` is empty.
class AlternativeNamesGap {
 public:
  AlternativeNamesGap(absl::string_view upn, absl::string_view sid)
      : upn_(upn),
        sid_(sid),
        value_(SizeWith(upn.size())),
        other_name_(kUpnOid.size() + SizeWith(value_)),
        uri_(sid.empty() ? 0 : kSidUriPrefix.size() + sid.size()),
        names_(SizeWith(other_name_) + (sid.empty() ? 0 : SizeWith(uri_))),
        octets_(SizeWith(names_)),
        extension_(kSubjectAltNameOid.size() + SizeWith(octets_)) {}

  std::size_t size() const { return SizeWith(extension_); }

  void Append(std::string* out) const {
    der::AppendHeader(der::kSequence, extension_, out);
    Put(kSubjectAltNameOid, out);
    der::AppendHeader(der::kOctetString, octets_, out);
    der::AppendHeader(der::kSequence, names_, out);
    der::AppendHeader(der::Constructed(0), other_name_, out);
    Put(kUpnOid, out);
    der::AppendHeader(der::Constructed(0), value_, out);
    der::Append(der::kUtf8String, upn_, out);
    if (sid_.empty()) return;
    der::AppendHeader(kUniformResourceIdentifier, uri_, out);
    Put(kSidUriPrefix, out);
    Put(sid_, out);
  }

 private:
  absl::string_view upn_, sid_;
  std::size_t value_, other_name_, uri_, names_, octets_, extension_;
};

// The SID extension (MS-WCCE section 2.2.2.7.7.4); nothing at all where there is no SID.
class SidGap {
 public:
  explicit SidGap(absl::string_view sid)
      : sid_(sid),
        value_(SizeWith(sid.size())),
        other_name_(kObjectSidOid.size() + SizeWith(value_)),
        names_(SizeWith(other_name_)),
        octets_(SizeWith(names_)),
        extension_(kSidExtensionOid.size() + SizeWith(octets_)) {}

  std::size_t size() const { return sid_.empty() ? 0 : SizeWith(extension_); }

  void Append(std::string* out) const {
    if (sid_.empty()) return;
    der::AppendHeader(der::kSequence, extension_, out);
    Put(kSidExtensionOid, out);
    der::AppendHeader(der::kOctetString, octets_, out);
    der::AppendHeader(der::kSequence, names_, out);
    der::AppendHeader(der::Constructed(0), other_name_, out);
    Put(kObjectSidOid, out);
    der::AppendHeader(der::Constructed(0), value_, out);
    der::Append(der::kOctetString, sid_, out);
  }

 private:
  absl::string_view sid_;
  std::size_t value_, other_name_, names_, octets_, extension_;
};

std::string EncodePurposes() {
  return der::Encode(der::kSequence, {der::Encode(der::kOid, {oids::kClientAuth}),
                                      der::Encode(der::kOid, {oids::kConditionalAccess})});
}

}  // namespace

CertificateTemplate CertificateTemplate::Compile(const IssuerCertificate& issuer,
                                                 const LeafProfile& profile) {
  CertificateTemplate compiled;
  compiled.before_validity_ = absl::StrCat(SignatureAlgorithm(issuer.key_type()), issuer.subject());
  compiled.before_alternative_names_ =
      absl::StrCat(EncodeExtension(oids::kBasicConstraints, true, kNotACa),
                   EncodeExtension(oids::kKeyUsage, true, kDigitalSignature),
                   EncodeExtension(oids::kExtendedKeyUsage, false, EncodePurposes()));
  const std::string authority_key_identifier =
      der::Encode(der::kSequence, {der::Encode(der::Primitive(0), {issuer.key_identifier()})});
  compiled.after_key_identifier_ =
      EncodeExtension(oids::kAuthorityKeyIdentifier, false, authority_key_identifier);
  if (profile.no_rev_avail()) {
    compiled.after_key_identifier_ += EncodeExtension(oids::kNoRevAvail, false, kNull);
  }
  compiled.sid_uri_ = profile.sid_uri();
  return compiled;
}

std::string CertificateTemplate::Fill(const LeafFields& fields) const {
  const NameGap subject(fields.common_name);
  const AlternativeNamesGap alternative_names(fields.upn, sid_uri_ ? fields.sid : "");
  const SidGap sid(fields.sid);
  const std::size_t extensions = before_alternative_names_.size() + alternative_names.size() +
                                 kBeforeKeyIdentifier.size() + fields.key_identifier.size() +
                                 after_key_identifier_.size() + sid.size();
  const std::size_t validity =
      EncodedTimeSize(fields.not_before) + EncodedTimeSize(fields.not_after);
  const std::size_t content = kVersion3.size() + SizeWith(fields.serial_number.size()) +
                              before_validity_.size() + SizeWith(validity) + subject.size() +
                              fields.subject_public_key_info.size() +
                              SizeWith(SizeWith(extensions));
  std::string out;
  out.reserve(SizeWith(content));
  der::AppendHeader(der::kSequence, content, &out);
  Put(kVersion3, &out);
  der::Append(der::kInteger, fields.serial_number, &out);
  Put(before_validity_, &out);
  der::AppendHeader(der::kSequence, validity, &out);
  AppendTime(fields.not_before, &out);
  AppendTime(fields.not_after, &out);
  subject.Append(&out);
  Put(fields.subject_public_key_info, &out);
  der::AppendHeader(der::Constructed(3), SizeWith(extensions), &out);
  der::AppendHeader(der::kSequence, extensions, &out);
  Put(before_alternative_names_, &out);
  alternative_names.Append(&out);
  Put(kBeforeKeyIdentifier, &out);
  Put(fields.key_identifier, &out);
  Put(after_key_identifier_, &out);
  sid.Append(&out);
  return out;
}

}  // namespace hourglass::ca
