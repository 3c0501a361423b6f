// The program as its users meet it: the users of a directory.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "hourglass/v1/directory.grpc.pb.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/subprocess.h"
#include "tools/client/testing/loopback_service.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

constexpr char kProgram[] = "tools/hourglass/hourglass";

// A directory in memory, whose clock ticks at each change.
class SmallDirectory final : public v1::DirectoryService::Service {
 public:
  grpc::Status PutUsers(grpc::ServerContext*, const v1::PutUsersRequest* request,
                        v1::PutUsersResponse* answer) override {
    portions.push_back(request->users_size());
    reason = request->reason();
    if (static_cast<int>(portions.size()) == fails_at) {
      return issuance::ToGrpcStatus(Error(ErrorReason::kStopping, "", "the service stops"));
    }
    std::map<std::string, v1::DirectoryUser> after = users;
    for (const v1::DirectoryUser& user : request->users()) after.erase(user.id());
    for (int i = 0; i < request->users_size(); ++i) {
      for (const auto& [id, other] : after) {
        if (id == request->users(i).id() || other.upn() != request->users(i).upn()) continue;
        return issuance::ToGrpcStatus(
            Error(ErrorReason::kUserExists, absl::StrCat("users[", i, "].upn"), "is taken"));
      }
      v1::DirectoryUser& put = after[request->users(i).id()] = request->users(i);
      *put.mutable_updated_at() = client::TimestampOf(now);
      put.set_updated_by("admin");
    }
    users = after;
    *answer->mutable_updated_at() = client::TimestampOf(now);
    now += step;
    return grpc::Status::OK;
  }
  grpc::Status RemoveStaleUsers(grpc::ServerContext*, const v1::RemoveStaleUsersRequest* request,
                                v1::RemoveStaleUsersResponse* answer) override {
    const absl::Time since = client::TimeOf(request->not_updated_since());
    answer->set_removed(std::erase_if(users, [since](const auto& user) {
      return client::TimeOf(user.second.updated_at()) < since;
    }));
    return grpc::Status::OK;
  }
  grpc::Status RemoveUser(grpc::ServerContext*, const v1::RemoveUserRequest* request,
                          v1::RemoveUserResponse*) override {
    reason = request->reason();
    if (users.erase(request->user_id()) > 0) return grpc::Status::OK;
    return Unknown();
  }
  grpc::Status GetUser(grpc::ServerContext*, const v1::GetUserRequest* request,
                       v1::DirectoryUser* answer) override {
    for (const auto& [id, user] : users) {
      if (id != request->user_id() && user.upn() != request->upn()) continue;
      *answer = user;
      return grpc::Status::OK;
    }
    return Unknown();
  }
  grpc::Status ListUsers(grpc::ServerContext*, const v1::ListUsersRequest* request,
                         v1::ListUsersResponse* answer) override {
    // One a page.
    auto next = users.upper_bound(request->page_token());
    if (next == users.end()) return grpc::Status::OK;
    *answer->add_users() = next->second;
    answer->mutable_users(0)->clear_groups();
    if (std::next(next) != users.end()) answer->set_next_page_token(next->first);
    return grpc::Status::OK;
  }

  void Add(const std::string& id, const std::string& upn) {
    users[id].set_id(id);
    users[id].set_upn(upn);
    *users[id].mutable_updated_at() = client::TimestampOf(now - absl::Hours(1));
  }

  std::map<std::string, std::string> Names() const {
    std::map<std::string, std::string> names;
    for (const auto& [id, user] : users) names[id] = user.upn();
    return names;
  }

  std::map<std::string, v1::DirectoryUser> users;
  std::vector<int> portions;  // how many users each had
  std::string reason;
  int fails_at = 0;  // the portion that fails, counted from 1
  absl::Time now = absl::Now();
  absl::Duration step = absl::Seconds(1);

 private:
  static grpc::Status Unknown() {
    return issuance::ToGrpcStatus(
        Error(ErrorReason::kUserUnknown, "user_id", "the directory has no such user"));
  }
};

class UsersTest : public testing::Test {
 protected:
  CommandResult Run(const std::string& words) const {
    std::vector<std::string> command = {kProgram, "--config", service_.config_file()};
    for (const absl::string_view word : absl::StrSplit(words, ' ')) command.emplace_back(word);
    return RunCommand(command);
  }
  Json RunJson(const std::string& words) const {
    const CommandResult result = Run(words + " --json");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return Json::parse(result.output, nullptr, false);
  }

  // An export with these users, each `id upn`.
  std::string File(const std::vector<std::string>& users) const {
    std::string csv =
        "id,userPrincipalName,accountEnabled,userType,onPremisesSecurityIdentifier,groups\n";
    for (const std::string& user : users) {
      const std::pair<std::string, std::string> words = absl::StrSplit(user, ' ');
      absl::StrAppend(&csv, words.first, ",", words.second, ",true,Member,,g-1\n");
    }
    return service_.directory().Write("users.csv", csv);
  }

