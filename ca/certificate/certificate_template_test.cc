#include "ca/certificate/certificate_template.h"

#include <gtest/gtest.h>
#include <openssl/conf.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_certificate.h"
#include "hsm/base/openssl.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/openssl_der.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using ConfPtr = OpensslPtr<CONF, NCONF_free>;
using hsm::KeyType;

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

const unsigned char* Octets(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

EvpPkeyPtr ReadKey(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return EvpPkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

// Long keys take long to make, so each is made once.
const std::string& KeyPem(KeyType type) {
  static auto* const pems = new std::map<KeyType, std::string>;
  std::string& pem = (*pems)[type];
  if (pem.empty()) pem = *hsm::GenerateSoftwareKeyPem(type);
  return pem;
}

struct LeafKey {
  EvpPkeyPtr key;
  std::string subject_public_key_info;
  std::string key_identifier;
};

LeafKey MakeLeafKey(KeyType type) {
  EvpPkeyPtr key = ReadKey(KeyPem(type));
  X509_PUBKEY* wrapped = nullptr;
  X509_PUBKEY_set(&wrapped, key.get());
  const unsigned char* bits = nullptr;
  int size = 0;
  X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, wrapped);
  const std::string identifier = Sha1(std::string(bits, bits + size));
  X509_PUBKEY_free(wrapped);
  std::string info = DerByOpenssl(i2d_PUBKEY, key.get());
  return {std::move(key), std::move(info), identifier};
}

// The same leaf by OpenSSL's X509 functions and configuration language, which share nothing with
// the template.
class OpensslLeaf {
 public:
  OpensslLeaf(const RootCertificate& root, const LeafProfile& profile) : profile_(profile) {
    const unsigned char* in = Octets(root.der());
    issuer_.reset(d2i_X509(nullptr, &in, static_cast<long>(root.der().size())));
  }

  // TBSCertificate, DER.
  std::string Build(const LeafFields& fields, EVP_PKEY* leaf_key, EVP_PKEY* root_key) const {
    const X509Ptr leaf(X509_new());
    X509_set_version(leaf.get(), X509_VERSION_3);
    const BignumPtr serial(BN_bin2bn(Octets(fields.serial_number),
                                     static_cast<int>(fields.serial_number.size()), nullptr));
    BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(leaf.get()));
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer_.get()));
    ASN1_TIME_set(X509_getm_notBefore(leaf.get()), fields.not_before.time_since_epoch().count());
    ASN1_TIME_set(X509_getm_notAfter(leaf.get()), fields.not_after.time_since_epoch().count());
    X509_NAME_add_entry_by_NID(X509_get_subject_name(leaf.get()), NID_commonName, V_ASN1_UTF8STRING,
                               Octets(fields.common_name),
                               static_cast<int>(fields.common_name.size()), -1, 0);
    X509_set_pubkey(leaf.get(), leaf_key);
    AddExtensions(leaf.get(), fields);
    EXPECT_GT(X509_sign(leaf.get(), root_key,
                        EVP_PKEY_get_bits(root_key) == 384 ? EVP_sha384() : EVP_sha256()),
              0);
    return DerByOpenssl(i2d_re_X509_tbs, leaf.get());
  }

 private:
  std::string Configuration(const LeafFields& fields) const {
    const std::string sid(fields.sid);
    std::string text =
        "[leaf]\n"
        "basicConstraints = critical,CA:FALSE\n"
        "keyUsage = critical,digitalSignature\n"
        "extendedKeyUsage = clientAuth,1.3.6.1.4.1.311.87\n"
        "subjectAltName = @names\n"
        "subjectKeyIdentifier = hash\n"
        "authorityKeyIdentifier = keyid:always\n";
    if (profile_.no_rev_avail()) text += "2.5.29.56 = ASN1:NULL\n";
    if (!sid.empty()) text += "1.3.6.1.4.1.311.25.2 = ASN1:SEQUENCE:sid\n";
    absl::StrAppend(
        &text, "[names]\notherName = 1.3.6.1.4.1.311.20.2.3;FORMAT:UTF8,UTF8:", fields.upn, "\n");
    if (profile_.sid_uri() && !sid.empty()) {
      absl::StrAppend(&text, "URI = tag:microsoft.com,2022-09-14:sid:", sid, "\n");
    }
    absl::StrAppend(&text, "[sid]\nname = IMPLICIT:0,SEQUENCE:other\n[other]\n",
                    "type = OID:1.3.6.1.4.1.311.25.2.1\nvalue = EXPLICIT:0,FORMAT:ASCII,OCT:", sid,
                    "\n");
    return text;
  }

  void AddExtensions(X509* leaf, const LeafFields& fields) const {
    const std::string text = Configuration(fields);
    const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    const ConfPtr configuration(NCONF_new(nullptr));
    ASSERT_EQ(NCONF_load_bio(configuration.get(), bio.get(), nullptr), 1);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer_.get(), leaf, nullptr, nullptr, 0);
    X509V3_set_nconf(&context, configuration.get());
    ASSERT_EQ(X509V3_EXT_add_nconf(configuration.get(), &context, "leaf", leaf), 1)
        << DrainOpensslErrors();
  }

  LeafProfile profile_;
  X509Ptr issuer_;
};

