#include "tools/profiles/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "tests/support/temporary_directory.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::profiles {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DeploymentTest, TheUriNamesTheNode) {
  EXPECT_EQ(OmaUri("Contoso VPN", false), "./User/Vendor/MSFT/VPNv2/Contoso%20VPN/ProfileXML");
  EXPECT_EQ(OmaUri("A", true), "./Device/Vendor/MSFT/VPNv2/A/ProfileXML");
  EXPECT_EQ(OmaUri("it's \xc3\xa9 $x", false),
            "./User/Vendor/MSFT/VPNv2/it%27s%20%C3%A9%20%24x/ProfileXML");
}

// Another XML that holds the value gives the profile back, octet by octet.
TEST(DeploymentTest, TheValueIsEscapedOnce) {
  const std::string xml = ReadFileOrDie("tools/profiles/testdata/peap.xml");
  const xml::Reading reading = xml::Read("<Data>" + OmaUriValue(xml) + "</Data>");
  ASSERT_NE(reading.root, nullptr);
  EXPECT_EQ(reading.root->text, xml);
  EXPECT_EQ(OmaUriValue("<a b=\"&#233;\">"), "&lt;a b=&quot;&amp;#233;&quot;&gt;");
}

TEST(DeploymentTest, TheScriptHoldsTheProfileInAHereString) {
  const std::string xml = ReadFileOrDie("tools/profiles/testdata/user.xml");
  const std::string script = InstallScript("it's a `$(VPN)\"", xml, false);
  for (const char c : script) ASSERT_LT(static_cast<unsigned char>(c), 0x80U);
  EXPECT_THAT(script, HasSubstr("$profileXml = @'\n" + xml + "'@\n"));
  EXPECT_THAT(script, HasSubstr("$instance = 'it%27s%20a%20%60%24%28VPN%29%22'\n"));
  EXPECT_THAT(script, HasSubstr("PolicyPlatform_UserContext"));
  // Nothing but its own end ends the here-string.
  int ends = 0;
  for (const absl::string_view line : absl::StrSplit(script, '\n')) {
    if (line.substr(0, 2) == "'@") ++ends;
  }
  EXPECT_EQ(ends, 1);
}

TEST(DeploymentTest, ADeviceTunnelIsOfNoUser) {
  const std::string script =
      InstallScript("A", ReadFileOrDie("tools/profiles/testdata/device.xml"), true);
  EXPECT_THAT(script, Not(HasSubstr("UserContext")));
  EXPECT_THAT(script, HasSubstr("CreateInstance($namespace, $new, $options)"));
}

}  // namespace
}  // namespace hourglass::profiles
