#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

absl::Status Put(Store& store, const std::vector<DirectoryUser>& users,
                 const ChangeCause& cause = SampleCause()) {
  return store.PutUsers(kSampleTenant, users, cause);
}

std::vector<DirectoryUser> UsersOf(Store& store, absl::string_view tenant_id = kSampleTenant) {
  const auto page = store.ListUsers(tenant_id, kMaxPageSize, "");
  EXPECT_OK(page);
  return page.ok() ? page->records : std::vector<DirectoryUser>();
}

DirectoryUser Named(absl::string_view user_id, absl::string_view upn) {
  DirectoryUser user = SampleUser(user_id);
  user.upn = std::string(upn);
  return user;
}

const auto kUnknownId = FailsWith(ErrorReason::kUserUnknown, "user_id");
const auto kUnknownUpn = FailsWith(ErrorReason::kUserUnknown, "upn");

TEST_P(DirectoryStoreConformance, KeepsUsersInEveryField) {
  EXPECT_THAT(Put(*store_, {SampleUser("u")}), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(store_->GetUser(kSampleTenant, "u"), kUnknownId);
  EXPECT_THAT(UsersOf(*store_), IsEmpty()) << "of a tenant that there is not";
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  DirectoryUser unusual = SampleUser(kUnusualText);
  unusual.upn = absl::StrCat(kUnusualText, "@m\xc3\xbcnchen.example");
  unusual.onprem_sid = kUnusualText;
  unusual.groups = {" ", "a,b;c", kUnusualText};
  std::sort(unusual.groups.begin(), unusual.groups.end());
  unusual.roles = {};
  unusual.is_guest = true;
  unusual.is_enabled = false;
  DirectoryUser boasting = unusual;
  boasting.tenant_id = "fabrikam";
  boasting.updated_at = SampleTime(99);
  boasting.updated_by = "himself";
  DirectoryUser plain = SampleUser("B");
  plain.onprem_sid = "";
  plain.groups = {};
  ASSERT_OK(Put(*store_, {boasting, SampleUser("a"), plain}));
  EXPECT_THAT(UsersOf(*store_), ElementsAre(plain, SampleUser("a"), unusual));
  EXPECT_EQ(store_->GetUser(kSampleTenant, kUnusualText).value(), unusual);
  EXPECT_EQ(store_->GetUserByUpn(kSampleTenant, unusual.upn).value(), unusual);
  EXPECT_THAT(store_->GetUser("fabrikam", "a"), kUnknownId);
  EXPECT_THAT(store_->GetUserByUpn("fabrikam", "a@contoso.example"), kUnknownUpn);
  EXPECT_THAT(store_->GetUser(kSampleTenant, "A"), kUnknownId);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  EXPECT_EQ(UsersOf(*other), UsersOf(*store_));
}

TEST_P(DirectoryStoreConformance, AUserIsReplacedWhole) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(Put(*store_, {SampleUser("a"), SampleUser("b")}));
  DirectoryUser next = Named("a", "Alice@contoso.example");
  next.onprem_sid = "";
  next.groups = {"g-9"};
  next.roles = {"r-8", "r-9"};
  next.is_guest = true;
  next.is_enabled = false;
  next.updated_at = SampleTime(-50);
  next.updated_by = "another";
  ASSERT_OK(Put(*store_, {next}, {next.updated_at, next.updated_by, ""}));
  EXPECT_THAT(UsersOf(*store_), ElementsAre(next, SampleUser("b")));
  EXPECT_EQ(store_->GetUserByUpn(kSampleTenant, "alice@CONTOSO.example").value(), next);
  EXPECT_THAT(store_->GetUserByUpn(kSampleTenant, "a@contoso.example"), kUnknownUpn);
  // The same name in another case is his own.
  next.upn = "ALICE@contoso.example";
  ASSERT_OK(Put(*store_, {next}, {next.updated_at, next.updated_by, ""}));
  EXPECT_EQ(store_->GetUser(kSampleTenant, "a").value(), next);
}

