#include "hsm/key/pin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

class PinTest : public testing::Test {
 protected:
  PinSource File(const std::string& content) {
    return PinSource{PinSource::Kind::kFile, directory_.Write("pin", content)};
  }

  TemporaryDirectory directory_;
};

TEST_F(PinTest, DropsOneTrailingNewline) {
  for (const auto& [content, value] : {std::pair<std::string, std::string>{"1234", "1234"},
                                       {"1234\n", "1234"},
                                       {"12 34\n", "12 34"},
                                       {"p\xc3\xa4ss", "p\xc3\xa4ss"},
                                       {std::string(255, '7') + "\n", std::string(255, '7')}}) {
    ASSERT_OK_AND_ASSIGN(const auto pin, Pin::Read(File(content)));
    EXPECT_EQ(std::string(pin->value()), value);
  }
}

TEST_F(PinTest, RefusesEmptyAndTooLong) {
  ASSERT_OK(Pin::Read(File("1")));
  for (const std::string& content : {std::string(), std::string("\n"), std::string(256, '7'),
                                     std::string(256, '7') + "\n", std::string(10000, '7')}) {
    const absl::Status status = Pin::Read(File(content)).status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable, "file:" + directory_.File("pin")));
    // The path of the file, which is in there, may hold a few sevens of its own.
    EXPECT_THAT(status.ToString(), testing::Not(testing::HasSubstr(std::string(20, '7'))));
  }
}

// Each would be a wrong PIN, which tokens count.
TEST_F(PinTest, RefusesWhatEditorsPutBesideIt) {
  ASSERT_OK(Pin::Read(File("846201\n")));
  const struct {
    std::string content;
    std::string says;
  } kRows[] = {
      {"846201\r\n", "CR LF"},
      {"846201\r", "CR LF"},
      {"\xef\xbb\xbf"
       "846201\n",
       "byte order mark"},
      {std::string("\xff\xfe"
                   "8\0"
                   "4\0",
                   6),
       "byte order mark"},
      {std::string("8462\0"
                   "01",
                   7),
       "NUL"},
      {std::string("846201\n\0", 8), "NUL"},
      {"846201\n\n", "more than one line"},
      {"846201\nsecond\n", "more than one line"},
      {"846201\r\nsecond\r\n", "more than one line"},
      {"\n846201", "more than one line"},
      {" 846201\n", "begins with a blank"},
      {"\t846201", "begins with a blank"},
      {"846201 \n", "ends with a blank"},
      {"846201\t", "ends with a blank"},
      {" \n", "begins with a blank"},
  };
  for (const auto& row : kRows) {
    const absl::Status status = Pin::Read(File(row.content)).status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable, "file:" + directory_.File("pin")));
    EXPECT_THAT(status.ToString(), testing::HasSubstr(row.says)) << row.content;
    EXPECT_THAT(status.ToString(), testing::Not(testing::HasSubstr("8462")));
  }
  setenv("HOURGLASS_TEST_PIN", "846201\n", 1);
  EXPECT_THAT(Pin::Read({PinSource::Kind::kEnvironment, "HOURGLASS_TEST_PIN"}),
              FailsWith(ErrorReason::kKeyUnavailable));
}

TEST_F(PinTest, TheFingerprintTellsPinsApartAndHoldsNone) {
  ASSERT_OK_AND_ASSIGN(const auto pin, Pin::Read(File("123456")));
  ASSERT_OK_AND_ASSIGN(const std::string fingerprint, pin->Fingerprint());
  EXPECT_EQ(fingerprint.size(), 32);
  ASSERT_OK_AND_ASSIGN(const auto same, Pin::Read(File("123456\n")));
  EXPECT_EQ(*same->Fingerprint(), fingerprint);
  ASSERT_OK_AND_ASSIGN(const auto other, Pin::Read(File("123457")));
  EXPECT_NE(*other->Fingerprint(), fingerprint);
  // Not the plain hash of so short a secret.
  unsigned char plain[32];
  ASSERT_EQ(EVP_Digest("123456", 6, plain, nullptr, EVP_sha256(), nullptr), 1);
  EXPECT_NE(fingerprint, std::string(reinterpret_cast<char*>(plain), 32));
}

TEST_F(PinTest, ReadsTheEnvironment) {
  const PinSource source{PinSource::Kind::kEnvironment, "HOURGLASS_TEST_PIN"};
  unsetenv("HOURGLASS_TEST_PIN");
  EXPECT_THAT(Pin::Read(source), FailsWith(ErrorReason::kKeyUnavailable));
  setenv("HOURGLASS_TEST_PIN", "9876", 1);
  ASSERT_OK_AND_ASSIGN(const auto pin, Pin::Read(source));
  EXPECT_EQ(std::string(pin->value()), "9876");
  setenv("HOURGLASS_TEST_PIN", "", 1);
  EXPECT_THAT(Pin::Read(source), FailsWith(ErrorReason::kKeyUnavailable));
}

TEST_F(PinTest, ReadsACredential) {
  const PinSource source{PinSource::Kind::kCredential, "ca-pin"};
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_THAT(Pin::Read(source), FailsWith(ErrorReason::kKeyUnavailable, "credential:ca-pin"));
  setenv("CREDENTIALS_DIRECTORY", directory_.path().c_str(), 1);
  EXPECT_THAT(Pin::Read(source), FailsWith(ErrorReason::kKeyUnavailable, "credential:ca-pin"));
  directory_.Write("ca-pin", "5555\n");
  ASSERT_OK_AND_ASSIGN(const auto pin, Pin::Read(source));
  EXPECT_EQ(std::string(pin->value()), "5555");
}

TEST_F(PinTest, MissingFileAndFolder) {
  EXPECT_THAT(Pin::Read({PinSource::Kind::kFile, directory_.File("none")}),
              FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_THAT(Pin::Read({PinSource::Kind::kFile, directory_.path()}),
              FailsWith(ErrorReason::kKeyUnavailable));
}

}  // namespace
}  // namespace hourglass::hsm
