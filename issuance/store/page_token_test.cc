#include "issuance/store/page_token.h"

#include <gmock/gmock.h>

#include <chrono>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/page.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Timestamp At(std::int64_t microseconds) {
  return Timestamp(std::chrono::microseconds(microseconds));
}

std::string TokenOf(absl::string_view plain) { return absl::WebSafeBase64Escape(plain); }

auto NotOurs() { return FailsWith(ErrorReason::kFieldInvalid, "page_token"); }

// By `base64 -w0 | tr +/ -_ | tr -d =`.
TEST(PageTokenTest, IsBase64UrlWithoutPadding) {
  EXPECT_EQ(JournalPageToken({At(1767323045000006), 42}), "ajE6MTc2NzMyMzA0NTAwMDAwNjo0Mg");
  EXPECT_EQ(DevicePageToken("a?>"), "ZDE6YT8-");
  EXPECT_EQ(DevicePageToken("\xc3\xbf~"), "ZDE6w79-");
  EXPECT_EQ(IntermediatePageToken(-7), "aTE6LTc");
  EXPECT_EQ(AdministrativePageToken(42), "YTE6NDI");
  EXPECT_EQ(PolicyVersionPageToken(42), "cDE6NDI");
  EXPECT_EQ(UserPageToken("a?>"), "dTE6YT8-");
  EXPECT_EQ(BlockPageToken({"user", "a?>"}), "YjE6dXNlcjphPz4");
  EXPECT_EQ(DeviceKeyPageToken({"a?>", "0f"}), "azE6MGY6YT8-");
}

TEST(PageTokenTest, APositionIsReadBack) {
  for (const std::int64_t sequence : {kLeast, std::int64_t{-1}, std::int64_t{0}, kMost}) {
    for (const std::int64_t time : {kLeast, std::int64_t{-1}, std::int64_t{0}, kMost}) {
      ASSERT_OK_AND_ASSIGN(const JournalPosition read,
                           ParseJournalPosition(JournalPageToken({At(time), sequence})));
      EXPECT_EQ(read.intended_at, At(time));
      EXPECT_EQ(read.sequence, sequence);
    }
    EXPECT_EQ(ParseIntermediatePosition(IntermediatePageToken(sequence)).value(), sequence);
    EXPECT_EQ(ParseAdministrativePosition(AdministrativePageToken(sequence)).value(), sequence);
    EXPECT_EQ(
        ParsePolicyVersionPosition(PolicyVersionPageToken(static_cast<std::uint64_t>(sequence)))
            .value(),
        sequence);
  }
  for (const std::string& device :
       {std::string(), std::string("laptop-1"), std::string("d1:x"), std::string(999, 'x'),
        std::string("\xc3\xa9\xf0\x9f\x94\x91")}) {
    EXPECT_EQ(ParseDevicePosition(DevicePageToken(device)).value(), device);
    EXPECT_EQ(ParseUserPosition(UserPageToken(device)).value(), device);
    ASSERT_OK_AND_ASSIGN(const BlockPosition block,
                         ParseBlockPosition(BlockPageToken({"device", device})));
    EXPECT_EQ(block.kind, "device");
    EXPECT_EQ(block.folded_subject, device);
    ASSERT_OK_AND_ASSIGN(const DeviceKeyPosition key,
                         ParseDeviceKeyPosition(DeviceKeyPageToken({device, "0f"})));
    EXPECT_EQ(key.folded_device_id, device);
    EXPECT_EQ(key.key_id, "0f");
  }
}

TEST(PageTokenTest, NoKindIsTakenForAnother) {
  const std::string tokens[] = {JournalPageToken({At(1), 2}),  DevicePageToken("1"),
                                IntermediatePageToken(1),      AdministrativePageToken(1),
                                PolicyVersionPageToken(1),     UserPageToken("1"),
                                BlockPageToken({"user", "1"}), DeviceKeyPageToken({"1", "0f"})};
  const auto parsed = [](const std::string& token) {
    return std::vector<absl::Status>{
        ParseJournalPosition(token).status(),       ParseDevicePosition(token).status(),
        ParseIntermediatePosition(token).status(),  ParseAdministrativePosition(token).status(),
        ParsePolicyVersionPosition(token).status(), ParseUserPosition(token).status(),
        ParseBlockPosition(token).status(),         ParseDeviceKeyPosition(token).status()};
  };
  for (std::size_t kind = 0; kind < std::size(tokens); ++kind) {
    const std::vector<absl::Status> statuses = parsed(tokens[kind]);
    ASSERT_EQ(statuses.size(), std::size(tokens));
    for (std::size_t other = 0; other < statuses.size(); ++other) {
      if (other == kind) {
        EXPECT_OK(statuses[other]) << kind;
      } else {
        EXPECT_THAT(statuses[other], NotOurs()) << kind << " as " << other;
      }
    }
  }
}