TEST_P(DirectoryStoreConformance, NoTwoOfATenantHaveOneName) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Put(*store_, {SampleUser("a"), SampleUser("b")}));
  const auto exists = FailsWith(ErrorReason::kUserExists, "upn");
  EXPECT_THAT(Put(*store_, {SampleUser("c"), Named("d", "A@Contoso.Example")}), exists);
  EXPECT_THAT(Put(*store_, {Named("b", "a@contoso.example")}), exists);
  EXPECT_THAT(Put(*store_, {Named("d", "x@contoso.example"), Named("e", "X@contoso.example")}),
              exists);
  EXPECT_THAT(UsersOf(*store_), ElementsAre(SampleUser("a"), SampleUser("b"))) << "all or none";
  ASSERT_OK(store_->PutUsers("fabrikam", {SampleUser("z"), Named("a", "b@contoso.example")},
                             SampleCause()));
  // What one leaves in the same import another takes.
  const std::vector<DirectoryUser> exchanged = {Named("a", "b@contoso.example"),
                                                Named("b", "a@contoso.example")};
  ASSERT_OK(Put(*store_, exchanged));
  EXPECT_EQ(UsersOf(*store_), exchanged);
  ASSERT_OK(Put(*store_, {Named("c", "B@contoso.example"), Named("a", "new@contoso.example")}));
  EXPECT_EQ(store_->GetUserByUpn(kSampleTenant, "b@contoso.example")->user_id, "c");
  EXPECT_THAT(Put(*store_, {Named("d", "new@contoso.example")}), exists);
}

TEST_P(DirectoryStoreConformance, RefusesUsersThatAreNone) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  const auto invalid = [](const std::string& field) {
    return FailsWith(ErrorReason::kFieldInvalid, field);
  };
  EXPECT_THAT(Put(*store_, {SampleUser("a"), SampleUser("a")}), invalid("user_id"));
  EXPECT_THAT(Put(*store_, {SampleUser("b"), SampleUser("")}), invalid("user_id"));
  EXPECT_THAT(Put(*store_, {Named("a", "")}), invalid("upn"));
  EXPECT_THAT(Put(*store_, {Named("a", "  ")}), invalid("upn"));
  for (const std::vector<std::string>& ids :
       {std::vector<std::string>{"b", "a"}, {"a", "a"}, {"", "a"}, {"a", "b\nc"}}) {
    DirectoryUser user = SampleUser("a");
    user.groups = ids;
    EXPECT_THAT(Put(*store_, {user}), invalid("groups"));
    user = SampleUser("a");
    user.roles = ids;
    EXPECT_THAT(Put(*store_, {user}), invalid("roles"));
  }
  EXPECT_THAT(UsersOf(*store_), IsEmpty());
  EXPECT_THAT(ActionsOf(*store_), IsEmpty());
  std::vector<DirectoryUser> many;
  for (std::size_t i = 0; i <= DirectoryStore::kMostUsersAtOnce; ++i) {
    many.push_back(SampleUser(absl::StrFormat("u-%04d", i)));
  }
  EXPECT_THAT(Put(*store_, many), invalid("users"));
  many.pop_back();
  ASSERT_OK(Put(*store_, many));
  EXPECT_EQ(UsersOf(*store_), many);
  EXPECT_THAT(ActionsOf(*store_), ElementsAre("users_imported 1000 users"));
}

TEST_P(DirectoryStoreConformance, AUserMayHaveTenThousandGroups) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  DirectoryUser user = SampleUser("a");
  user.groups.clear();
  for (int i = 0; i < 10'000; ++i) {
    user.groups.push_back(absl::StrFormat("%08x-1c1c-4f4f-9b9b-%012x", i, i * 7));
  }
  ASSERT_OK(Put(*store_, {user}));
  EXPECT_EQ(store_->GetUser(kSampleTenant, "a").value(), user);
  DecisionSubject subject;
  subject.tenant_id = kSampleTenant;
  subject.user_id = "a";
  EXPECT_EQ(store_->ReadDecisionFacts(subject, SampleTime())->user, user);
}

TEST_P(DirectoryStoreConformance, WhoIsRemovedIsGone) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Put(*store_, {SampleUser("a"), SampleUser("b")}));
  for (const absl::string_view tenant : {"fabrikam", "nobody"}) {
    EXPECT_THAT(store_->RemoveUser(tenant, "a", SampleCause()), kUnknownId);
  }
  for (const absl::string_view user : {"A", "c", ""}) {
    EXPECT_THAT(store_->RemoveUser(kSampleTenant, user, SampleCause()), kUnknownId);
  }
  ASSERT_OK(store_->RemoveUser(kSampleTenant, "a", SampleCause()));
  EXPECT_THAT(store_->RemoveUser(kSampleTenant, "a", SampleCause()), kUnknownId);
  EXPECT_THAT(store_->GetUserByUpn(kSampleTenant, "a@contoso.example"), kUnknownUpn);
  EXPECT_THAT(UsersOf(*store_), ElementsAre(SampleUser("b")));
  ASSERT_OK(Put(*store_, {Named("c", "a@contoso.example")})) << "the name is free";
}

