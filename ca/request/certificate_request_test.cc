#include "ca/request/certificate_request.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/der.h"
#include "ca/encoding/pem.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

// Every request and every expected value here is OpenSSL's; what must be broken is broken
// afterwards.
class CertificateRequestTest : public testing::Test {
 protected:
  // The output of `openssl ARGUMENTS`; ends the test where it fails.
  std::string Openssl(const std::string& arguments, const std::string& input = "") {
    std::vector<std::string> command =
        absl::StrSplit(absl::StrCat("openssl ", arguments), ' ', absl::SkipEmpty());
    for (std::string& word : command) {
      if (word == "KEY") word = directory_.File("key.pem");
      if (word == "OUT") word = directory_.File("out.der");
    }
    const CommandResult result = RunCommand(command, input);
    EXPECT_EQ(result.exit_code, 0) << arguments << "\n" << result.output;
    return result.output;
  }

  // A request, DER, by `openssl genpkey KEY_OPTIONS` and `openssl req -new REQUEST_OPTIONS`.
  std::string Request(const std::string& key_options,
                      const std::string& request_options = "-subj /CN=anyone") {
    Openssl(absl::StrCat("genpkey ", key_options, " -out KEY"));
    return RequestForKey(request_options);
  }

  std::string RequestForKey(const std::string& request_options) {
    Openssl(absl::StrCat("req -new -key KEY -outform DER -out OUT ", request_options));
    return ReadFileOrDie(directory_.File("out.der"));
  }

  std::string PublicKeyByOpenssl() {
    Openssl("pkey -in KEY -pubout -outform DER -out OUT");
    return ReadFileOrDie(directory_.File("out.der"));
  }

  TemporaryDirectory directory_;
};

constexpr char kP256[] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
constexpr char kP384[] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";
constexpr char kRsa2048[] = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";

MATCHER_P(IsRefused, reason, "") {
  return testing::ExplainMatchResult(FailsWith(reason, "pkcs10"),
                                     ParseCertificateRequest(arg, KeyPolicy()), result_listener);
}

MATCHER(IsAccepted, "") {
  return testing::ExplainMatchResult(IsOk(), ParseCertificateRequest(arg, KeyPolicy()),
                                     result_listener);
}

// `text` with the only occurrence of `from` replaced by `to`, of the same length.
std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(from.size(), to.size());
  return text.replace(at, from.size(), to);
}

// The request with another subject public key; its signature no longer fits, which is looked at
// last.
std::string WithKey(const std::string& request, const std::string& subject_public_key_info) {
  der::Reader outer(*der::ReadOnly(request, der::kSequence));
  der::Reader info(*outer.Read(der::kSequence));
  const auto version = *info.ReadWhole(der::kInteger), subject = *info.ReadWhole(der::kSequence);
  info.ReadWhole(der::kSequence);
  return der::Encode(
      der::kSequence,
      {der::Encode(der::kSequence, {version, subject, subject_public_key_info, info.rest()}),
       outer.rest()});
}

std::string RsaPublicKey(const std::string& modulus, const std::string& exponent) {
  const std::string numbers = der::Encode(der::kSequence, {der::Encode(der::kInteger, {modulus}),
                                                           der::Encode(der::kInteger, {exponent})});
  return der::Encode(der::kSequence,
                     {absl::HexStringToBytes("300d06092a864886f70d0101010500"),
                      der::Encode(der::kBitString, {std::string(1, '\0'), numbers})});
}

std::string Modulus(std::size_t octets, char last = '\x01') {
  return std::string(1, '\0') + std::string(octets - 1, '\xc5') + last;
}

TEST_F(CertificateRequestTest, AcceptsEveryKindOfKey) {
  for (const std::string& key : {std::string(kP256), std::string(kP384), std::string(kRsa2048),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:3072"),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:4096"),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:2049"),
                                 std::string("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 "
                                             "-pkeyopt rsa_keygen_pubexp:4294967311")}) {
    ASSERT_OK_AND_ASSIGN(const RequestedKey requested,
                         ParseCertificateRequest(Request(key), KeyPolicy()));
    const std::string expected = PublicKeyByOpenssl();
    EXPECT_EQ(requested.subject_public_key_info(), expected) << key;
    EXPECT_EQ(absl::StrCat(absl::BytesToHexString(requested.sha256()), " *stdin\n"),
              Openssl("dgst -sha256 -r", expected));
  }
}

