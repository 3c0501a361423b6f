#include "tools/profiles/schema_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libxml/parser.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::profiles {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string UserProfile() { return ReadFileOrDie("tools/profiles/testdata/user.xml"); }

TEST(SchemaValidationTest, TakesAProfileAndSaysWhatIsWrongInOne) {
  EXPECT_THAT(SchemaFaults(UserProfile()), IsEmpty());
  const auto faults =
      SchemaFaults(absl::StrReplaceAll(UserProfile(), {{"<AlwaysOn>true", "<AlwaysOn>True"},
                                                       {"<EKUOID>", "<EkuOid>"},
                                                       {"</EKUOID>", "</EkuOid>"}}));
  // The innermost, in another namespace and four schemas away, is seen as well.
  ASSERT_THAT(faults, SizeIs(2));
  EXPECT_THAT(faults[0], HasSubstr("line 3: Element 'AlwaysOn'"));
  EXPECT_THAT(faults[1], HasSubstr("EkuOid"));
}

// A document may name schemas, which libxml2 would fetch.
TEST(SchemaValidationTest, OpensNothingThatADocumentNames) {
  EXPECT_THAT(SchemaFaults(UserProfile()), IsEmpty());
  const TemporaryDirectory directory;
  const std::string path =
      directory.Write("other.xsd",
                      "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' "
                      "targetNamespace='urn:other'><xs:element name='x'/></xs:schema>");
  const std::string pointing = absl::StrReplaceAll(
      UserProfile(),
      {{"<VPNProfile>",
        absl::StrCat("<VPNProfile xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
                     "xsi:schemaLocation='urn:other ",
                     path, "'>")}});
  // That it cannot be opened is what libxml2 complains of, or nothing at all.
  for (const std::string& fault : SchemaFaults(pointing)) {
    EXPECT_THAT(fault, HasSubstr("Failed to locate a schema"));
  }
  EXPECT_EQ(xmlReadFile(path.c_str(), nullptr, XML_PARSE_NOERROR), nullptr);
}

}  // namespace
}  // namespace hourglass::profiles
