#include "ca/certificate/certificate.h"

#include "ca/encoding/oids.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kEcdsaSha256Identifier(
    "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12);
constexpr absl::string_view kEcdsaSha384Identifier(
    "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", 12);
constexpr absl::string_view kRsaSha256Identifier(
    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", 15);

constexpr absl::string_view kTrue("\xff", 1);
constexpr absl::string_view kFalse("\x00", 1);

std::optional<ExtensionView> ReadExtension(absl::string_view content) {
  der::Reader reader(content);
  ExtensionView extension{};
  const std::optional<absl::string_view> oid = reader.Read(der::kOid);
  if (!oid.has_value()) return std::nullopt;
  extension.oid = *oid;
  if (reader.NextIs(der::kBoolean)) {
    const std::optional<absl::string_view> critical = reader.Read(der::kBoolean);
    if (critical != kTrue && critical != kFalse) return std::nullopt;
    extension.critical = critical == kTrue;
    extension.writes_default = critical == kFalse;
  }
  const std::optional<absl::string_view> value = reader.Read(der::kOctetString);
  if (!value.has_value() || !reader.empty()) return std::nullopt;
  extension.value = *value;
  return extension;
}

// Assigns what was read; false where nothing was.
bool Take(std::optional<absl::string_view> read, absl::string_view* target) {
  if (!read.has_value()) return false;
  *target = *read;
  return true;
}

bool ReadValidity(absl::string_view content, CertificateView* view) {
  der::Reader reader(content);
  const std::optional<der::Element> first = reader.ReadAny();
  const std::optional<der::Element> last = reader.ReadAny();
  if (!first.has_value() || !last.has_value() || !reader.empty()) return false;
  view->not_before = first->whole;
  view->not_after = last->whole;
  return true;
}

bool ReadExtensions(der::Reader* reader, CertificateView* view) {
  if (reader->empty()) return true;
  const std::optional<absl::string_view> wrapped = reader->Read(der::Constructed(3));
  if (!wrapped.has_value()) return false;
  const std::optional<absl::string_view> list = der::ReadOnly(*wrapped, der::kSequence);
  if (!list.has_value() || !reader->empty()) return false;
  der::Reader extensions(*list);
  while (!extensions.empty()) {
    const std::optional<absl::string_view> content = extensions.Read(der::kSequence);
    if (!content.has_value()) return false;
    const std::optional<ExtensionView> extension = ReadExtension(*content);
    if (!extension.has_value()) return false;
    view->extensions.push_back(*extension);
  }
  return true;
}

bool ReadToBeSigned(absl::string_view content, CertificateView* view) {
  der::Reader reader(content);
  if (reader.NextIs(der::Constructed(0))) {
    const std::optional<absl::string_view> wrapped = reader.Read(der::Constructed(0));
    if (!wrapped.has_value() || !Take(der::ReadOnly(*wrapped, der::kInteger), &view->version)) {
      return false;
    }
  }
  absl::string_view validity;
  if (!Take(reader.Read(der::kInteger), &view->serial_number) ||
      !Take(reader.ReadWhole(der::kSequence), &view->signed_algorithm) ||
      !Take(reader.ReadWhole(der::kSequence), &view->issuer) ||
      !Take(reader.Read(der::kSequence), &validity) || !ReadValidity(validity, view) ||
      !Take(reader.ReadWhole(der::kSequence), &view->subject) ||
      !Take(reader.ReadWhole(der::kSequence), &view->subject_public_key_info)) {
    return false;
  }
  for (const int number : {1, 2}) {
    if (reader.Read(der::Primitive(number)).has_value()) view->has_unique_identifiers = true;
  }
  return ReadExtensions(&reader, view);
}

}  // namespace

std::string SerialFromEntropy(absl::string_view entropy) {
  std::string serial(entropy);
  serial[0] = static_cast<char>((serial[0] & 0x7f) | 0x40);
  return serial;
}

const ExtensionView* CertificateView::Find(absl::string_view oid) const {
  for (const ExtensionView& extension : extensions) {
    if (extension.oid == oid) return &extension;
  }
  return nullptr;
}

std::optional<CertificateView> ReadCertificate(absl::string_view der) {
  const std::optional<absl::string_view> content = der::ReadOnly(der, der::kSequence);
  if (!content.has_value() || !der::IsWellFormed(der)) return std::nullopt;
  der::Reader reader(*content);
  CertificateView view{};
  if (!Take(reader.ReadWhole(der::kSequence), &view.to_be_signed) ||
      !Take(reader.ReadWhole(der::kSequence), &view.algorithm) ||
      !Take(reader.ReadOctetAlignedBits(), &view.signature) || !reader.empty() ||
      !ReadToBeSigned(*der::ReadOnly(view.to_be_signed, der::kSequence), &view)) {
    return std::nullopt;
  }
  return view;
}

absl::string_view SignatureAlgorithm(hsm::KeyType type) {
  switch (type) {
    case hsm::KeyType::kEcP256:
      return kEcdsaSha256Identifier;
    case hsm::KeyType::kEcP384:
      return kEcdsaSha384Identifier;
    case hsm::KeyType::kRsa2048:
    case hsm::KeyType::kRsa3072:
    case hsm::KeyType::kRsa4096:
      break;
  }
  return kRsaSha256Identifier;
}

std::string EncodeCommonName(absl::string_view common_name) {
  const std::string attribute = der::Encode(
      der::kSequence,
      {der::Encode(der::kOid, {oids::kCommonName}), der::Encode(der::kUtf8String, {common_name})});
  return der::Encode(der::kSequence, {der::Encode(der::kSet, {attribute})});
}

std::string EncodeExtension(absl::string_view oid, bool critical, absl::string_view value) {
  return der::Encode(der::kSequence,
                     {der::Encode(der::kOid, {oid}),
                      critical ? der::Encode(der::kBoolean, {kTrue}) : std::string(),
                      der::Encode(der::kOctetString, {value})});
}

std::string AssembleCertificate(absl::string_view to_be_signed, hsm::KeyType type,
                                absl::string_view signature) {
  const absl::string_view algorithm = SignatureAlgorithm(type);
  const std::size_t bits_size = 1 + signature.size();
  const std::size_t content_size =
      to_be_signed.size() + algorithm.size() + der::HeaderSize(bits_size) + bits_size;
  std::string out;
  out.reserve(der::HeaderSize(content_size) + content_size);
  der::AppendHeader(der::kSequence, content_size, &out);
  out.append(to_be_signed.data(), to_be_signed.size());
  out.append(algorithm.data(), algorithm.size());
  der::AppendHeader(der::kBitString, bits_size, &out);
  out.push_back('\0');
  out.append(signature.data(), signature.size());
  return out;
}

}  // namespace hourglass::ca
