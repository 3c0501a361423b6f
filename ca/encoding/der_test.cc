#include "ca/encoding/der.h"

#include <gtest/gtest.h>
#include <openssl/asn1.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/support/hex.h"
#include "tests/support/openssl_der.h"

namespace hourglass::ca::der {
namespace {

TEST(DerReaderTest, ReadsElementsInOrder) {
  const std::string input =
      Hex("020105"
          "0c0161"
          "0500");
  Reader reader(input);
  EXPECT_TRUE(reader.NextIs(kInteger));
  EXPECT_EQ(reader.Read(kInteger), "\x05");
  EXPECT_EQ(reader.ReadWhole(kUtf8String),
            "\x0c\x01"
            "a");
  EXPECT_FALSE(reader.empty());
  EXPECT_EQ(reader.Read(kNull), "");
  EXPECT_TRUE(reader.empty());
  EXPECT_FALSE(reader.ReadAny().has_value());
}

TEST(DerReaderTest, AFailedReadTakesNothing) {
  const std::string input = Hex("020105");
  Reader reader(input);
  EXPECT_FALSE(reader.Read(kUtf8String).has_value());
  EXPECT_FALSE(reader.ReadOctetAlignedBits().has_value());
  EXPECT_EQ(reader.Read(kInteger), "\x05");
}

TEST(DerReaderTest, RefusesWhatIsNotDer) {
  EXPECT_TRUE(ReadOnly(Hex("0400"), kOctetString).has_value());
  for (const char* digits : {
           "",                // nothing
           "04",              // no length
           "0401",            // content missing
           "048000",          // indefinite length
           "048100",          // long form of 0
           "04817f",          // long form of what fits the short one
           "0482007f",        // leading zero in the length
           "04850000000000",  // five length octets
           "04ff",            // reserved
           "1f0100",          // high tag number
       }) {
    EXPECT_FALSE(Reader(Hex(digits)).ReadAny().has_value()) << digits;
  }
}

TEST(DerReaderTest, ReadOnlyWantsNothingBehind) {
  EXPECT_EQ(ReadOnly(Hex("020105"), kInteger), "\x05");
  EXPECT_FALSE(ReadOnly(Hex("02010500"), kInteger).has_value());
}

TEST(DerReaderTest, BitsMustBeOctetAligned) {
  const std::string aligned = Hex("030200ab"), unaligned = Hex("030204a0"), empty = Hex("0300");
  EXPECT_EQ(Reader(aligned).ReadOctetAlignedBits(), "\xab");
  EXPECT_FALSE(Reader(unaligned).ReadOctetAlignedBits().has_value());
  EXPECT_FALSE(Reader(empty).ReadOctetAlignedBits().has_value());
}

TEST(DerWellFormedTest, AcceptsDer) {
  for (const char* digits : {"", "0101ff", "010100", "02020080", "0202ff7f", "030100", "03020780",
                             "0500", "06032a0304", "0c02c3a9", "1e0400410042", "1c0400000041",
                             "300430020500", "a0020500", "8001ff", "31020500"}) {
    EXPECT_TRUE(IsWellFormed(Hex(digits))) << digits;
  }
}

TEST(DerWellFormedTest, RefusesBrokenContent) {
  for (const char* digits : {
           "010101",        // BOOLEAN neither 00 nor ff
           "01020000",      // BOOLEAN of two octets
           "0200",          // INTEGER without content
           "0202007f",      // INTEGER with a needless 00
           "0202ff80",      // INTEGER with a needless ff
           "0300",          // BIT STRING without its count
           "030107",        // unused bits in nothing
           "03022600",      // 38 unused bits
           "030208ff",      // eight unused bits
           "03020781",      // padding not zero
           "050100",        // NULL with content
           "0600",          // OID without content
           "06022a80",      // OID that breaks off
           "06032a8001",    // OID with a padded arc
           "0c01ff",        // not UTF-8
           "0c02c080",      // overlong UTF-8
           "1e0141",        // half a BMPString character
           "1e02d800",      // a surrogate
           "1c0400110000",  // beyond Unicode
           "240204 00",     // constructed OCTET STRING (and cut off)
           "2402 0400",     // constructed OCTET STRING
           "1000",          // primitive SEQUENCE
           "0000",          // end-of-contents
           "3003020500",    // content longer than it says
       }) {
    const std::string compact = absl::StrJoin(absl::StrSplit(digits, ' '), "");
    EXPECT_FALSE(IsWellFormed(Hex(compact))) << digits;
  }
}

TEST(DerWellFormedTest, StopsAtADepth) {
  std::string nested;
  for (int i = 0; i < 32; ++i) nested = Encode(kSequence, {nested});
  EXPECT_TRUE(IsWellFormed(nested));
  EXPECT_FALSE(IsWellFormed(Encode(kSequence, {Encode(kSequence, {nested})})));
}

// The writer against OpenSSL's.
TEST(DerWriterTest, LengthsAreOpenssls) {
  for (const std::size_t size : {0, 1, 127, 128, 255, 256, 65535, 65536, 70000}) {
    const std::string content(size, 'x');
    ASN1_OCTET_STRING* string = ASN1_OCTET_STRING_new();
    ASN1_STRING_set(string, content.data(), static_cast<int>(size));
    const std::string expected = DerByOpenssl(i2d_ASN1_OCTET_STRING, string);
    ASN1_OCTET_STRING_free(string);
    EXPECT_EQ(Encode(kOctetString, {content}), expected) << size;
    EXPECT_EQ(HeaderSize(size), expected.size() - size);
    EXPECT_EQ(ReadOnly(expected, kOctetString), content);
  }
}

}  // namespace
}  // namespace hourglass::ca::der
