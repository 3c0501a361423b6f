// Each line of docs/certificate-requests.md: what our reader refuses on purpose though an OpenSSL
// may accept it, and what both accept though it looks odd.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "ca/request/certificate_request.h"
#include "hsm/base/openssl.h"
#include "hsm/key/software_key.h"
#include "tests/fuzz/request_readings.h"
#include "tests/support/hex.h"
#include "tests/support/openssl_der.h"
#include "tests/support/status_matchers.h"

namespace hourglass {
namespace {

namespace der = ca::der;

using GroupPtr = OpensslPtr<EC_GROUP, EC_GROUP_free>;
using ParamsBuilderPtr = OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsPtr = OpensslPtr<OSSL_PARAM, OSSL_PARAM_free>;

// Octets of the requests that these tests write themselves, in the order of the structure.
struct Parts {
  std::string version = Hex("020100");
  std::string subject = Hex("300c310a300806035504030c0161");
  std::string attributes = Hex("a000");
  std::string algorithm = Hex("300a06082a8648ce3d040302");
  std::string after = "";
};

// A request signed by a P-256 key.
std::string Request(const Parts& parts) {
  static hsm::SigningKey* const key = hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256)->release();
  const std::string info = der::Encode(
      der::kSequence, {parts.version, parts.subject, key->public_key(), parts.attributes});
  const std::string signature = *key->Sign(info);
  return der::Encode(der::kSequence,
                     {info, parts.algorithm,
                      der::Encode(der::kBitString, {std::string(1, '\0'), signature})}) +
         parts.after;
}

// A challengePassword with the values `values`.
std::string Attributes(const std::string& values) {
  return der::Encode(der::Constructed(0),
                     {der::Encode(der::kSequence, {Hex("06092a864886f70d010907"),
                                                   der::Encode(der::kSet, {values})})});
}

std::string Nested(int depth) {
  std::string out;
  for (int i = 0; i < depth; ++i) out = der::Encode(der::kSequence, {out});
  return out;
}

// A request that OpenSSL makes.
std::string RequestOf(EVP_PKEY* key, const EVP_MD* digest,
                      const std::vector<std::pair<std::string, std::string>>& options = {}) {
  const X509ReqPtr request(X509_REQ_new());
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  EXPECT_EQ(X509_REQ_set_pubkey(request.get(), key), 1);
  EXPECT_EQ(EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key), 1);
  for (const auto& [name, value] : options) {
    EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(parameters, name.c_str(), value.c_str()), 1) << name;
  }
  EXPECT_GT(X509_REQ_sign_ctx(request.get(), context.get()), 0) << DrainOpensslErrors();
  return DerByOpenssl(i2d_X509_REQ, request.get());
}

EvpPkeyPtr EcKey(const char* curve, const char* form = "uncompressed",
                 const char* encoding = "named_curve") {
  EvpPkeyPtr key(EVP_EC_gen(curve));
  EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form);
  EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING, encoding);
  return key;
}

EvpPkeyPtr RsaKey(const char* type, unsigned bits, unsigned exponent) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                         OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
                         OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_params(context.get(), params), 1);
  EXPECT_EQ(EVP_PKEY_generate(context.get(), &key), 1);
  return EvpPkeyPtr(key);
}

// We refuse it on purpose, and say `reason`. What OpenSSL does with it hangs on its patch level and
// is no promise of ours; where it accepts it, our comparison must know of `purpose`, or fuzzing
// would report the difference.
void ExpectRefusedOnPurpose(const std::string& what, const std::string& request,
                            const std::string& purpose, ErrorReason reason) {
  SCOPED_TRACE(what);
  EXPECT_THAT(ca::ParseCertificateRequest(request, ca::KeyPolicy()), FailsWith(reason, "pkcs10"));
  const auto openssls = ReadWithOpenssl(request);
  if (!openssls.has_value()) return;
  EXPECT_EQ(openssls->refused_on_purpose, purpose);
}

void ExpectAccepted(const std::string& what, const std::string& request) {
  SCOPED_TRACE(what);
  EXPECT_OK(ca::ParseCertificateRequest(request, ca::KeyPolicy()));
  CompareReadings(request);
}

