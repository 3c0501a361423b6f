#include "ca/lint/botan_reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/encoding/time.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using std::chrono::seconds;

TEST(BotanReadingTest, OctetsAreEqualWhereAllAre) {
  const std::vector<std::uint8_t> octets = {0x00, 0x7f, 0x80, 0xff};
  const std::string same("\x00\x7f\x80\xff", 4);
  EXPECT_TRUE(Equal(octets, same));
  EXPECT_TRUE(Equal(std::vector<std::uint8_t>(), ""));
  EXPECT_FALSE(Equal(octets, same.substr(0, 3)));
  EXPECT_FALSE(Equal(octets, same + '\0'));
  EXPECT_FALSE(Equal(octets, std::string("\x00\x7f\x80\xfe", 4)));
  EXPECT_FALSE(Equal(std::vector<std::uint8_t>(), std::string(1, '\0')));
}

TEST(BotanReadingTest, TimesAreEqualToTheSecond) {
  struct Case {
    Botan::X509_Time time;
    Time same;
  };
  const Case cases[] = {
      {Botan::X509_Time("700101000000Z", Botan::UTC_TIME), Time(seconds(0))},
      {Botan::X509_Time("261120010203Z", Botan::UTC_TIME), Time(seconds(1795136523))},
      {Botan::X509_Time("491231235959Z", Botan::UTC_TIME), kFirstGeneralizedTime - seconds(1)},
      {Botan::X509_Time("20500101000000Z", Botan::GENERALIZED_TIME), kFirstGeneralizedTime},
  };
  for (const Case& c : cases) {
    EXPECT_TRUE(Equal(c.time, c.same)) << FormatTime(c.same);
    EXPECT_FALSE(Equal(c.time, c.same + seconds(1))) << FormatTime(c.same);
    EXPECT_FALSE(Equal(c.time, c.same - seconds(1))) << FormatTime(c.same);
    EXPECT_FALSE(Equal(c.time, c.same + std::chrono::hours(24))) << FormatTime(c.same);
  }
}

TEST(BotanReadingTest, FindingsAreTheExpectationsThatDoNotHold) {
  BotanFindings findings;
  findings.Expect(true, "holds");
  findings.Expect(false, "first");
  findings.Expect(false, "second");
  const std::vector<LintFinding> taken = findings.Take();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].rule, "first");
  EXPECT_EQ(taken[1].rule, "second");
  EXPECT_EQ(taken[1].source, "Botan");
  EXPECT_TRUE(BotanFindings().Take().empty());
}

// Certificates are the OpenSSL CLI's.
class BotanReadsTest : public testing::Test {
 protected:
  std::string Make(const std::string& subject, const std::string& purposes = "clientAuth") const {
    const std::string configuration = directory_.Write(
        "openssl.cnf", absl::StrCat("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n"
                                    "[ext]\nextendedKeyUsage=",
                                    purposes, "\n"));
    const CommandResult result = RunCommand({"openssl",     "req",
                                             "-x509",       "-new",
                                             "-nodes",      "-config",
                                             configuration, "-utf8",
                                             "-keyout",     directory_.File("key.pem"),
                                             "-newkey",     "ec",
                                             "-pkeyopt",    "ec_paramgen_curve:P-256",
                                             "-outform",    "DER",
                                             "-out",        directory_.File("out.der"),
                                             "-subj",       subject});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return ReadFileOrDie(directory_.File("out.der"));
  }

  TemporaryDirectory directory_;
};

TEST_F(BotanReadsTest, TheSubjectIsOneCommonName) {
  const Botan::X509_Certificate alone = ReadWithBotan(Make("/CN=m\xc3\xbcller"));
  EXPECT_TRUE(HasCommonName(alone, "m\xc3\xbcller"));
  EXPECT_FALSE(HasCommonName(alone, "muller"));
  EXPECT_FALSE(HasCommonName(alone, "m\xc3\xbcller "));
  EXPECT_FALSE(HasCommonName(alone, ""));
  EXPECT_FALSE(HasCommonName(ReadWithBotan(Make("/O=contoso")), "contoso"));
  EXPECT_FALSE(HasCommonName(ReadWithBotan(Make("/O=contoso/CN=a")), "a"));
  EXPECT_FALSE(HasCommonName(ReadWithBotan(Make("/CN=a/CN=a")), "a"));
}

TEST_F(BotanReadsTest, ThePurposesAreTheTwoInThisOrder) {
  const auto has = [this](const std::string& purposes) {
    return HasTheTwoPurposes(ReadWithBotan(Make("/CN=a", purposes)));
  };
  EXPECT_TRUE(has("clientAuth,1.3.6.1.4.1.311.87"));
  EXPECT_FALSE(has("1.3.6.1.4.1.311.87,clientAuth"));
  EXPECT_FALSE(has("clientAuth"));
  EXPECT_FALSE(has("clientAuth,1.3.6.1.4.1.311.87,serverAuth"));
  EXPECT_FALSE(has("serverAuth,1.3.6.1.4.1.311.87"));
}

// Whatever is cut off: Botan throws, which is for the caller to catch, and does not crash.
TEST_F(BotanReadsTest, ThrowsWhatBotanThrows) {
  const std::string certificate = Make("/CN=a");
  EXPECT_NO_THROW(ReadWithBotan(certificate));
  for (std::size_t size = 0; size < certificate.size(); ++size) {
    EXPECT_THROW(ReadWithBotan(certificate.substr(0, size)), std::exception) << size;
  }
}

}  // namespace
}  // namespace hourglass::ca