  SmallDirectory directory_;
  client::LoopbackService service_{{&directory_}};
};

TEST_F(UsersTest, AnExportIsImported) {
  const CommandResult put = Run("users import --tenant contoso --reason nightly " +
                                File({"u-1 alice@contoso.example", "u-2 bob@contoso.example"}));
  EXPECT_EQ(put.exit_code, 0) << put.output;
  EXPECT_EQ(put.output, "Put 2 users of tenant contoso.\n");
  EXPECT_EQ(directory_.reason, "nightly");
  EXPECT_THAT(directory_.Names(), ElementsAre(Pair("u-1", "alice@contoso.example"),
                                              Pair("u-2", "bob@contoso.example")));
  EXPECT_EQ(directory_.users["u-1"].groups(0), "g-1");
  const Json json = RunJson("users import --tenant contoso " + File({"u-1 alice@contoso.example"}));
  EXPECT_EQ(json["put"], 1);
  EXPECT_FALSE(json.contains("removed"));
  EXPECT_EQ(json["notices"], Json::array());
}

TEST_F(UsersTest, AWholeImportRemovesWhoIsNotInIt) {
  directory_.Add("u-9", "gone@contoso.example");
  std::vector<std::string> users;
  for (int i = 0; i < 2500; ++i) {
    users.push_back(absl::StrCat("u-", 10'000 + i, " u", i, "@contoso.example"));
  }
  const Json json = RunJson("users import --tenant contoso --whole " + File(users));
  EXPECT_EQ(json["put"], 2500);
  EXPECT_EQ(json["removed"], 1);
  EXPECT_THAT(directory_.portions, ElementsAre(1000, 1000, 500));
  EXPECT_EQ(directory_.users.size(), 2500u);
}

// The portions may go to several replicas.
TEST_F(UsersTest, AClockThatIsBehindTakesNobodyAway) {
  directory_.step = -absl::Seconds(1);
  std::vector<std::string> users;
  for (int i = 0; i < 1500; ++i) {
    users.push_back(absl::StrCat("u-", 10'000 + i, " u", i, "@contoso.example"));
  }
  EXPECT_EQ(RunJson("users import --tenant contoso --whole " + File(users))["removed"], 0);
  EXPECT_EQ(directory_.users.size(), 1500u);
}

TEST_F(UsersTest, PortionsAreBelowWhatTheServiceTakes) {
  std::string json = "[";
  for (int i = 0; i < 8; ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", R"({"id": "u-)", i, R"(", "userPrincipalName": "u)",
                    i,
                    R"(@contoso.example", "accountEnabled": true, "userType": null,
                       "onPremisesSecurityIdentifier": null, "transitiveMemberOf": [)");
    for (int g = 0; g < 20'000; ++g) {
      absl::StrAppend(&json, g == 0 ? "" : ",", "\"00000000-0000-0000-0000-", 100'000'000'000 + g,
                      "\"");
    }
    json += "]}";
  }
  const std::string file = service_.directory().Write("large.json", json + "]");
  EXPECT_EQ(RunJson("users import --tenant contoso " + file)["put"], 8);
  EXPECT_THAT(directory_.portions, ElementsAre(2, 2, 2, 2));
  EXPECT_EQ(directory_.users["u-7"].groups_size(), 20'000);
}

TEST_F(UsersTest, WhoTookTheNameOfOneWhoIsGoneIsPut) {
  directory_.Add("old", "alice@contoso.example");
  const std::string file = File({"new alice@contoso.example"});
  const CommandResult refused = Run("users import --tenant contoso " + file);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, StartsWith("hourglass: USER_EXISTS: users[0].upn: is taken"));
  EXPECT_THAT(directory_.Names(), ElementsAre(Pair("old", "alice@contoso.example")));
  EXPECT_EQ(RunJson("users import --tenant contoso --whole " + file)["removed"], 1);
  EXPECT_THAT(directory_.Names(), ElementsAre(Pair("new", "alice@contoso.example")));
}

TEST_F(UsersTest, NamesThatMovedFromOneToAnotherArePutTogether) {
  std::vector<std::string> users = {"first taken@contoso.example"};
  for (int i = 0; i < 1500; ++i) {
    users.push_back(absl::StrCat("u-", 10'000 + i, " u", i, "@contoso.example"));
  }
  users.push_back("last renamed@contoso.example");
  directory_.Add("last", "taken@contoso.example");
  EXPECT_EQ(RunJson("users import --tenant contoso " + File(users))["put"], 1502);
  EXPECT_EQ(directory_.users["first"].upn(), "taken@contoso.example");
  EXPECT_EQ(directory_.users["last"].upn(), "renamed@contoso.example");
}

TEST_F(UsersTest, TwoOfOneNameAreRefused) {
  const CommandResult refused =
      Run("users import --tenant contoso --whole " +
          File({"u-1 alice@contoso.example", "u-2 alice@contoso.example"}));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, StartsWith("hourglass: USER_EXISTS: "));
  EXPECT_TRUE(directory_.users.empty());
}

TEST_F(UsersTest, AnImportThatIsCutShortSaysHowFarItWas) {
  std::vector<std::string> users;
  for (int i = 0; i < 1500; ++i) {
    users.push_back(absl::StrCat("u-", 10'000 + i, " u", i, "@contoso.example"));
  }
  directory_.fails_at = 2;
  const CommandResult cut = Run("users import --tenant contoso --whole " + File(users));
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_THAT(cut.output,
              AllOf(StartsWith("hourglass: STOPPING: "), HasSubstr("1000 of 1500 users had been "
                                                                   "put before")));
  EXPECT_EQ(directory_.users.size(), 1000u);
}

TEST_F(UsersTest, WhatTheExportLacksIsToldAndNothingIsPut) {
  const std::string file = service_.directory().Write(
      "users.json", R"({"value": [{"id": "u-1", "userPrincipalName": "alice@contoso.example"}]})");
  const CommandResult refused = Run("users import --tenant contoso " + file);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              AllOf(StartsWith("hourglass: FIELD_INVALID: the export is incomplete: "),
                    HasSubstr("`onPremisesSecurityIdentifier` is absent of 1 of 1 user"),
                    HasSubstr("$select=")));
  EXPECT_TRUE(directory_.users.empty());
  const CommandResult put = Run("users import --tenant contoso --incomplete " + file);
  EXPECT_EQ(put.exit_code, 0) << put.output;
  EXPECT_THAT(put.output, AllOf(StartsWith("Put 1 user of tenant contoso.\n"),
                                HasSubstr("Note: `accountEnabled` is absent of 1 of 1 user.\n")));
  EXPECT_EQ(RunJson("users import --tenant contoso --incomplete " + file)["notices"].size(), 4u);
  const std::string nobody = service_.directory().Write("none.json", "[]");
  EXPECT_THAT(Run("users import --tenant contoso --whole " + nobody).output,
              StartsWith("hourglass: FIELD_INVALID: there are no users in it"));
  EXPECT_EQ(directory_.users.size(), 1u);
}

TEST_F(UsersTest, UsersAreListedShownAndRemoved) {
  EXPECT_THAT(Run("users list --tenant contoso").output, StartsWith("No users."));
  directory_.Add("u-1", "alice@contoso.example");
  directory_.Add("u-2", "bob@contoso.example");
  directory_.users["u-1"].set_onprem_sid("S-1-5-21-1-2-3-1105");
  directory_.users["u-1"].add_groups("g-1");
  directory_.users["u-1"].add_roles("r-1");
  directory_.users["u-2"].set_guest(true);
  directory_.users["u-2"].set_disabled(true);
  const CommandResult listed = Run("users list --tenant contoso");
  EXPECT_THAT(listed.output, StartsWith("ID   UPN                    ACCOUNT          SID "));
  EXPECT_THAT(listed.output, HasSubstr("\nu-2  bob@contoso.example    guest, disabled  -"));
  EXPECT_EQ(RunJson("users list --tenant contoso")["users"].size(), 2u);
  EXPECT_THAT(Run("users show --tenant contoso alice@contoso.example").output,
              AllOf(HasSubstr("S-1-5-21-1-2-3-1105\n"), HasSubstr("g-1\n"), HasSubstr("r-1\n")));
  const Json shown = RunJson("users show --tenant contoso u-1");
  EXPECT_EQ(shown["upn"], "alice@contoso.example");
  EXPECT_EQ(shown["groups"][0], "g-1");
  EXPECT_EQ(shown["disabled"], false);
  EXPECT_THAT(Run("users remove --tenant contoso alice@contoso.example").output,
              StartsWith("Removed user u-1 from the directory"));
  EXPECT_THAT(directory_.Names(), ElementsAre(Pair("u-2", "bob@contoso.example")));
  const CommandResult unknown = Run("users show --tenant contoso u-1");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.output, AllOf(StartsWith("hourglass: USER_UNKNOWN: "),
                                    HasSubstr("hourglass users list --tenant TENANT")));
}

TEST(UsersUsageTest, WrongUsageIsToldBeforeTheServiceIsAsked) {
  const std::pair<const char*, const char*> cases[] = {
      {"users import --tenant t", "--file is required"},
      {"users import --tenant t --whole --incomplete f", "is not whole"},
      {"users show --tenant t", "user is required"},
      {"users", "a subcommand of hourglass users is required"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> command = {kProgram, "--config", "none.yaml"};
    for (const absl::string_view word : absl::StrSplit(words, ' ')) command.emplace_back(word);
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 2) << words << result.output;
    EXPECT_THAT(result.output, HasSubstr(expected)) << words;
  }
}

}  // namespace
}  // namespace hourglass::cli
