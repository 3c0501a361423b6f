#include "issuance/services/access/directory_service.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DirectoryServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    service_.emplace(nullptr, store_.get(), store_.get(), &clock_, log_.log());
  }

  static v1::DirectoryUser User(const std::string& id, const std::string& more = "") {
    v1::DirectoryUser user;
    user.set_id(id);
    user.set_upn(absl::StrCat(id, "@contoso.example"));
    EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(more, &user)) << more;
    return user;
  }

  absl::StatusOr<v1::PutUsersResponse> Put(const std::vector<v1::DirectoryUser>& users,
                                           const std::string& tenant_id = "contoso") {
    v1::PutUsersRequest request;
    request.set_tenant_id(tenant_id);
    for (const v1::DirectoryUser& user : users) *request.add_users() = user;
    return Put(request);
  }
  absl::StatusOr<v1::PutUsersResponse> Put(const v1::PutUsersRequest& request) {
    v1::PutUsersResponse response;
    const absl::Status status = service_->PutUsers(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::DirectoryUser> Get(const std::string& words) {
    v1::DirectoryUser user;
    const absl::Status status = service_->GetUser(
        administrator_, MessageOf<v1::GetUserRequest>(absl::StrCat("tenant_id: 'contoso' ", words)),
        &user);
    if (!status.ok()) return status;
    return user;
  }

  absl::StatusOr<std::uint64_t> RemoveStale(std::optional<google::protobuf::Timestamp> since) {
    v1::RemoveStaleUsersRequest request;
    request.set_tenant_id("contoso");
    if (since.has_value()) *request.mutable_not_updated_since() = *since;
    v1::RemoveStaleUsersResponse response;
    const absl::Status status = service_->RemoveStaleUsers(administrator_, request, &response);
    if (!status.ok()) return status;
    return response.removed();
  }

  absl::Status Remove(const std::string& user_id) {
    v1::RemoveUserRequest request;
    request.set_tenant_id("contoso");
    request.set_user_id(user_id);
    v1::RemoveUserResponse response;
    return service_->RemoveUser(administrator_, request, &response);
  }

  absl::StatusOr<v1::ListUsersResponse> List(std::uint32_t page_size = 0,
                                             const std::string& page_token = "",
                                             const std::string& tenant_id = "contoso") {
    v1::ListUsersRequest request;
    request.set_tenant_id(tenant_id);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    v1::ListUsersResponse response;
    const absl::Status status = service_->ListUsers(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  std::optional<DirectoryService> service_;
};

std::vector<std::string> IdsOf(const v1::ListUsersResponse& page) {
  std::vector<std::string> ids;
  for (const v1::DirectoryUser& user : page.users()) ids.push_back(user.id());
  return ids;
}

TEST_F(DirectoryServiceTest, AUserIsKeptWholeWithWhoPutHimAndWhen) {
  const v1::DirectoryUser alice =
      User("alice", R"(onprem_sid: "S-1-5-21-1-2-3-1105" guest: true disabled: true
                       groups: ["g-2", "g-1", "g-2"] roles: ["r-1"])");
  ASSERT_OK_AND_ASSIGN(const v1::PutUsersResponse put, Put({alice}));
  EXPECT_THAT(put.updated_at(), IsMessage(ToProto(clock_.now)));
  v1::DirectoryUser expected = alice;
  expected.clear_groups();
  expected.add_groups("g-1");
  expected.add_groups("g-2");
  *expected.mutable_updated_at() = ToProto(clock_.now);
  expected.set_updated_by("cli");
  ASSERT_OK_AND_ASSIGN(const v1::DirectoryUser by_id, Get("user_id: 'alice'"));
  EXPECT_THAT(by_id, IsMessage(expected));
  ASSERT_OK_AND_ASSIGN(const v1::DirectoryUser by_upn, Get("upn: 'ALICE@contoso.example'"));
  EXPECT_THAT(by_upn, IsMessage(expected));
  // Names are in no line: there may be a thousand.
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "users_put"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"users", "1"},
                                               {"caller", "cli"}}));
  // Replaced whole.
  ASSERT_OK(Put({User("alice")}));
  ASSERT_OK_AND_ASSIGN(const v1::DirectoryUser again, Get("user_id: 'alice'"));
  EXPECT_EQ(again.groups_size(), 0);
  EXPECT_EQ(again.onprem_sid(), "");
  EXPECT_FALSE(again.disabled());
}