std::string Repeat(absl::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) absl::StrAppend(&out, text);
  return out;
}

struct Names {
  std::string common_name, upn, sid;
};

// 1, 63, 64, 127, 128 octets, where DER's length octets grow, also in characters of two octets;
// every length of SID that changes a length of the extension.
std::vector<Names> AllNames() {
  std::vector<Names> all;
  for (const int size : {1, 2, 63, 64, 127, 128, 256}) {
    const std::string upn = Repeat("u", size);
    all.push_back({Repeat("c", std::min(size, 64)), upn, ""});
    all.push_back({"id", upn, "S-1-5-21-1496966362-3320961333-4044918980-1105"});
  }
  all.push_back({Repeat("\xc3\xa9", 63) + "e", Repeat("\xc3\xa9", 63) + "e", ""});  // 127 octets
  all.push_back({Repeat("\xc3\xa9", 64), Repeat("\xf0\x9f\x98\x80", 16), ""});      // 128 octets
  for (const int digits : {1, 70, 80, 81, 82, 83, 90, 91, 92, 93, 94, 95, 100, 101}) {
    all.push_back({"c", "u@c", absl::StrCat("S-1-5-21", Repeat("7", digits))});
  }
  return all;
}

// Both encodings, the turn between them, the turn of years, leap days and the days after where
// there is none.
std::vector<Time> AllBegins() {
  using std::chrono::seconds;
  const auto midnight = [](int year, unsigned month, unsigned day) {
    return Time(std::chrono::sys_days(std::chrono::year(year) / month / day));
  };
  std::vector<Time> all = {kNow, kFirstGeneralizedTime - std::chrono::hours(2)};
  for (const Time turn :
       {midnight(2027, 1, 1), midnight(2027, 3, 1), midnight(2028, 2, 29), midnight(2028, 3, 1),
        midnight(2030, 1, 1), kFirstGeneralizedTime, midnight(2052, 2, 29), midnight(2052, 3, 1)}) {
    for (const seconds offset : {seconds(-1), seconds(0), seconds(1)}) all.push_back(turn + offset);
  }
  return all;
}

// Where clocks are put forward and back, by rules of its own, so that no file of time zones is
// needed, and instants around one of each.
struct TimeZone {
  const char* rules;
  std::vector<std::chrono::sys_seconds> turns;
};

std::vector<TimeZone> AllTimeZones() {
  using std::chrono::hours;
  using std::chrono::minutes;
  const auto day = [](unsigned month, unsigned day) {
    return std::chrono::sys_days(std::chrono::year(2027) / month / day);
  };
  return {{"UTC0", {day(3, 28) + hours(1)}},
          {"CET-1CEST,M3.5.0,M10.5.0/3", {day(3, 28) + hours(1), day(10, 31) + hours(1)}},
          {"EST5EDT,M3.2.0,M11.1.0", {day(3, 14) + hours(7), day(11, 7) + hours(6)}},
          {"LHST-10:30LHDT-11,M10.1.0,M4.1.0",
           {day(4, 3) + hours(15), day(10, 2) + hours(15) + minutes(30)}},
          {"<+14>-14", {day(12, 31) + hours(10)}}};
}

// Sets the process's time zone, and sets it back.
class ScopedTimeZone {
 public:
  explicit ScopedTimeZone(const char* rules) {
    if (const char* const before = getenv("TZ")) before_ = before;
    setenv("TZ", rules, 1);
    tzset();
  }
  ~ScopedTimeZone() {
    before_.empty() ? unsetenv("TZ") : setenv("TZ", before_.c_str(), 1);
    tzset();
  }