// Against the value that OpenSSL gives a certificate of this key.
TEST_F(CertificateRequestTest, KeyIdentifierIsOpenssls) {
  for (const char* key : {kP256, kRsa2048}) {
    ASSERT_OK_AND_ASSIGN(const RequestedKey requested,
                         ParseCertificateRequest(Request(key), KeyPolicy()));
    const std::string text = Openssl(
        "req -x509 -new -key KEY -subj /CN=a -addext subjectKeyIdentifier=hash -noout -text");
    std::string hex = absl::AsciiStrToUpper(absl::BytesToHexString(requested.key_identifier()));
    for (std::size_t i = 2; i < hex.size(); i += 3) hex.insert(i, ":");
    EXPECT_THAT(text, testing::HasSubstr(hex)) << key;
  }
}

TEST_F(CertificateRequestTest, AcceptsEverySignatureAlgorithm) {
  for (const char* key : {kP256, kP384, kRsa2048}) {
    for (const char* digest : {"-sha256", "-sha384", "-sha512"}) {
      EXPECT_THAT(Request(key, absl::StrCat("-subj /CN=a ", digest)), IsAccepted())
          << key << digest;
    }
  }
  Openssl(absl::StrCat("genpkey ", kRsa2048, " -out KEY"));
  for (const char* digest : {"-sha256", "-sha384", "-sha512"}) {
    for (const char* salt : {"digest", "max", "0", "11", "20"}) {
      EXPECT_THAT(RequestForKey(
                      absl::StrCat("-subj /CN=a ", digest,
                                   " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:", salt)),
                  IsAccepted())
          << digest << salt;
    }
  }
}