TEST(RefusedRequestsTest, Octets) {
  ExpectAccepted("nothing odd", Request({}));
  ExpectAccepted("an attribute", Request({.attributes = Attributes(Hex("0c0161"))}));
  const auto with_value = [](const std::string& value) {
    return Request({.attributes = Attributes(value)});
  };
  const auto refused = [](const char* what, const std::string& request) {
    ExpectRefusedOnPurpose(what, request, "not DER", ErrorReason::kRequestMalformed);
  };
  refused("indefinite length", Request({.attributes = Hex("a0800000")}));
  refused("a length in more octets than needed", Request({.attributes = Hex("a08100")}));
  refused("a constructed string", with_value(Hex("2c030c0161")));
  refused("attributes that are not constructed", Request({.attributes = Hex("8000")}));
  std::string primitive = Attributes(Hex("0c0161"));
  primitive[0] = '\x80';
  refused("the same with one in them", Request({.attributes = primitive}));
  refused("a BOOLEAN other than 00 and ff", with_value(Hex("3003010101")));
  refused("an INTEGER with needless octets", with_value(Hex("300402020001")));
  refused("a UTF8String that is not UTF-8", with_value(Hex("0c01ff")));
  refused("a tag number above 30", with_value(Hex("30049f810100")));
  // A value is the sixth level.
  ExpectAccepted("32 levels", with_value(Nested(27)));
  refused("33 levels", with_value(Nested(28)));
  ExpectAccepted("large", with_value(der::Encode(der::kOctetString, {std::string(16000, 'x')})));
  ExpectRefusedOnPurpose("larger than 16 KiB",
                         with_value(der::Encode(der::kOctetString, {std::string(16384, 'x')})),
                         "size", ErrorReason::kRequestMalformed);
}

// d2i_X509_REQ leaves what follows to its caller; as our OpenSSL reading does, we refuse.
TEST(RefusedRequestsTest, OctetsBehindTheRequest) {
  const std::string request = Request({.after = std::string(1, '\0')});
  const auto* in = reinterpret_cast<const unsigned char*>(request.data());
  const X509ReqPtr parsed(d2i_X509_REQ(nullptr, &in, static_cast<long>(request.size())));
  ASSERT_NE(parsed, nullptr);
  EXPECT_EQ(X509_REQ_verify(parsed.get(), X509_REQ_get0_pubkey(parsed.get())), 1);
  EXPECT_THAT(ca::ParseCertificateRequest(request, ca::KeyPolicy()),
              FailsWith(ErrorReason::kRequestMalformed, "pkcs10"));
}

TEST(RefusedRequestsTest, Fields) {
  const auto refused = [](const char* what, const Parts& parts, const char* purpose) {
    ExpectRefusedOnPurpose(what, Request(parts), purpose, ErrorReason::kRequestMalformed);
  };
  refused("another version", {.version = Hex("020101")}, "version");
  refused("a name's value that is no string",
          {.subject = Hex("300d310b300906035504033002"
                          "0500")},
          "subject");
  refused("an empty row of a name", {.subject = Hex("30023100")}, "subject");
  refused("an attribute without value", {.attributes = Attributes("")}, "attribute");
  ExpectAccepted("no attributes at all", Request({.attributes = ""}));
  ExpectAccepted("an empty name", Request({.subject = Hex("3000")}));
  ExpectAccepted("a SET that is not sorted",
                 Request({.subject = Hex("301631143008060355040a0c0161300806035504030c0161")}));
}