TEST_F(DirectoryServiceTest, EveryFieldIsChecked) {
  const v1::DirectoryUser sound = User("bob");
  struct Case {
    std::string user;
    ErrorReason reason;
    const char* field;
  };
  const Case cases[] = {
      {"upn: 'a@b'", ErrorReason::kFieldMissing, "users[1].id"},
      {"id: 'a b' upn: 'a@b'", ErrorReason::kFieldInvalid, "users[1].id"},
      {absl::StrCat("id: '", std::string(65, 'x'), "' upn: 'a@b'"), ErrorReason::kFieldInvalid,
       "users[1].id"},
      {"id: 'bob' upn: 'a@b'", ErrorReason::kFieldInvalid, "users[1].id"},
      {"id: 'a'", ErrorReason::kFieldMissing, "users[1].upn"},
      {"id: 'a' upn: 'alice'", ErrorReason::kFieldInvalid, "users[1].upn"},
      {"id: 'a' upn: 'a@b' onprem_sid: 'alice'", ErrorReason::kFieldInvalid, "users[1].onprem_sid"},
      {"id: 'a' upn: 'a@b' onprem_sid: 'S-1-12-1-1-2-3-4'", ErrorReason::kFieldInvalid,
       "users[1].onprem_sid"},
      {"id: 'a' upn: 'a@b' onprem_sid: 'S-1-5-21-1-2-3'", ErrorReason::kFieldInvalid,
       "users[1].onprem_sid"},
      {"id: 'a' upn: 'a@b' onprem_sid: 'S-1-5-21-1-2-3-4294967296'", ErrorReason::kFieldInvalid,
       "users[1].onprem_sid"},
      {"id: 'a' upn: 'a@b' onprem_sid: 'S-1-5-21-1-2-03-4'", ErrorReason::kFieldInvalid,
       "users[1].onprem_sid"},
      {"id: 'a' upn: 'a@b' onprem_sid: 'S-1-5-21-1--3-4'", ErrorReason::kFieldInvalid,
       "users[1].onprem_sid"},
      {"id: 'a' upn: 'a@b' groups: ['g', '']", ErrorReason::kFieldMissing, "users[1].groups[1]"},
      {"id: 'a' upn: 'a@b' groups: 'a b'", ErrorReason::kFieldInvalid, "users[1].groups[0]"},
      {"id: 'a' upn: 'a@b' roles: 'a\\nb'", ErrorReason::kFieldInvalid, "users[1].roles[0]"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Put({sound, MessageOf<v1::DirectoryUser>(c.user)}), FailsWith(c.reason, c.field))
        << c.user;
  }
  v1::PutUsersRequest request;
  request.set_tenant_id("contoso");
  EXPECT_THAT(Put(request), FailsWith(ErrorReason::kFieldMissing, "users"));
  *request.add_users() = sound;
  request.set_reason("a\nb");
  EXPECT_THAT(Put(request), FailsWith(ErrorReason::kFieldInvalid, "reason"));
  EXPECT_THAT(Get("user_id: 'bob'"), FailsWith(ErrorReason::kUserUnknown, "user_id"))
      << "all or none";
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_OK(Put({sound}));
}