TEST_F(CertificateRequestTest, RefusesOtherSignatureAlgorithms) {
  EXPECT_THAT(Request(kP256, "-subj /CN=a -sha1"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(Request(kP256, "-subj /CN=a -sha224"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(Request(kP256, "-subj /CN=a -sha3-256"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(Request(kRsa2048, "-subj /CN=a -sha1"), IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(RequestForKey("-subj /CN=a -sha1 -sigopt rsa_padding_mode:pss"),
              IsRefused(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(
      RequestForKey("-subj /CN=a -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1"),
      IsRefused(ErrorReason::kKeyUnsupported));
}

TEST_F(CertificateRequestTest, RefusesWhatIsNotDer) {
  const std::string request = Request(kP256);
  ASSERT_THAT(request, IsAccepted());
  EXPECT_THAT("", IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT("-----BEGIN CERTIFICATE REQUEST-----", IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(request + '\0', IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(request + request, IsRefused(ErrorReason::kRequestMalformed));
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_THAT(request.substr(0, size), IsRefused(ErrorReason::kRequestMalformed)) << size;
  }
  // The outer length in one octet more than it needs, and indefinite.
  const std::string content(*der::ReadOnly(request, der::kSequence));
  EXPECT_THAT(absl::StrCat(absl::HexStringToBytes(
                               absl::StrCat("308200", absl::Hex(content.size(), absl::kZeroPad2))),
                           content),
              IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(absl::StrCat("\x30\x80", content, std::string(2, '\0')),
              IsRefused(ErrorReason::kRequestMalformed));
}

// One bit at a time: nothing that differs from the request is taken for it.
TEST_F(CertificateRequestTest, RefusesEveryFlippedBit) {
  const std::string request = Request(kP256, "-subj /");
  ASSERT_THAT(request, IsAccepted());
  for (std::size_t i = 0; i < request.size() * 8; ++i) {
    std::string broken = request;
    broken[i / 8] = static_cast<char>(broken[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(ParseCertificateRequest(broken, KeyPolicy()).ok()) << "bit " << i;
  }
}

TEST_F(CertificateRequestTest, RefusesGarbageAndOversize) {
  EXPECT_THAT(std::string(std::size_t{1} << 20, '\x30'), IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(std::string(kMaxRequestSize, '\x30'), IsRefused(ErrorReason::kRequestMalformed));
  const std::string large = der::Encode(der::kSequence, {std::string(std::size_t{1} << 20, '\0')});
  EXPECT_THAT(large, IsRefused(ErrorReason::kRequestMalformed));
}

TEST_F(CertificateRequestTest, RefusesAnotherKeysSignature) {
  const std::string first = Request(kP256), second = Request(kP256);
  ASSERT_THAT(first, IsAccepted());
  Openssl("pkey -in KEY -pubout -outform DER -out OUT");
  const std::string key = ReadFileOrDie(directory_.File("out.der"));
  EXPECT_THAT(WithKey(second, key), IsAccepted());
  EXPECT_THAT(WithKey(first, key), IsRefused(ErrorReason::kRequestSignatureInvalid));
}

TEST_F(CertificateRequestTest, RefusesAChangedSubject) {
  const std::string request = Request(kP256, "-subj /CN=anyone");
  EXPECT_THAT(Replaced(request, "anyone", "nobody"),
              IsRefused(ErrorReason::kRequestSignatureInvalid));
}

TEST_F(CertificateRequestTest, RefusesAnAlgorithmOfAnotherKeyType) {
  const std::string request = Request(kRsa2048);
  const std::string key = PublicKeyByOpenssl();
  EXPECT_THAT(WithKey(Request(kP256), key), IsRefused(ErrorReason::kRequestSignatureInvalid));
}

TEST_F(CertificateRequestTest, RefusesRsaSizes) {
  EXPECT_THAT(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:1024"),
              IsRefused(ErrorReason::kKeySizeRefused));
  EXPECT_THAT(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:2047"),
              IsRefused(ErrorReason::kKeySizeRefused));
  const std::string request = Request(kRsa2048);
  EXPECT_THAT(WithKey(request, RsaPublicKey(Modulus(513), "\x01" + std::string(1, '\0') + "\x01")),
              IsRefused(ErrorReason::kKeySizeRefused));
  EXPECT_THAT(WithKey(request, RsaPublicKey(std::string(1, '\0'), "\x03")),
              IsRefused(ErrorReason::kKeySizeRefused));
  KeyPolicy policy;
  policy.min_rsa_bits = 3072;
  EXPECT_THAT(ParseCertificateRequest(request, policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
  // A policy cannot widen the limits.
  policy.min_rsa_bits = 512;
  EXPECT_THAT(
      ParseCertificateRequest(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:1024"), policy),
      FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
}

TEST_F(CertificateRequestTest, RefusesRsaNumbers) {
  const std::string request = Request(kRsa2048);
  const std::string e65537 = "\x01" + std::string(1, '\0') + "\x01";
  EXPECT_THAT(Request("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3"),
              IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(WithKey(request, RsaPublicKey(Modulus(256), e65537)),
              IsRefused(ErrorReason::kRequestSignatureInvalid));  // the numbers are fine
  EXPECT_THAT(WithKey(request, RsaPublicKey(Modulus(256, '\x02'), e65537)),
              IsRefused(ErrorReason::kKeyInvalid));
  for (const std::string& exponent :
       {std::string("\x01"), std::string("\x03"), std::string("\x01\x02"),
        std::string(1, '\0') + "\xff\xff", std::string("\x01") + std::string(2, '\0'),
        std::string("\x01") + std::string(7, '\0') + "\x01",
        std::string("\x01") + std::string(31, '\0') + "\x01"}) {
    EXPECT_THAT(WithKey(request, RsaPublicKey(Modulus(256), exponent)),
                IsRefused(ErrorReason::kKeyInvalid))
        << absl::BytesToHexString(exponent);
  }
  // The largest: 2^64 - 1.
  EXPECT_THAT(
      WithKey(request, RsaPublicKey(Modulus(256), std::string(1, '\0') + std::string(8, '\xff'))),
      IsRefused(ErrorReason::kRequestSignatureInvalid));
  // A negative modulus, and one with a needless sign octet.
  EXPECT_THAT(WithKey(request, RsaPublicKey(Modulus(256).substr(1), e65537)),
              IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(WithKey(request, RsaPublicKey(std::string(1, '\0') + Modulus(256), e65537)),
              IsRefused(ErrorReason::kRequestMalformed));
}

// OpenSSL makes such a request and cannot verify it: the exponent is at fault, not the signature.
TEST_F(CertificateRequestTest, RefusesALargeExponentForWhatItIs) {
  const std::string rsa4096 = "-algorithm RSA -pkeyopt rsa_keygen_bits:4096 -pkeyopt ";
  EXPECT_THAT(Request(rsa4096 + "rsa_keygen_pubexp:18446744073709551557"), IsAccepted());
  const std::string large = Request(rsa4096 + "rsa_keygen_pubexp:18446744073709551629");
  EXPECT_THAT(large, IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(ParseCertificateRequest(large, KeyPolicy()).status().message(),
              testing::HasSubstr("exponent"));
}

TEST_F(CertificateRequestTest, NamesTheHashThatItRefuses) {
  const auto message = [](const std::string& request) {
    return std::string(ParseCertificateRequest(request, KeyPolicy()).status().message());
  };
  EXPECT_THAT(message(Request(kP256, "-subj /CN=a -sha1")), testing::HasSubstr("with SHA-1,"));
  EXPECT_THAT(message(Request(kP256, "-subj /CN=a -sha224")), testing::HasSubstr("with SHA-224,"));
  const std::string pss = " -sigopt rsa_padding_mode:pss";
  EXPECT_THAT(message(Request(kRsa2048, "-subj /CN=a -sha1")), testing::HasSubstr("with SHA-1,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -md5")), testing::HasSubstr("with MD5,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -sha1" + pss)), testing::HasSubstr("with SHA-1,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -sha224" + pss)),
              testing::HasSubstr("with SHA-224,"));
  EXPECT_THAT(message(RequestForKey("-subj /CN=a -sha3-256")),
              testing::Not(testing::HasSubstr("not accepted any more")));
}

TEST_F(CertificateRequestTest, RefusesPoints) {
  const std::string request = Request(kP256);
  const std::string key = PublicKeyByOpenssl();
  ASSERT_THAT(WithKey(request, key), IsAccepted());
  const std::string header = key.substr(0, key.size() - 65), point = key.substr(key.size() - 65);
  const auto with_point = [&](const std::string& other) {
    const std::string algorithm =
        absl::HexStringToBytes("301306072a8648ce3d020106082a8648ce3d030107");
    return WithKey(
        request,
        der::Encode(der::kSequence,
                    {algorithm, der::Encode(der::kBitString, {std::string(1, '\0'), other})}));
  };
  ASSERT_THAT(with_point(point), IsAccepted());
  std::string off_curve = point;
  off_curve[64] = static_cast<char>(off_curve[64] ^ 1);
  EXPECT_THAT(with_point(off_curve), IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(with_point("\x04" + std::string(64, '\xff')),
              IsRefused(ErrorReason::kKeyInvalid));  // out of range
  EXPECT_THAT(with_point("\x04" + std::string(64, '\0')), IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(with_point(std::string(1, '\0')), IsRefused(ErrorReason::kKeyInvalid));  // infinity
  EXPECT_THAT(with_point(""), IsRefused(ErrorReason::kKeyInvalid));
  const char odd = static_cast<char>(2 + (point[64] & 1));
  EXPECT_THAT(with_point(odd + point.substr(1, 32)),
              IsRefused(ErrorReason::kKeyInvalid));  // compressed
  const char hybrid = static_cast<char>(6 + (point[64] & 1));
  EXPECT_THAT(with_point(hybrid + point.substr(1)), IsRefused(ErrorReason::kKeyInvalid));
  EXPECT_THAT(with_point(point + '\0'), IsRefused(ErrorReason::kKeyInvalid));
}

TEST_F(CertificateRequestTest, RefusesACompressedPointByOpenssl) {
  Openssl(absl::StrCat("genpkey ", kP256, " -pkeyopt ec_param_enc:named_curve -out KEY"));
  Openssl("ec -in KEY -conv_form compressed -out OUT");
  RunCommand({"mv", directory_.File("out.der"), directory_.File("key.pem")});
  EXPECT_THAT(RequestForKey("-subj /CN=a"), IsRefused(ErrorReason::kKeyInvalid));
}

TEST_F(CertificateRequestTest, RefusesOtherAlgorithmsAndCurves) {
  for (const char* key :
       {"-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
        "-algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
        "-algorithm ED25519", "-algorithm ED448",
        "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"}) {
    EXPECT_THAT(Request(key), IsRefused(ErrorReason::kKeyUnsupported)) << key;
  }
  Openssl("genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out OUT");
  Openssl(absl::StrCat("genpkey -paramfile ", directory_.File("out.der"), " -out KEY"));
  EXPECT_THAT(RequestForKey("-subj /CN=a"), IsRefused(ErrorReason::kKeyUnsupported));
}

TEST_F(CertificateRequestTest, ATenantMayNarrowTheKinds) {
  KeyPolicy policy;
  policy.allow_ec_p256 = false;
  EXPECT_THAT(ParseCertificateRequest(Request(kP256), policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
  EXPECT_OK(ParseCertificateRequest(Request(kP384), policy));
  policy.allow_ec_p384 = false;
  EXPECT_THAT(ParseCertificateRequest(Request(kP384), policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
  EXPECT_OK(ParseCertificateRequest(Request(kRsa2048), policy));
  policy.allow_rsa = false;
  EXPECT_THAT(ParseCertificateRequest(Request(kRsa2048), policy),
              FailsWith(ErrorReason::kKeySizeRefused, "pkcs10"));
}

TEST_F(CertificateRequestTest, SubjectsAndAttributesDoNotMatter) {
  const std::string long_name(60, 'n');
  for (const std::string& options :
       {std::string("-subj /"), std::string("-subj /C=DE/O=Contoso/CN=a/emailAddress=a@b.example"),
        absl::StrCat("-subj /O=", long_name, "/OU=", long_name, "/OU=", long_name,
                     "/CN=", long_name),
        std::string("-subj /CN=a+OU=b -multivalue-rdn"),
        std::string("-subj /CN=a -addext "
                    "subjectAltName=DNS:evil.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@"
                    "contoso.example"),
        std::string("-subj /CN=a -addext basicConstraints=critical,CA:TRUE -addext "
                    "keyUsage=keyCertSign")}) {
    EXPECT_THAT(Request(kP256, options), IsAccepted()) << options;
  }
}

TEST_F(CertificateRequestTest, ReadsInSeveralThreads) {
  const std::vector<std::string> sound = {
      Request(kP256), Request(kP384), Request(kRsa2048),
      RequestForKey("-subj /CN=a -sha256 -sigopt rsa_padding_mode:pss")};
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&sound, thread] {
      for (std::size_t i = 0; i < 200; ++i) {
        const std::string& request = sound[(thread + i) % sound.size()];
        EXPECT_THAT(request, IsAccepted());
        std::string changed = request;
        changed.back() = static_cast<char>(changed.back() ^ 1);
        EXPECT_THAT(changed, IsRefused(ErrorReason::kRequestSignatureInvalid));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CertificateRequestTest, AttributesMayBeLeftOut) {
  const std::string request = Request(kP256);
  // `a0 00` is what OpenSSL writes for none. Without it the signature does not fit, but the form
  // does.
  der::Reader outer(*der::ReadOnly(request, der::kSequence));
  const std::string info(*outer.Read(der::kSequence));
  ASSERT_EQ(info.substr(info.size() - 2), std::string("\xa0\x00", 2));
  const auto with_info = [&outer](absl::string_view content) {
    return der::Encode(der::kSequence, {der::Encode(der::kSequence, {content}), outer.rest()});
  };
  EXPECT_THAT(with_info(absl::string_view(info).substr(0, info.size() - 2)),
              IsRefused(ErrorReason::kRequestSignatureInvalid));
  EXPECT_THAT(with_info(info + info.substr(info.size() - 2)),
              IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(with_info(info + std::string("\x05\x00", 2)),
              IsRefused(ErrorReason::kRequestMalformed));
}

TEST_F(CertificateRequestTest, RefusesBrokenSubjectsAndVersions) {
  const std::string request = Request(kP256, "-subj /CN=anyone");
  // A UTF8String that is not UTF-8, a tag that no name has, version 2.
  EXPECT_THAT(Replaced(request, "anyone", "anyon\xff"), IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(Replaced(request,
                       "\x0c\x06"
                       "anyone",
                       "\x04\x06"
                       "anyone"),
              IsRefused(ErrorReason::kRequestMalformed));
  EXPECT_THAT(
      Replaced(request, std::string("\x02\x01\x00\x30", 4), std::string("\x02\x01\x01\x30", 4)),
      IsRefused(ErrorReason::kRequestMalformed));
}

}  // namespace
}  // namespace hourglass::ca
