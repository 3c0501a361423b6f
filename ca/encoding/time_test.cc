#include "ca/encoding/time.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "hsm/base/openssl.h"
#include "tests/support/openssl_der.h"

namespace hourglass::ca {
namespace {

using Asn1TimePtr = OpensslPtr<ASN1_TIME, ASN1_TIME_free>;

std::string Encoded(Time time) {
  std::string out;
  AppendTime(time, &out);
  return out;
}

std::string EncodedByOpenssl(Time time) {
  const Asn1TimePtr asn1(X509_time_adj_ex(nullptr, 0, 0, nullptr));
  const time_t seconds = static_cast<time_t>(time.time_since_epoch().count());
  ASN1_TIME_adj(asn1.get(), seconds, 0, 0);
  return DerByOpenssl(i2d_ASN1_TIME, asn1.get());
}

// Around the turns of years, leap days and the two ends.
TEST(TimeTest, EncodesAsOpensslDoes) {
  const auto days = [](int y, unsigned m, unsigned d) {
    return std::chrono::sys_days(std::chrono::year(y) / std::chrono::month(m) /
                                 std::chrono::day(d));
  };
  for (const Time day :
       {Time(kFirstTime), Time(days(1970, 1, 1)), Time(days(2000, 2, 29)), Time(days(2026, 12, 31)),
        Time(days(2038, 1, 19)), Time(kFirstGeneralizedTime), Time(days(2100, 3, 1)),
        Time(days(9999, 12, 31))}) {
    for (const int offset : {-1, 0, 1, 3600, 86399}) {
      const Time time = day + std::chrono::seconds(offset);
      if (!IsEncodable(time)) continue;
      EXPECT_EQ(Encoded(time), EncodedByOpenssl(time)) << FormatTime(time);
      EXPECT_EQ(Encoded(time).size(), EncodedTimeSize(time));
      const std::string encoded = Encoded(time);
      der::Reader reader(encoded);
      EXPECT_EQ(ReadTime(&reader), time);
      EXPECT_TRUE(reader.empty());
    }
  }
}

TEST(TimeTest, KnowsWhatCanBeSaid) {
  EXPECT_TRUE(IsEncodable(kFirstTime));
  EXPECT_FALSE(IsEncodable(kFirstTime - std::chrono::seconds(1)));
  EXPECT_TRUE(IsEncodable(kLastTime));
  EXPECT_FALSE(IsEncodable(kLastTime + std::chrono::seconds(1)));
}

TEST(TimeTest, RefusesOtherWaysOfWriting) {
  const auto reads = [](der::Tag tag, absl::string_view text) {
    const std::string encoded = der::Encode(tag, {text});
    der::Reader reader(encoded);
    const bool read = ReadTime(&reader).has_value();
    EXPECT_EQ(reader.empty(), read);
    return read;
  };
  EXPECT_TRUE(reads(der::kUtcTime, "261120092258Z"));
  EXPECT_TRUE(reads(der::kGeneralizedTime, "20500101000000Z"));
  EXPECT_FALSE(reads(der::kGeneralizedTime, "20261120092258Z"));    // UTCTime through 2049
  EXPECT_FALSE(reads(der::kUtcTime, "2611200922Z"));                // no seconds
  EXPECT_FALSE(reads(der::kUtcTime, "261120092258+0000"));          // no Z
  EXPECT_FALSE(reads(der::kUtcTime, "2611200922580"));              // not a Z
  EXPECT_FALSE(reads(der::kGeneralizedTime, "20500101000000.5Z"));  // fraction
  EXPECT_FALSE(reads(der::kUtcTime, "260229000000Z"));              // no such day
  EXPECT_FALSE(reads(der::kUtcTime, "261120240000Z"));              // no such hour
  EXPECT_FALSE(reads(der::kUtcTime, "26112009225:Z"));              // no digit
  EXPECT_FALSE(reads(der::kUtf8String, "261120092258Z"));
}

TEST(TimeTest, FormatsForPeople) {
  EXPECT_EQ(FormatTime(kFirstGeneralizedTime - std::chrono::seconds(1)), "2049-12-31 23:59:59 UTC");
}

}  // namespace
}  // namespace hourglass::ca