  // What the C library makes of `time`: that the zone is in force.
  static long OffsetAt(Time time) {
    const time_t seconds = time.time_since_epoch().count();
    tm local{};
    localtime_r(&seconds, &local);
    return local.tm_gmtoff;
  }

 private:
  std::string before_;
};

class CertificateTemplateTest : public testing::TestWithParam<KeyType> {
 protected:
  CertificateTemplateTest() : root_(MakeRoot()), root_key_(ReadKey(KeyPem(GetParam()))) {}

  static RootCertificate MakeRoot() {
    const auto key = *hsm::SoftwareKeyFromPem(KeyPem(GetParam()));
    return *IssueRoot({.display_name = "Contoso",
                       .now = kNow,
                       .duration = std::chrono::days(30 * 365),
                       .serial_entropy = std::string(kSerialSize, 's')},
                      *key);
  }

  void ExpectSame(const LeafProfile& profile, const Names& names, Time begin,
                  const LeafKey& key) const {
    const std::string serial = SerialFromEntropy(std::string(kSerialSize, '\xab'));
    const LeafFields fields{
        serial,    begin,     begin + std::chrono::minutes(65), names.common_name,
        names.upn, names.sid, key.subject_public_key_info,      key.key_identifier};
    EXPECT_EQ(CertificateTemplate::Compile(root_, profile).Fill(fields),
              OpensslLeaf(root_, profile).Build(fields, key.key.get(), root_key_.get()))
        << names.upn << " " << names.sid << " " << FormatTime(begin);
  }

  RootCertificate root_;
  EvpPkeyPtr root_key_;
};

TEST_P(CertificateTemplateTest, NamesAreOctetForOctetOpenssls) {
  const LeafKey key = MakeLeafKey(KeyType::kEcP256);
  for (const bool no_rev_avail : {false, true}) {
    for (const bool sid_uri : {false, true}) {
      ASSERT_OK_AND_ASSIGN(const LeafProfile profile,
                           LeafProfile::Create({.no_rev_avail = no_rev_avail, .sid_uri = sid_uri}));
      for (const Names& names : AllNames()) ExpectSame(profile, names, kNow, key);
    }
  }
}

TEST_P(CertificateTemplateTest, TimesAreOctetForOctetOpenssls) {
  ASSERT_OK_AND_ASSIGN(const LeafProfile profile, LeafProfile::Create({}));
  const LeafKey key = MakeLeafKey(KeyType::kEcP256);
  for (const Time begin : AllBegins()) ExpectSame(profile, {"c", "u@c", ""}, begin, key);
}

// Certificates know nothing of time zones: whatever the process's is, on the days when clocks are
// put forward or back.
TEST_P(CertificateTemplateTest, TimeZonesDoNotMatter) {
  ASSERT_OK_AND_ASSIGN(const LeafProfile profile, LeafProfile::Create({}));
  const LeafKey key = MakeLeafKey(KeyType::kEcP256);
  for (const TimeZone& zone : AllTimeZones()) {
    SCOPED_TRACE(zone.rules);
    const ScopedTimeZone set(zone.rules);
    for (const Time turn : zone.turns) {
      if (zone.turns.size() == 2) {
        EXPECT_NE(ScopedTimeZone::OffsetAt(turn),
                  ScopedTimeZone::OffsetAt(turn - std::chrono::seconds(1)))
            << FormatTime(turn) << " is no turn";
      }
      // The last begins before the turn and ends after it.
      for (const std::chrono::minutes offset :
           {std::chrono::minutes(-120), std::chrono::minutes(-65), std::chrono::minutes(-60),
            std::chrono::minutes(0), std::chrono::minutes(60), std::chrono::minutes(-30)}) {
        ExpectSame(profile, {"c", "u@c", ""}, turn + offset, key);
        ExpectSame(profile, {"c", "u@c", ""}, turn + offset - std::chrono::seconds(1), key);
      }
    }
  }
}

TEST_P(CertificateTemplateTest, KeysAreOctetForOctetOpenssls) {
  ASSERT_OK_AND_ASSIGN(const LeafProfile profile, LeafProfile::Create({}));
  for (const KeyType type : hsm::kAllKeyTypes) {
    ExpectSame(profile, {"u@c", "u@c", "S-1-5-21-1-2-3-4"}, kNow, MakeLeafKey(type));
  }
}

INSTANTIATE_TEST_SUITE_P(Roots, CertificateTemplateTest, testing::ValuesIn(hsm::kAllKeyTypes));

}  // namespace
}  // namespace hourglass::ca
