#include "tools/profiles/profile_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/profiles/deployment.h"
#include "tools/profiles/profile_check.h"

namespace hourglass::profiles {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string UserProfile() { return ReadFileOrDie("tools/profiles/testdata/user.xml"); }

// Line and id of each finding.
std::vector<std::pair<int, std::string>> Findings(const std::string& content) {
  const auto findings = CheckProfiles({{"x.xml", content, ""}}, {});
  EXPECT_OK(findings);
  std::vector<std::pair<int, std::string>> found;
  if (!findings.ok()) return found;
  for (const doctor::Finding& finding : *findings) {
    found.emplace_back(finding.place.line, finding.id);
  }
  return found;
}

std::string Utf16(absl::string_view ascii, bool big_endian, absl::string_view mark) {
  std::string text(mark);
  for (const char c : ascii) {
    if (big_endian) text += '\0';
    text += c;
    if (!big_endian) text += '\0';
  }
  return text;
}

TEST(ProfileTextTest, ReadsUtf16WithAndWithoutMark) {
  const std::string declared = "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n" + UserProfile();
  EXPECT_THAT(Findings(Utf16(declared, false, "\xff\xfe")), IsEmpty());
  EXPECT_THAT(Findings(Utf16(declared, true, "\xfe\xff")), IsEmpty());
  EXPECT_THAT(Findings(Utf16(declared, false, "")), IsEmpty());
  // The control: what is wrong is found there, too.
  const std::string wrong = absl::StrReplaceAll(declared, {{"<AlwaysOn>true", "<AlwaysOn>True"}});
  EXPECT_THAT(Findings(Utf16(wrong, false, "\xff\xfe")), ElementsAre(Pair(4, "not-a-boolean")));
}

TEST(ProfileTextTest, LinesEndInAnyWay) {
  const std::string wrong =
      absl::StrReplaceAll(UserProfile(), {{"<AlwaysOn>true", "<AlwaysOn>True"}, {"\n", "\r\n"}});
  EXPECT_THAT(Findings(wrong), ElementsAre(Pair(3, "not-a-boolean")));
}

TEST(ProfileTextTest, EscapedOnceIsAForm) {
  const std::string escaped = OmaUriValue(UserProfile());
  EXPECT_THAT(Findings(escaped), ElementsAre(Pair(1, "escaped")));
  EXPECT_THAT(Findings(OmaUriValue(escaped)),
              ElementsAre(Pair(1, "escaped-twice"), Pair(1, "escaped")));
}

TEST(ProfileTextTest, FindsProfilesInSyncml) {
  const std::string wrong =
      absl::StrReplaceAll(UserProfile(), {{"<AlwaysOn>true", "<AlwaysOn>True"}});
  const auto syncml = [](absl::string_view uri, absl::string_view data) {
    return absl::StrCat(
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n<SyncBody><Add><Item><Target>\n<LocURI>", uri,
        "</LocURI></Target>\n<Data>", data, "</Data></Item></Add></SyncBody></SyncML>\n");
  };
  constexpr absl::string_view kUri = "./User/Vendor/MSFT/VPNv2/Contoso/ProfileXML";
  EXPECT_THAT(Findings(syncml(kUri, OmaUriValue(UserProfile()))), IsEmpty());
  EXPECT_THAT(Findings(syncml(kUri, OmaUriValue(wrong))), ElementsAre(Pair(6, "not-a-boolean")));
  EXPECT_THAT(Findings(syncml(kUri, absl::StrCat("<![CDATA[", wrong, "]]>"))),
              ElementsAre(Pair(6, "not-a-boolean")));
  EXPECT_THAT(Findings(syncml("./Vendor/MSFT/VPNv2/Contoso/ProfileXML", OmaUriValue(wrong))),
              ElementsAre(Pair(3, "oma-uri"), Pair(6, "not-a-boolean")));
  EXPECT_THAT(Findings(syncml(kUri, OmaUriValue(OmaUriValue(UserProfile())))),
              ElementsAre(Pair(4, "escaped-twice")));
}

TEST(ProfileTextTest, FindsTheProfileInItsOwnScript) {
  const std::string wrong =
      absl::StrReplaceAll(UserProfile(), {{"<AlwaysOn>true", "<AlwaysOn>True"}});
  EXPECT_THAT(Findings(InstallScript("Contoso", UserProfile(), false)), IsEmpty());
  EXPECT_THAT(Findings(InstallScript("Contoso", wrong, false)),
              ElementsAre(Pair(10, "not-a-boolean")));
}

TEST(ProfileTextTest, ReadsAnEscapedEapConfiguration) {
  std::string profile = UserProfile();
  const std::size_t begin = profile.find("<EapHostConfig");
  const std::size_t end = profile.find("</EapHostConfig>") + 16;
  const std::string eap = profile.substr(begin, end - begin);
  EXPECT_THAT(Findings(eap), IsEmpty());
  const std::string wrong = absl::StrReplaceAll(eap, {{" Enabled=\"true\"", ""}});
  profile.replace(begin, end - begin, OmaUriValue(wrong));
  EXPECT_THAT(Findings(profile), ElementsAre(Pair(28, "escaped"), Pair(60, "filter-off")));
}

absl::Status Refusal(absl::string_view content) {
  Report report("x.xml");
  return ReadProfiles(content, report).status();
}

TEST(ProfileTextTest, RefusesBombs) {
  EXPECT_OK(Refusal("<VPNProfile/>"));
  const absl::Status bomb = Refusal(
      "<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY b \"cccccccccc\"><!ENTITY d "
      "\"&b;&b;&b;&b;&b;&b;\">]>\n<VPNProfile>&d;&d;</VPNProfile>");
  EXPECT_THAT(bomb, FailsWith(ErrorReason::kFieldInvalid));
  EXPECT_THAT(std::string(bomb.message()), HasSubstr("line 2: it has a document type"));
  // It would be read, if anything were: nothing is said of a file that is not there.
  EXPECT_THAT(
      std::string(Refusal("<!DOCTYPE a SYSTEM \"file:///nowhere\"><VPNProfile/>").message()),
      HasSubstr("document type"));
  std::string deep = "<VPNProfile>";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_THAT(std::string(Refusal(deep).message()), HasSubstr("64 deep"));
  std::string many = "<VPNProfile>";
  for (int i = 0; i < 100'000; ++i) many += "<a/>";
  EXPECT_THAT(std::string(Refusal(many + "</VPNProfile>").message()),
              HasSubstr("more than 50000 elements"));
  EXPECT_THAT(std::string(Refusal(std::string((16 << 20) + 1, ' ')).message()),
              HasSubstr("more than 16 MiB"));
}

TEST(ProfileTextTest, RefusesOtherEncodings) {
  EXPECT_THAT(std::string(Refusal("<VPNProfile>\xe9</VPNProfile>").message()),
              HasSubstr("neither UTF-8 nor UTF-16"));
  EXPECT_THAT(std::string(Refusal(std::string("<VPNProfile>\0</VPNProfile>", 26)).message()),
              HasSubstr("neither UTF-8 nor UTF-16"));
}

TEST(ProfileTextTest, AFileOfMistakesEndsSomewhere) {
  std::string many = "<VPNProfile>";
  for (int i = 0; i < 10'000; ++i) many += "<a/>";
  EXPECT_EQ(Findings(many + "</VPNProfile>").size(), kMostFindings);
}

}  // namespace
}  // namespace hourglass::profiles
