#include "tools/hourglass/user_export.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A whole one, as `/users?$select=…&$expand=transitiveMemberOf` answers.
constexpr char kGraph[] = R"({
  "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
  "value": [
    {"id": "u-1", "userPrincipalName": "alice@contoso.example", "displayName": "Alice",
     "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1105", "securityIdentifier": "S-1-12-1-9-9-9-9",
     "accountEnabled": true, "userType": "Member",
     "transitiveMemberOf": [
       {"@odata.type": "#microsoft.graph.group", "id": "g-1"},
       {"@odata.type": "#microsoft.graph.directoryRole", "id": "x", "roleTemplateId": "r-1"},
       {"@odata.type": "#microsoft.graph.administrativeUnit", "id": "au-1"},
       {"id": "g-2"}]},
    {"id": "u-2", "userPrincipalName": "bob_x.example#EXT#@contoso.example",
     "onPremisesSecurityIdentifier": null, "securityIdentifier": "S-1-12-1-1-2-3-4",
     "accountEnabled": false, "userType": "Guest", "transitiveMemberOf": []}
  ]
})";

constexpr char kAlice[] =
    R"(id: "u-1" upn: "alice@contoso.example" onprem_sid: "S-1-5-21-1-2-3-1105" )"
    R"(groups: "g-1" groups: "g-2" roles: "r-1")";
constexpr char kBob[] =
    R"(id: "u-2" upn: "bob_x.example#EXT#@contoso.example" guest: true disabled: true)";

std::vector<std::string> InWords(const UserExport& exported) {
  std::vector<std::string> words;
  for (const v1::DirectoryUser& user : exported.users()) words.push_back(user.ShortDebugString());
  return words;
}

// One user of these members, and the three that a whole export has.
std::string Sole(const std::string& members) {
  return absl::StrCat(R"({"id": "u-1", "userPrincipalName": "a@b", )", members, "}");
}
constexpr char kRest[] =
    R"("onPremisesSecurityIdentifier": null, "accountEnabled": true, "userType": null)";

std::vector<std::string> GapsOf(const std::string& octets, bool without_groups = false) {
  UserExport exported;
  EXPECT_OK(exported.Add("users.json", octets));
  return exported.Gaps(without_groups);
}

TEST(UserExportTest, WhatGraphAnswersIsReadWhole) {
  UserExport exported;
  ASSERT_OK(exported.Add("users.json", kGraph));
  EXPECT_THAT(InWords(exported), ElementsAre(kAlice, kBob));
  EXPECT_THAT(exported.Gaps(false), IsEmpty());
  EXPECT_THAT(exported.Notices(), IsEmpty());
}

TEST(UserExportTest, ListsAndSingleUsersInOtherEncodingsAreRead) {
  const std::string one = Sole(absl::StrCat(kRest, R"(, "transitiveMemberOf": [])"));
  std::string utf16 = "\xff\xfe";
  for (const char c : one) utf16 += {c, '\0'};
  for (const std::string& octets :
       {one, absl::StrCat("[", one, "]"), "\xef\xbb\xbf" + one, utf16}) {
    UserExport exported;
    ASSERT_OK(exported.Add("users.json", octets));
    EXPECT_THAT(InWords(exported), ElementsAre(R"(id: "u-1" upn: "a@b")"));
    EXPECT_THAT(exported.Gaps(false), IsEmpty());
  }
}

TEST(UserExportTest, TheSpellingOfPowerShellIsRead) {
  UserExport exported;
  ASSERT_OK(exported.Add("users.json", R"([
    {"Id": "u-1", "UserPrincipalName": "alice@contoso.example", "AccountEnabled": true,
     "OnPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1105", "UserType": "Member",
     "MemberOf": null, "TransitiveMemberOf": [
       {"Id": "g-1", "AdditionalProperties": {"@odata.type": "#microsoft.graph.group"}},
       {"Id": "g-2", "DeletedDateTime": null, "AdditionalProperties": {}},
       {"Id": "x", "AdditionalProperties":
         {"@odata.type": "#microsoft.graph.directoryRole", "roleTemplateId": "r-1"}}],
     "AdditionalProperties": {}}])"));
  EXPECT_THAT(InWords(exported), ElementsAre(kAlice));
  EXPECT_THAT(exported.Gaps(false), IsEmpty());
}

// Every account is enabled or not; null says that nobody asked.
TEST(UserExportTest, WhatWasNotAskedForIsAGap) {
  EXPECT_THAT(GapsOf(R"([{"id": "u-1", "userPrincipalName": "a@b"},
                         {"id": "u-2", "userPrincipalName": "c@d", "accountEnabled": null,
                          "onPremisesSecurityIdentifier": null, "userType": null,
                          "memberOf": []}])"),
              ElementsAre("`accountEnabled` is absent of 2 of 2 users",
                          "`onPremisesSecurityIdentifier` is absent of 1 of 2 users",
                          "`transitiveMemberOf` is absent of 1 of 2 users",
                          "`userType` is absent of 1 of 2 users"));
  const std::string nobodys = Sole(kRest);
  EXPECT_THAT(GapsOf(nobodys), ElementsAre("`transitiveMemberOf` is absent of 1 of 1 user"));
  EXPECT_THAT(GapsOf(nobodys, /*without_groups=*/true), IsEmpty());
  EXPECT_THAT(
      GapsOf(Sole(absl::StrCat(
          kRest, R"(, "transitiveMemberOf": [], "transitiveMemberOf@odata.nextLink": "…")"))),
      ElementsAre("the memberships of 1 of 1 user go on elsewhere (@odata.nextLink)"));
}