TEST_F(DirectoryServiceTest, AUserHasAsManyGroupsAndRolesAsTheContractSays) {
  v1::DirectoryUser user = User("alice");
  for (int i = 0; i < 20'000; ++i) user.add_groups(absl::StrCat("g-", i));
  for (int i = 0; i < 256; ++i) user.add_roles(absl::StrCat("r-", i));
  ASSERT_OK(Put({user}));
  ASSERT_OK_AND_ASSIGN(const v1::DirectoryUser kept, Get("user_id: 'alice'"));
  EXPECT_EQ(kept.groups_size(), 20'000);
  EXPECT_EQ(kept.roles_size(), 256);
  v1::DirectoryUser more = user;
  more.add_groups("g");
  EXPECT_THAT(Put({more}), FailsWith(ErrorReason::kFieldInvalid, "users[0].groups"));
  more = user;
  more.add_roles("r");
  EXPECT_THAT(Put({more}), FailsWith(ErrorReason::kFieldInvalid, "users[0].roles"));
}

TEST_F(DirectoryServiceTest, AThousandAreTakenAtOnce) {
  std::vector<v1::DirectoryUser> users;
  for (int i = 0; i < 1000; ++i) users.push_back(User(absl::StrCat("u-", i)));
  EXPECT_OK(Put(users));
  users.push_back(User("one-more"));
  EXPECT_THAT(Put(users), FailsWith(ErrorReason::kFieldInvalid, "users"));
  users.resize(5);
  for (v1::DirectoryUser& user : users) {
    for (int i = 0; i < 20'000; ++i)
      user.add_groups(absl::StrCat(std::string(26, 'g'), 10'000 + i));
  }
  EXPECT_THAT(Put(users), FailsWith(ErrorReason::kFieldInvalid, "users"));
  users.resize(4);
  EXPECT_OK(Put(users));
}

TEST_F(DirectoryServiceTest, WhoHasTheNameOfAnotherIsNamed) {
  ASSERT_OK(Put({User("alice"), User("bob")}));
  v1::DirectoryUser carol = User("carol");
  carol.set_upn("ALICE@contoso.example");
  const auto refused = Put({User("dave"), carol});
  EXPECT_THAT(refused, FailsWith(ErrorReason::kUserExists, "users[1].upn"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("user alice"));
  EXPECT_THAT(Get("user_id: 'dave'"), FailsWith(ErrorReason::kUserUnknown));
  v1::DirectoryUser dave = User("dave");
  dave.set_upn("erin@contoso.example");
  EXPECT_THAT(Put({dave, User("erin")}), FailsWith(ErrorReason::kUserExists, "users[1].upn"));
  // Two may exchange their names.
  v1::DirectoryUser alice = User("alice"), bob = User("bob");
  alice.mutable_upn()->swap(*bob.mutable_upn());
  EXPECT_OK(Put({alice, bob}));
  ASSERT_OK_AND_ASSIGN(const v1::DirectoryUser now, Get("upn: 'alice@contoso.example'"));
  EXPECT_EQ(now.id(), "bob");
}

TEST_F(DirectoryServiceTest, WhoIsNotInAWholeImportIsTakenAway) {
  ASSERT_OK(Put({User("alice"), User("bob")}));
  clock_.now += seconds(10);
  ASSERT_OK_AND_ASSIGN(const v1::PutUsersResponse first, Put({User("alice")}));
  clock_.now += seconds(10);
  ASSERT_OK(Put({User("carol")}));
  static_cast<void>(Logged());
  ASSERT_OK_AND_ASSIGN(const std::uint64_t removed, RemoveStale(first.updated_at()));
  EXPECT_EQ(removed, 1u);
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "users_removed"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"users", "1"},
                                               {"caller", "cli"}}));
  ASSERT_OK_AND_ASSIGN(const v1::ListUsersResponse left, List());
  EXPECT_THAT(IdsOf(left), ElementsAre("alice", "carol"));
}

// It would be everybody's end.
TEST_F(DirectoryServiceTest, NobodyIsStaleAsOfATimeToCome) {
  ASSERT_OK(Put({User("alice")}));
  EXPECT_THAT(RemoveStale(std::nullopt),
              FailsWith(ErrorReason::kFieldMissing, "not_updated_since"));
  EXPECT_THAT(RemoveStale(MessageOf<google::protobuf::Timestamp>("nanos: -1")),
              FailsWith(ErrorReason::kFieldInvalid, "not_updated_since"));
  EXPECT_THAT(RemoveStale(ToProto(clock_.now + minutes(5) + std::chrono::microseconds(1))),
              FailsWith(ErrorReason::kFieldInvalid, "not_updated_since"));
  EXPECT_OK(Get("user_id: 'alice'"));
  EXPECT_OK(RemoveStale(ToProto(clock_.now)));
  EXPECT_OK(Get("user_id: 'alice'"));
}

TEST_F(DirectoryServiceTest, NobodyIsDatedByAClockThatLeapt) {
  ASSERT_OK(Put({User("alice")}));
  clock_.believed = false;
  EXPECT_THAT(Put({User("bob")}), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_THAT(RemoveStale(ToProto(clock_.now)), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_OK(Get("user_id: 'alice'"));
  EXPECT_OK(List());
  EXPECT_OK(Remove("alice"));
}

TEST_F(DirectoryServiceTest, RemovingIsLoggedWhereSomebodyWasRemoved) {
  ASSERT_OK(Put({User("alice"), User("bob")}));
  static_cast<void>(Logged());
  EXPECT_OK(Remove("alice"));
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "user_removed"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"user", "alice"},
                                               {"caller", "cli"}}));
  EXPECT_THAT(Remove("alice"), FailsWith(ErrorReason::kUserUnknown, "user_id"));
  EXPECT_THAT(Remove(""), FailsWith(ErrorReason::kFieldMissing, "user_id"));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_OK(Get("user_id: 'bob'"));
}

