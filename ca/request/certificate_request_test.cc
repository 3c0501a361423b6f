#include "ca/request/certificate_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/der.h"
#include "ca/testing/openssl_requests.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

class CertificateRequestTest : public OpensslRequests {};

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