TEST(RefusedRequestsTest, Keys) {
  const auto refused = [](const char* what, const EvpPkeyPtr& key, const EVP_MD* digest,
                          ErrorReason reason) {
    ExpectRefusedOnPurpose(what, RequestOf(key.get(), digest), "key", reason);
  };
  ExpectAccepted("P-384", RequestOf(EcKey("P-384").get(), EVP_sha384()));
  refused("a compressed point", EcKey("P-256", "compressed"), EVP_sha256(),
          ErrorReason::kKeyInvalid);
  refused("a hybrid point", EcKey("P-256", "hybrid"), EVP_sha256(), ErrorReason::kKeyInvalid);
  refused("explicit parameters", EcKey("P-256", "uncompressed", "explicit"), EVP_sha256(),
          ErrorReason::kKeyUnsupported);
  refused("another curve", EcKey("P-521"), EVP_sha512(), ErrorReason::kKeyUnsupported);
  refused("Ed25519", EvpPkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), nullptr,
          ErrorReason::kKeyUnsupported);
  refused("a key for RSA-PSS alone", RsaKey("RSA-PSS", 2048, 65537), EVP_sha256(),
          ErrorReason::kKeyUnsupported);
  ExpectAccepted("RSA", RequestOf(RsaKey("RSA", 2048, 65537).get(), EVP_sha256()));
  refused("a small RSA modulus", RsaKey("RSA", 1024, 65537), EVP_sha256(),
          ErrorReason::kKeySizeRefused);
  refused("a large RSA modulus", RsaKey("RSA", 4104, 65537), EVP_sha256(),
          ErrorReason::kKeySizeRefused);
  refused("a small RSA exponent", RsaKey("RSA", 2048, 3), EVP_sha256(), ErrorReason::kKeyInvalid);
}

// The key of a private scalar that anybody can guess; of the many kinds of weak keys that
// ca/keys/weak_keys_test.cc makes the one that costs nothing to make.
TEST(RefusedRequestsTest, WeakKeys) {
  const GroupPtr group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  std::string point(65, '\0');
  ASSERT_EQ(EC_POINT_point2oct(
                group.get(), EC_GROUP_get0_generator(group.get()), POINT_CONVERSION_UNCOMPRESSED,
                reinterpret_cast<unsigned char*>(point.data()), point.size(), nullptr),
            point.size());
  const BignumPtr one(BN_new());
  BN_one(one.get());
  const ParamsBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, one.get());
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  ASSERT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()), 1);
  const EvpPkeyPtr weak(key);
  const std::string request = RequestOf(weak.get(), EVP_sha256());
  const auto openssls = ReadWithOpenssl(request);
  ASSERT_TRUE(openssls.has_value());
  EXPECT_EQ(openssls->refused_on_purpose, "");
  EXPECT_THAT(ca::ParseCertificateRequest(request, ca::KeyPolicy()),
              FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
  ExpectAccepted("another scalar", RequestOf(EcKey("P-256").get(), EVP_sha256()));
}

TEST(RefusedRequestsTest, Signatures) {
  const EvpPkeyPtr ec = EcKey("P-256"), rsa = RsaKey("RSA", 2048, 65537);
  using Options = std::vector<std::pair<std::string, std::string>>;
  const auto refused = [](const char* what, const std::string& request) {
    ExpectRefusedOnPurpose(what, request, "algorithm", ErrorReason::kKeyUnsupported);
  };
  refused("ECDSA with SHA-1", RequestOf(ec.get(), EVP_sha1()));
  refused("ECDSA with SHA-224", RequestOf(ec.get(), EVP_sha224()));
  refused("RSA with SHA-1", RequestOf(rsa.get(), EVP_sha1()));
  refused("ECDSA with parameters", Request({.algorithm = Hex("300c06082a8648ce3d0403020500")}));
  const Options pss = {{"rsa_padding_mode", "pss"}};
  const auto with = [&pss](const char* name, const char* value) {
    Options options = pss;
    options.emplace_back(name, value);
    return options;
  };
  ExpectAccepted("PSS", RequestOf(rsa.get(), EVP_sha256(), pss));
  ExpectAccepted("PSS with another salt",
                 RequestOf(rsa.get(), EVP_sha384(), with("rsa_pss_saltlen", "7")));
  refused("PSS with SHA-1", RequestOf(rsa.get(), EVP_sha1(), pss));
  refused("PSS with another hash in MGF1",
          RequestOf(rsa.get(), EVP_sha256(), with("rsa_mgf1_md", "sha384")));
}

}  // namespace
}  // namespace hourglass