TEST_F(DirectoryServiceTest, OneOfIdAndUpnIsAskedFor) {
  EXPECT_THAT(Get(""), FailsWith(ErrorReason::kFieldMissing, "user_id"));
  EXPECT_THAT(Get("user_id: ''"), FailsWith(ErrorReason::kFieldMissing, "user_id"));
  EXPECT_THAT(Get("upn: 'alice'"), FailsWith(ErrorReason::kFieldInvalid, "upn"));
  EXPECT_THAT(Get("upn: 'alice@contoso.example'"), FailsWith(ErrorReason::kUserUnknown, "upn"));
}

TEST_F(DirectoryServiceTest, ListsPageByPageWithoutGroups) {
  ASSERT_OK(Put({User("c", "groups: 'g' roles: 'r'"), User("a", "groups: 'g'"), User("b")}));
  ASSERT_OK_AND_ASSIGN(const v1::ListUsersResponse first, List(2));
  EXPECT_THAT(IdsOf(first), ElementsAre("a", "b"));
  EXPECT_EQ(first.users(0).upn(), "a@contoso.example");
  ASSERT_OK_AND_ASSIGN(const v1::ListUsersResponse last, List(2, first.next_page_token()));
  EXPECT_THAT(IdsOf(last), ElementsAre("c"));
  EXPECT_EQ(last.users(0).groups_size() + last.users(0).roles_size(), 0);
  EXPECT_EQ(last.next_page_token(), "");
  EXPECT_THAT(List(2, "forged"), FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  EXPECT_THAT(List(1001), FailsWith(ErrorReason::kFieldInvalid, "page_size"));
}

TEST_F(DirectoryServiceTest, UsersAreOfTheirTenantOnly) {
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Put({User("alice")}));
  EXPECT_OK(Put({User("alice")}, "fabrikam"));
  EXPECT_THAT(Put({User("alice")}, "unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(List(0, "", "unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_OK(Remove("alice"));
  ASSERT_OK_AND_ASSIGN(const v1::ListUsersResponse theirs, List(0, "", "fabrikam"));
  EXPECT_THAT(IdsOf(theirs), ElementsAre("alice"));
}

}  // namespace
}  // namespace hourglass::issuance
