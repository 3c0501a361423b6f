// PKCS#10 requests that the OpenSSL CLI makes of a key that the test keeps.
#ifndef HOURGLASS_CA_TESTING_OPENSSL_REQUESTS_H_
#define HOURGLASS_CA_TESTING_OPENSSL_REQUESTS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/der.h"
#include "ca/request/certificate_request.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {

// Every request and every expected value here is OpenSSL's; what must be broken is broken
// afterwards.
class OpensslRequests : public testing::Test {
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

inline constexpr char kP256[] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
inline constexpr char kP384[] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";
inline constexpr char kRsa2048[] = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";

MATCHER_P(IsRefused, reason, "") {
  return testing::ExplainMatchResult(FailsWith(reason, "pkcs10"),
                                     ParseCertificateRequest(arg, KeyPolicy()), result_listener);
}

MATCHER(IsAccepted, "") {
  return testing::ExplainMatchResult(IsOk(), ParseCertificateRequest(arg, KeyPolicy()),
                                     result_listener);
}

// `text` with the only occurrence of `from` replaced by `to`, of the same length.
inline std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(from.size(), to.size());
  return text.replace(at, from.size(), to);
}

// The request with another subject public key; its signature no longer fits, which is looked at
// last.
inline std::string WithKey(const std::string& request, const std::string& subject_public_key_info) {
  der::Reader outer(*der::ReadOnly(request, der::kSequence));
  der::Reader info(*outer.Read(der::kSequence));
  const auto version = *info.ReadWhole(der::kInteger), subject = *info.ReadWhole(der::kSequence);
  info.ReadWhole(der::kSequence);
  return der::Encode(
      der::kSequence,
      {der::Encode(der::kSequence, {version, subject, subject_public_key_info, info.rest()}),
       outer.rest()});
}

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_OPENSSL_REQUESTS_H_