TEST(UserExportTest, OfSeveralPagesTheLastHasNoNext) {
  const auto page = [](const std::string& id, bool has_next) {
    return absl::StrCat(has_next ? R"({"@odata.nextLink": "…", )" : "{", R"("value": [{"id": ")",
                        id, R"(", "userPrincipalName": "a@b", "transitiveMemberOf": [], )", kRest,
                        "}]}");
  };
  EXPECT_THAT(GapsOf(page("u-1", true)),
              ElementsAre("the list of users goes on elsewhere (@odata.nextLink)"));
  UserExport exported;
  ASSERT_OK(exported.Add("1.json", page("u-1", true)));
  ASSERT_OK(exported.Add("2.json", page("u-2", true)));
  EXPECT_EQ(exported.Gaps(false).size(), 1u);
  ASSERT_OK(exported.Add("3.json", page("u-3", false)));
  EXPECT_THAT(exported.Gaps(false), IsEmpty());
  EXPECT_EQ(exported.users().size(), 3u);
}

TEST(UserExportTest, DirectMembershipsAndRolesWithoutTemplateAreToldOf) {
  UserExport exported;
  ASSERT_OK(exported.Add("users.json", Sole(absl::StrCat(kRest, R"(, "memberOf": ["g-1",
      {"@odata.type": "#microsoft.graph.directoryRole", "id": "x"}])"))));
  EXPECT_THAT(InWords(exported), ElementsAre(R"(id: "u-1" upn: "a@b" groups: "g-1")"));
  EXPECT_THAT(exported.Gaps(false), IsEmpty());
  EXPECT_THAT(exported.Notices(), ElementsAre(HasSubstr("`memberOf` has no nested groups"),
                                              HasSubstr("1 memberships in roles are left out")));
}

TEST(UserExportTest, CsvIsReadByItsHeader) {
  UserExport exported;
  ASSERT_OK(exported.Add("users.csv",
                         "displayName;UserPrincipalName;ID;accountEnabled;userType;"
                         "onPremisesSecurityIdentifier;groups;roles\r\n"
                         "Alice;alice@contoso.example;u-1;True;Member;S-1-5-21-1-2-3-1105;"
                         "g-1|g-2;r-1\r\n"
                         "Bob;bob_x.example#EXT#@contoso.example;u-2;FALSE;guest;;;\r\n"));
  EXPECT_THAT(InWords(exported), ElementsAre(kAlice, kBob));
  EXPECT_THAT(exported.Gaps(false), IsEmpty());
}

TEST(UserExportTest, ColumnsThatAreNotThereAreGaps) {
  UserExport exported;
  ASSERT_OK(exported.Add("users.csv", "id,userPrincipalName,memberOf\nu-1,a@b,System.Object[]\n"));
  EXPECT_EQ(exported.Gaps(false).size(), 4u);
  EXPECT_EQ(exported.users()[0].groups_size(), 0);
}

TEST(UserExportTest, MistakesAreToldWithFileAndUser) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "users.x: has no line that names its columns"},
      {"{", "users.x: is not JSON"},
      {"\xc3", "users.x: is neither UTF-8 nor UTF-16"},
      {"name,mail\na,b\n", "users.x: is neither JSON nor CSV with a column `id`"},
      {"id,userPrincipalName\nu-1\n", "users.x: line 2: has 1 cells"},
      {"id,userPrincipalName\n,a@b\n", "users.x: user 1: has no `id`"},
      {R"({"value": {}})", "users.x: has no list of users"},
      {R"([17])", "users.x: user 1: is no object"},
      {R"([{"id": 17}])", "users.x: user 1: `id` is neither text"},
      {R"([{"userPrincipalName": "a@b"}])", "users.x: user 1: has no `id`"},
      {R"([{"id": "u-1"}])", "users.x: user u-1: has no `userPrincipalName`"},
      {R"([{"id": "u-1", "@removed": {"reason": "deleted"}}])", "is of a delta query"},
      {Sole(R"("accountEnabled": "yes")"), "users.x: user u-1: `accountEnabled` is neither"},
      {Sole(R"("onPremisesSecurityIdentifier": "S-1-12-1-1-2-3-4")"),
       "users.x: user u-1: `onPremisesSecurityIdentifier` is a SID of the cloud"},
      {Sole(R"("memberOf": {})"), "users.x: `memberOf` is no list"},
      {Sole(R"("memberOf": [17])"), "has a membership that is no object"},
      {Sole(R"("memberOf": [{}])"), "has a membership without id"},
      {absl::StrCat("[", Sole(kRest), ",", Sole(kRest), "]"), "users.x: user u-1: is there twice"},
  };
  for (const auto& [octets, message] : cases) {
    UserExport exported;
    const absl::Status status = exported.Add("users.x", octets);
    EXPECT_THAT(status, FailsWith(ErrorReason::kFieldInvalid)) << octets;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << octets;
  }
}

}  // namespace
}  // namespace hourglass::cli
