#include "ca/request/request_signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "ca/testing/openssl_requests.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

class RequestSignatureTest : public OpensslRequests {};

TEST_F(RequestSignatureTest, AcceptsEverySignatureAlgorithm) {
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

TEST_F(RequestSignatureTest, RefusesOtherSignatureAlgorithms) {
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

TEST_F(RequestSignatureTest, NamesTheHashThatItRefuses) {
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

TEST_F(RequestSignatureTest, RefusesAnotherKeysSignature) {
  const std::string first = Request(kP256), second = Request(kP256);
  ASSERT_THAT(first, IsAccepted());
  Openssl("pkey -in KEY -pubout -outform DER -out OUT");
  const std::string key = ReadFileOrDie(directory_.File("out.der"));
  EXPECT_THAT(WithKey(second, key), IsAccepted());
  EXPECT_THAT(WithKey(first, key), IsRefused(ErrorReason::kRequestSignatureInvalid));
}

TEST_F(RequestSignatureTest, RefusesAChangedSubject) {
  const std::string request = Request(kP256, "-subj /CN=anyone");
  EXPECT_THAT(Replaced(request, "anyone", "nobody"),
              IsRefused(ErrorReason::kRequestSignatureInvalid));
}

TEST_F(RequestSignatureTest, RefusesAnAlgorithmOfAnotherKeyType) {
  const std::string request = Request(kRsa2048);
  const std::string key = PublicKeyByOpenssl();
  EXPECT_THAT(WithKey(Request(kP256), key), IsRefused(ErrorReason::kRequestSignatureInvalid));
}

}  // namespace
}  // namespace hourglass::ca