TEST_P(DirectoryStoreConformance, WhoIsNotInAWholeImportAnyMoreIsTakenAway) {
  EXPECT_THAT(store_->RemoveUsersNotUpdatedSince("nobody", SampleTime(), SampleCause()),
              FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Put(*store_, {SampleUser("a"), SampleUser("b"), SampleUser("c")}, {SampleTime(1)}));
  ASSERT_OK(store_->PutUsers("fabrikam", {SampleUser("a")}, {SampleTime(1)}));
  ASSERT_OK(Put(*store_, {SampleUser("b")}, {SampleTime(10)}));
  ASSERT_OK(Put(*store_, {SampleUser("d")}, {SampleTime(11)}));
  EXPECT_EQ(store_->RemoveUsersNotUpdatedSince(kSampleTenant, SampleTime(1), SampleCause()).value(),
            0u)
      << "who was updated just then stays";
  const ChangeCause cause = {SampleTime(12), "importer", "whole"};
  EXPECT_EQ(store_->RemoveUsersNotUpdatedSince(kSampleTenant, SampleTime(10), cause).value(), 2u);
  std::vector<std::string> ids;
  for (const DirectoryUser& user : UsersOf(*store_)) ids.push_back(user.user_id);
  EXPECT_THAT(ids, ElementsAre("b", "d"));
  EXPECT_EQ(UsersOf(*store_, "fabrikam").size(), 1u);
  ASSERT_OK(store_->RemoveUser(kSampleTenant, "d", cause));
  EXPECT_EQ(store_->RemoveUsersNotUpdatedSince(kSampleTenant, SampleTime(11), cause).value(), 1u);
  EXPECT_THAT(ActionsOf(*store_), ElementsAre("users_removed 1 user", "user_removed d",
                                              "users_removed 2 users", "users_imported 1 user",
                                              "users_imported 1 user", "users_imported 3 users"));
  ASSERT_OK_AND_ASSIGN(const auto page, store_->ListAdministrativeActions(kSampleTenant, 1, ""));
  EXPECT_EQ(page.records[0].caller, "importer");
  EXPECT_EQ(page.records[0].at, cause.now);
  EXPECT_EQ(page.records[0].reason, "whole");
}

TEST_P(DirectoryStoreConformance, AnEmptyImportIsNoneButForATenantThatThereIsNot) {
  EXPECT_THAT(Put(*store_, {}), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  EXPECT_OK(Put(*store_, {}));
  EXPECT_THAT(ActionsOf(*store_), IsEmpty());
}

TEST_P(DirectoryStoreConformance, PagesOfUsersAreCompleteAndInOrder) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->PutUsers("fabrikam", {SampleUser("c", "fabrikam")}, SampleCause()));
  const std::vector<std::string> in_order = {" ", "B", "a", "aa", "b'", "\xc3\xa9"};
  for (const char* id : {"aa", "\xc3\xa9", " ", "b'", "B", "a"}) {
    ASSERT_OK(Put(*store_, {Named(id, absl::StrCat("of", absl::BytesToHexString(id), "@x"))}));
  }
  for (const int page_size : {1, 2, 3, 5, 6, 7}) {
    std::vector<std::string> ids;
    std::string token;
    do {
      ASSERT_OK_AND_ASSIGN(const Page<DirectoryUser> page,
                           store_->ListUsers(kSampleTenant, page_size, token));
      for (const DirectoryUser& user : page.records) ids.push_back(user.user_id);
      token = page.next_page_token;
    } while (!token.empty());
    EXPECT_EQ(ids, in_order) << page_size;
  }
  for (const int page_size : {-1, 0, kMaxPageSize + 1}) {
    EXPECT_THAT(store_->ListUsers(kSampleTenant, page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
  for (const std::string& token : {std::string("x"), absl::WebSafeBase64Escape("d1:a")}) {
    EXPECT_THAT(store_->ListUsers(kSampleTenant, 1, token),
                FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  }
}

TEST_P(DirectoryStoreConformance, ImportsAtOnceLeaveOneOfThemWhole) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  // Each would give the names in another order.
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      std::vector<DirectoryUser> users;
      for (int j = 0; j < 5; ++j) {
        users.push_back(Named(absl::StrCat("u-", j), absl::StrCat((i + j) % 5, "@x.example")));
        users.back().onprem_sid = absl::StrCat(i);
      }
      EXPECT_OK(Put(i % 2 == 0 ? *store_ : *other, users));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<DirectoryUser> users = UsersOf(*other);
  ASSERT_EQ(users.size(), 5u);
  for (const DirectoryUser& user : users) EXPECT_EQ(user.onprem_sid, users[0].onprem_sid);
}

}  // namespace
}  // namespace hourglass::issuance
