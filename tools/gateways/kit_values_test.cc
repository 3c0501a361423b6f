#include "tools/gateways/kit_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::gateways {
namespace {

using testing::HasSubstr;
using testing::Not;

using Check = std::function<absl::Status(const Values&, absl::string_view)>;

void ExpectAccepted(const Check& check, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    EXPECT_OK(check({{"value", text}}, "value")) << text;
  }
}

// With the value's name, and without the value.
void ExpectRefused(const Check& check, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const absl::Status status = check({{"value", text}}, "value");
    EXPECT_THAT(status, FailsWith(ErrorReason::kFieldInvalid, "value")) << text;
    if (text.size() <= 12) continue;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr(text)));
  }
}

const std::string kNul = std::string("a\0b", 3);

TEST(KitValuesTest, ALineHasNoControls) {
  ExpectAccepted(&CheckLine, {"a", "two words", "a;b#c\"d'e\\f$g%h", "M\u00fcnchen"});
  ExpectRefused(&CheckLine, {"", "a\nb", "a\rb", "a\tb", kNul, "\x7f", " a", "a ", "\xff\xfe",
                             "a\u2028b", std::string(1025, 'a')});
}

TEST(KitValuesTest, PrintableIsAsciiWithoutWhatIsForbidden) {
  const Check check = [](const Values& values, absl::string_view name) {
    return CheckPrintable(values, name, "\";");
  };
  ExpectAccepted(check, {"a b", "a'b\\c"});
  ExpectRefused(check, {"a\"b", "a;b", "M\u00fcnchen", "a\nb", ""});
}

TEST(KitValuesTest, ASecretIsLongEnough) {
  ExpectAccepted(&CheckRadiusSecret,
                 {std::string(16, 'a'), std::string(128, 'a'), "quotes \" ' and \\ and \u00fc"});
  ExpectRefused(&CheckRadiusSecret,
                {"", std::string(15, 'a'), std::string(129, 'a'), "0123456789abcdef\n"});
}

TEST(KitValuesTest, AWordGoesAnywhere) {
  ExpectAccepted(&CheckWord, {"a", "A-b_c.9", "_x", std::string(64, 'a')});
  ExpectRefused(&CheckWord,
                {"", "-a", ".a", "a b", "a/b", "\u00fc", kNul, "a\n", std::string(65, 'a')});
}

TEST(KitValuesTest, APathIsAbsoluteAndPlain) {
  ExpectAccepted(&CheckPath, {"/a", "/etc/free-radius/3.0/a_b+c@d:e", "/..a/b.."});
  ExpectRefused(&CheckPath,
                {"", "/", "a/b", "/a/", "/a//b", "/a/../b", "/a/.", "/a b", "/a;b", "/a\"b", "/a'b",
                 "/a$b", "/a\nb", "/\u00fc", kNul, absl::StrCat("/", std::string(255, 'a'))});
}

TEST(KitValuesTest, AHostIsANameOrAnAddress) {
  ExpectAccepted(&CheckHost, {"a", "vpn.contoso.example", "xn--mnchen-3ya.example", "192.0.2.1",
                              "2001:db8::1", "1a.example"});
  ExpectRefused(&CheckHost, {"", "a b", "a_b", "-a", "a-", "a..b", ".a", "a.", "192.0.2.256",
                             "[::1]", "m\u00fcnchen.example", "a\nb", "a;b", "1::2::3",
                             std::string(64, 'a'), "192.0.2.1:80"});
}

TEST(KitValuesTest, AddressesAndNetworks) {
  ExpectAccepted(&CheckAddress, {"192.0.2.1", "::", "2001:db8::1"});
  ExpectRefused(&CheckAddress, {"", "host", "192.0.2", "fe80::1%eth0", "192.0.2.1/32",
                                " ::", std::string("::\0x", 4)});
  ExpectAccepted(&CheckNetwork, {"0.0.0.0/0", "10.20.0.0/24", "::/0", "fd00::/128"});
  ExpectRefused(&CheckNetwork, {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1",
                                "10.0.0.0/", "/8", "fd00::/129", "10.0.0.0/8/8", "a/8"});
  ExpectAccepted(&CheckAddressOrNetwork, {"192.0.2.1", "10.0.0.0/8"});
  ExpectRefused(&CheckAddressOrNetwork, {"", "host", "10.0.0.0/99"});
  ExpectAccepted(&CheckNetworks, {"10.0.0.0/8", "10.0.0.0/8,fd00::/8"});
  ExpectRefused(&CheckNetworks,
                {"", ",", "10.0.0.0/8,", "10.0.0.0/8, fd00::/8", "10.0.0.0/8;::/0"});
  ExpectAccepted(&CheckAddresses, {"192.0.2.1", "192.0.2.1,::1"});
  ExpectRefused(&CheckAddresses, {"", "192.0.2.1,", "192.0.2.1 ::1"});
}

TEST(KitValuesTest, NumbersAndPorts) {
  ExpectAccepted(&CheckPort, {"1", "1812", "65535"});
  ExpectRefused(&CheckPort, {"", "0", "65536", "01812", "+1", "-1", "1812 ", "0x1", "99999999999"});
  const Check check = [](const Values& values, absl::string_view name) {
    return CheckNumber(values, name, 60, 3600);
  };
  ExpectAccepted(check, {"60", "3600"});
  ExpectRefused(check, {"59", "3601"});
}

}  // namespace
}  // namespace hourglass::gateways
