#include "ca/lint/lint_botan.h"

#include <botan/asn1_obj.h>
#include <botan/ber_dec.h>
#include <botan/pk_keys.h>
#include <botan/pkix_types.h>
#include <botan/x509_ext.h>
#include <botan/x509_key.h>
#include <botan/x509cert.h>

#include <cstdint>
#include <exception>
#include <memory>

#include "absl/strings/str_cat.h"
#include "ca/lint/botan_reading.h"

namespace hourglass::ca {
namespace {

using Certificate = Botan::X509_Certificate;

// 2.5.29.56, which Botan 2.19 does not know by name.
const char kNoRevAvailOid[] = "2.5.29.56";
const char kSubjectAltNameOid[] = "2.5.29.17";
const char kSidOid[] = "1.3.6.1.4.1.311.25.2";
const char kObjectSidOid[] = "1.3.6.1.4.1.311.25.2.1";
const char kUpnOid[] = "1.3.6.1.4.1.311.20.2.3";

constexpr auto kContextConstructed =
    static_cast<Botan::ASN1_Tag>(Botan::CONTEXT_SPECIFIC | Botan::CONSTRUCTED);

// Opens what must be a constructed `[0]`.
Botan::BER_Decoder OpenTagged(Botan::BER_Decoder& decoder) {
  Botan::BER_Object object = decoder.get_next_object();
  object.assert_is_a(static_cast<Botan::ASN1_Tag>(0), kContextConstructed);
  return Botan::BER_Decoder(std::move(object));
}

// The value of an otherName of this type, as the whole element that it is. Botan 2.19 does not
// decode otherNames by itself.
Botan::BER_Object ReadOtherName(Botan::BER_Decoder& names, const char* expected_oid) {
  Botan::BER_Decoder other_name = OpenTagged(names);
  Botan::OID oid;
  other_name.decode(oid);
  Botan::BER_Decoder wrapped = OpenTagged(other_name);
  Botan::BER_Object value = wrapped.get_next_object();
  wrapped.verify_end();
  other_name.verify_end();
  if (oid != Botan::OID(expected_oid)) throw Botan::Decoding_Error("otherName of another type");
  return value;
}

std::string Text(const Botan::BER_Object& object, Botan::ASN1_Tag tag) {
  object.assert_is_a(tag, Botan::UNIVERSAL);
  return std::string(reinterpret_cast<const char*>(object.bits()), object.length());
}

bool AlternativeNamesAre(const Certificate& leaf, absl::string_view upn,
                         const std::vector<std::string>& uris) {
  const Botan::Extensions& extensions = leaf.v3_extensions();
  const Botan::OID id(kSubjectAltNameOid);
  if (extensions.critical_extension_set(id)) return false;
  Botan::BER_Decoder value(extensions.get_extension_bits(id));
  Botan::BER_Decoder names = value.start_cons(Botan::SEQUENCE);
  if (Text(ReadOtherName(names, kUpnOid), Botan::UTF8_STRING) != upn) return false;
  const Botan::AlternativeName& decoded = leaf.subject_alt_name();
  return decoded.get_attributes().size() == uris.size() && decoded.get_attribute("URI") == uris;
}

// Not by is_CA_cert(), for which cA counts beside keyCertSign only.
bool IsNoCa(const Certificate& leaf) {
  const auto* const constraints =
      leaf.v3_extensions().get_extension_object_as<Botan::Cert_Extension::Basic_Constraints>();
  return constraints != nullptr && !constraints->get_is_ca() &&
         leaf.is_critical("X509v3.BasicConstraints");
}

bool IsPlain(const Certificate& leaf, const char* oid) {
  const Botan::OID id(oid);
  return leaf.v3_extensions().extension_set(id) && !leaf.v3_extensions().critical_extension_set(id);
}

bool NoRevAvailIs(const Certificate& leaf, bool wanted) {
  const Botan::OID id(kNoRevAvailOid);
  if (!wanted) return !leaf.v3_extensions().extension_set(id);
  if (!IsPlain(leaf, kNoRevAvailOid)) return false;
  Botan::BER_Decoder(leaf.v3_extensions().get_extension_bits(id)).decode_null().verify_end();
  return true;
}

bool SidIs(const Certificate& leaf, absl::string_view sid) {
  const Botan::OID id(kSidOid);
  if (sid.empty()) return !leaf.v3_extensions().extension_set(id);
  if (!IsPlain(leaf, kSidOid)) return false;
  Botan::BER_Decoder value(leaf.v3_extensions().get_extension_bits(id));
  Botan::BER_Decoder names = value.start_cons(Botan::SEQUENCE);
  const std::string text = Text(ReadOtherName(names, kObjectSidOid), Botan::OCTET_STRING);
  names.verify_end();
  return text == sid;
}

std::vector<std::string> ExpectedUris(const LeafSpecimen& specimen) {
  if (!specimen.profile.sid_uri() || specimen.fields.sid.empty()) return {};
  return {absl::StrCat("tag:microsoft.com,2022-09-14:sid:", specimen.fields.sid)};
}

void CompareIdentity(const Certificate& leaf, const LeafSpecimen& specimen, BotanKey key,
                     BotanFindings* findings) {
  const LeafFields& fields = specimen.fields;
  findings->Expect(leaf.x509_version() == 3, "botan_version");
  findings->Expect(Equal(leaf.serial_number(), fields.serial_number), "botan_serial_number");
  findings->Expect(Equal(leaf.not_before(), fields.not_before), "botan_not_before");
  findings->Expect(Equal(leaf.not_after(), fields.not_after), "botan_not_after");
  findings->Expect(HasCommonName(leaf, fields.common_name), "botan_common_name");
  findings->Expect(Equal(leaf.subject_public_key_info(), fields.subject_public_key_info) &&
                       (key == BotanKey::kCompare || leaf.load_subject_public_key() != nullptr),
                   "botan_public_key");
}

void CompareExtensions(const Certificate& leaf, const LeafSpecimen& specimen,
                       BotanFindings* findings) {
  const LeafFields& fields = specimen.fields;
  findings->Expect(IsNoCa(leaf), "botan_basic_constraints");
  findings->Expect(
      leaf.constraints() == Botan::DIGITAL_SIGNATURE && leaf.is_critical("X509v3.KeyUsage"),
      "botan_key_usage");
  findings->Expect(HasTheTwoPurposes(leaf) && !leaf.is_critical("X509v3.ExtendedKeyUsage"),
                   "botan_extended_key_usage");
  findings->Expect(AlternativeNamesAre(leaf, fields.upn, ExpectedUris(specimen)),
                   "botan_subject_alternative_name");
  findings->Expect(Equal(leaf.subject_key_id(), fields.key_identifier) &&
                       leaf.subject_public_key_bitstring_sha1() == leaf.subject_key_id(),
                   "botan_subject_key_identifier");
  findings->Expect(Equal(leaf.authority_key_id(), specimen.issuer.key_identifier()),
                   "botan_authority_key_identifier");
  findings->Expect(NoRevAvailIs(leaf, specimen.profile.no_rev_avail()), "botan_no_rev_avail");
  findings->Expect(SidIs(leaf, fields.sid), "botan_sid");
  findings->Expect(leaf.crl_distribution_point().empty() && leaf.ocsp_responder().empty(),
                   "botan_no_revocation_pointers");
}

}  // namespace

std::vector<LintFinding> LintLeafWithBotan(const LeafSpecimen& specimen, BotanKey key) {
  try {
    const Certificate leaf = ReadWithBotan(specimen.certificate);
    BotanFindings findings;
    CompareIdentity(leaf, specimen, key, &findings);
    CompareExtensions(leaf, specimen, &findings);
    findings.Expect(Equal(leaf.raw_issuer_dn(), specimen.issuer.subject()), "botan_issuer");
    return findings.Take();
  } catch (const std::exception&) {
    return {kBotanRefuses};
  }
}

bool BotanLoadsKey(absl::string_view subject_public_key_info) {
  try {
    const std::vector<std::uint8_t> octets(subject_public_key_info.begin(),
                                           subject_public_key_info.end());
    return std::unique_ptr<Botan::Public_Key>(Botan::X509::load_key(octets)) != nullptr;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace hourglass::ca
