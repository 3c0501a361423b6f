#include "issuance/store/sqlite/tables/sqlite_directory.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/sqlite/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::IsEmpty;

class SqliteDirectoryTest : public TablesTest {
 protected:
  absl::Status Put(const std::vector<DirectoryUser>& users,
                   absl::string_view tenant = kSampleTenant) {
    return Change([&](Connection& c) { return PutUsers(c, tenant, users, SampleCause()); });
  }
  std::vector<DirectoryUser> All(absl::string_view tenant = kSampleTenant) {
    return ListUsers(*connection_, tenant, kMaxPageSize, "")->records;
  }
};

TEST_F(SqliteDirectoryTest, AUserIsReadBackInEveryField) {
  DirectoryUser user = SampleUser(std::string("id ") + kUnusualText);
  user.upn = std::string("upn ") + kUnusualText;
  user.onprem_sid = std::string("sid ") + kUnusualText;
  user.groups = {" ", "a", std::string("g ") + kUnusualText};
  user.roles = {std::string("r ") + kUnusualText};
  for (const bool flag : {true, false}) {
    user.is_guest = flag;
    user.is_enabled = !flag;
    ASSERT_OK(Put({user}));
    EXPECT_EQ(GetUser(*connection_, kSampleTenant, user.user_id).value(), user);
    EXPECT_EQ(GetUserByUpn(*connection_, kSampleTenant, user.upn).value(), user);
    EXPECT_EQ(All(), std::vector{user});
  }
  EXPECT_THAT(All("fabrikam"), IsEmpty());
}

TEST_F(SqliteDirectoryTest, NamesMayBeExchangedInARing) {
  std::vector<DirectoryUser> users = {SampleUser("a"), SampleUser("b"), SampleUser("c")};
  ASSERT_OK(Put(users));
  std::swap(users[0].upn, users[1].upn);
  std::swap(users[1].upn, users[2].upn);
  ASSERT_OK(Put(users));
  EXPECT_EQ(All(), users);
}

TEST_F(SqliteDirectoryTest, OfWhatIsRefusedNothingStays) {
  ASSERT_OK(Put({SampleUser("a"), SampleUser("b")}));
  DirectoryUser renamed = SampleUser("a"), rival = SampleUser("c");
  renamed.upn = "new@contoso.example";
  rival.upn = "B@contoso.example";
  EXPECT_THAT(Put({renamed, rival}), FailsWith(ErrorReason::kUserExists, "upn"));
  EXPECT_EQ(All(), (std::vector{SampleUser("a"), SampleUser("b")}));
  EXPECT_EQ(ListAdministrativeActions(*connection_, kSampleTenant, 9, "")->records.size(), 1u);
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
