#include "tools/gatewayd/vici_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::gatewayd {
namespace {

using testing::ElementsAre;
using testing::Pair;

// The example of the plugin's README.md: key1 = value1, section1 { sub-section { key2 = value2 }
// list1 = [ item1, item2 ] }.
std::string Example() {
  return absl::StrCat(
      "\x03\x04"
      "key1",
      absl::string_view("\x00\x06", 2),
      "value1\x01\x08"
      "section1\x01\x0bsub-section\x03\x04"
      "key2",
      absl::string_view("\x00\x06", 2),
      "value2\x02\x04\x05"
      "list1\x05",
      absl::string_view("\x00\x05", 2), "item1\x05", absl::string_view("\x00\x05", 2),
      "item2\x06\x02");
}

void ExpectMalformed(const std::string& octets, const std::string& why) {
  const auto message = ParseViciMessage(octets);
  EXPECT_THAT(message.status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(std::string(message.status().message()), testing::HasSubstr(why));
}

TEST(ViciMessageTest, TheExampleOfTheDocumentationIsRead) {
  ASSERT_OK_AND_ASSIGN(const ViciSection message, ParseViciMessage(Example()));
  EXPECT_EQ(message.Value("key1"), "value1");
  EXPECT_EQ(message.Value("key2"), "");
  ASSERT_EQ(message.sections.size(), 1u);
  const ViciSection& section = message.sections[0];
  EXPECT_THAT(section.lists, ElementsAre(Pair("list1", ElementsAre("item1", "item2"))));
  ASSERT_EQ(section.sections.size(), 1u);
  EXPECT_EQ(section.sections[0].Value("key2"), "value2");
}

TEST(ViciMessageTest, WhatIsWrittenIsRead) {
  ViciPacket packet;
  packet.name = "terminate";
  packet.message.values = {{"ike-id", "7"}, {"force", "yes"}};
  packet.message.lists = {{"list", {"", "a"}}};
  packet.message.sections.resize(1);
  packet.message.sections[0].name = "outer";
  packet.message.sections[0].values = {{"key", std::string(65535, 'x')}};
  const std::string octets = EncodeViciPacket(packet);
  EXPECT_EQ(octets.substr(0, 6), absl::string_view("\x00\x01\x00\x3e\x00\x09", 6));
  ASSERT_OK_AND_ASSIGN(const ViciPacket read, ParseViciPacket(octets.substr(kViciLength)));
  EXPECT_EQ(read.name, "terminate");
  EXPECT_EQ(EncodeViciPacket(read), octets);
}

TEST(ViciMessageTest, WhatIsCutOffIsRefused) {
  const std::string whole = Example();
  // Between elements of the outermost section it is whole.
  const std::size_t after_key = 14;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (size == after_key) continue;
    EXPECT_FALSE(ParseViciMessage(whole.substr(0, size)).ok()) << size;
  }
  ExpectMalformed(whole + "\x02", "out of place");
  ExpectMalformed("\x07", "out of place");
  ExpectMalformed("\x03", "name is cut off");
  std::string deep;
  for (int i = 0; i <= kMaxViciDepth; ++i) deep += "\x01\x01s";
  ExpectMalformed(deep, "sections within sections");
}

TEST(ViciMessageTest, PacketsAreOfAKnownType) {
  EXPECT_OK(ParseViciPacket(std::string(1, 5)).status());
  EXPECT_THAT(ParseViciPacket("").status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(ParseViciPacket("\x08").status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(ParseViciPacket("\xff").status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(ParseViciPacket(std::string(kMaxViciPacket + 1, 'x')).status(),
              FailsWith(ErrorReason::kFieldInvalid, ""));
}

}  // namespace
}  // namespace hourglass::gatewayd