TEST(PageTokenTest, RefusesPositionsOfTheJournalThatItDidNotMake) {
  for (const char* plain : {"",
                            "j1:",
                            "j1:1",
                            "j1:1:",
                            "j1::1",
                            "j1:1:2:3",
                            "j1: 1:2",
                            "j1:1: 2",
                            "j1:1:2 ",
                            "j1:+1:2",
                            "j1:01:2",
                            "j1:1:02",
                            "j1:-0:2",
                            "j1:1:0x2",
                            "j1:a:2",
                            "j2:1:2",
                            "J1:1:2",
                            " j1:1:2",
                            "j1:9223372036854775808:1",
                            "j1:1:9223372036854775808",
                            "j1:1:-9223372036854775809"}) {
    EXPECT_THAT(ParseJournalPosition(TokenOf(plain)), NotOurs()) << plain;
  }
  EXPECT_OK(ParseJournalPosition(TokenOf("j1:1:2")));
  EXPECT_OK(ParseJournalPosition(TokenOf("j1:-9223372036854775808:9223372036854775807")));
}

TEST(PageTokenTest, RefusesPositionsOfOthersThatItDidNotMake) {
  for (const char* plain : {"", "i1:", "i1: 1", "i1:1 ", "i1:+1", "i1:01", "i1:1:2", "i1:x", "i2:1",
                            "i1:9223372036854775808"}) {
    EXPECT_THAT(ParseIntermediatePosition(TokenOf(plain)), NotOurs()) << plain;
  }
  for (const char* plain : {"", "a1:", "a1: 1", "a1:1 ", "a1:+1", "a1:01", "a1:1:2", "a1:x", "a2:1",
                            "A1:1", "a1:9223372036854775808"}) {
    EXPECT_THAT(ParseAdministrativePosition(TokenOf(plain)), NotOurs()) << plain;
  }
  // No text that a database can hold: cut, overlong, surrogates, NUL.
  for (const absl::string_view plain : {absl::string_view(""),
                                        {"d2:a"},
                                        {"d1"},
                                        {"d1:\xff"},
                                        {"d1:\xc3"},
                                        {"d1:\xc0\xaf"},
                                        {"d1:\xed\xa0\x80"},
                                        {"d1:a\0", 5},
                                        {"d1:\0", 4}}) {
    EXPECT_THAT(ParseDevicePosition(TokenOf(plain)), NotOurs()) << plain;
  }
  EXPECT_EQ(ParseDevicePosition(TokenOf("d1: a ")).value(), " a ");
  for (const char* plain : {"", "b1:", "b1:device", "b2:device:a", "b1:device:\xff"}) {
    EXPECT_THAT(ParseBlockPosition(TokenOf(plain)), NotOurs()) << plain;
  }
  EXPECT_EQ(ParseBlockPosition(TokenOf("b1:user:a:b"))->folded_subject, "a:b");
}

TEST(PageTokenTest, RefusesOtherSpellingsOfItsOwnTokens) {
  const std::string journal = JournalPageToken({At(1767323045000006), 42});
  const std::string device = DevicePageToken("a?>b");
  ASSERT_NE(device.find('-'), std::string::npos);
  std::string standard = device;
  standard[device.find('-')] = '+';
  for (const std::string& token : {device + "=", device + "==", " " + device, device + "\n",
                                   standard, device + std::string(1, '\0'), device.substr(1)}) {
    EXPECT_THAT(ParseDevicePosition(token), NotOurs()) << token;
  }
  // 30 characters hold 180 bits, of which the last four are none of its 22 octets'.
  ASSERT_EQ(journal.size(), 30u);
  for (const char last : {'h', 'i', 'u', 'v'}) {
    const std::string token = journal.substr(0, 29) + last;
    EXPECT_THAT(ParseJournalPosition(token), NotOurs()) << token;
  }
  for (std::size_t size = 0; size < journal.size(); ++size) {
    const auto cut = ParseJournalPosition(journal.substr(0, size));
    EXPECT_TRUE(!cut.ok() || JournalPageToken(*cut) == journal.substr(0, size)) << size;
  }
  EXPECT_THAT(ParseJournalPosition(std::string(100000, 'A')), NotOurs());
  EXPECT_OK(ParseJournalPosition(journal));
  EXPECT_OK(ParseDevicePosition(device));
}

TEST(PageTokenTest, APageHasOneToTheMostRecords) {
  for (const int size : {1, 2, kMaxPageSize - 1, kMaxPageSize}) EXPECT_OK(CheckPageSize(size));
  for (const int size : {std::numeric_limits<int>::min(), -1, 0, kMaxPageSize + 1,
                         std::numeric_limits<int>::max()}) {
    EXPECT_THAT(CheckPageSize(size), FailsWith(ErrorReason::kFieldInvalid, "page_size")) << size;
  }
}

}  // namespace
}  // namespace hourglass::issuance
