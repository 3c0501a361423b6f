// The program as its users meet it: the database before there is a service.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::cli {
namespace {

using testing::HasSubstr;

constexpr char kProgram[] = "tools/hourglass/hourglass";

class StorePrepareTest : public testing::Test {
 protected:
  StorePrepareTest() {
    const auto owner = cluster_.OwnerOf(database_);
    owner_ = owner.user;
    chmod(files_.Write("owner.password", owner.password + "\n").c_str(), 0600);
    const auto& server = owner.servers.front();
    Configure(absl::StrCat("store: {postgresql: {replica: a, servers: ['", server.host, ":",
                           server.port, "'], database: ", database_,
                           ", user: ", cluster_.ServiceOf(database_).user,
                           ", password_file: is-not-looked-at, plain: true}}\n"));
  }

  void Configure(const std::string& store) {
    files_.Write("hourglassd.yaml", absl::StrCat(R"(listen: 127.0.0.1:0
data_directory: data
tls: {certificate: server.pem, private_key: server.key, trusted_roots: clients.pem}
callers:
  - {name: broker, identity: "dns:broker.local", roles: [broker], tenants: [contoso]}
keys: {software_directory: keys}
compliance: {embedded: {policy_directory: policies}}
)",
                                                 store));
  }

  CommandResult Prepare(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command = {kProgram,
                                        "store",
                                        "prepare",
                                        "--config",
                                        files_.File("hourglassd.yaml"),
                                        "--owner",
                                        owner_,
                                        "--owner-password-file",
                                        files_.File("owner.password")};
    command.insert(command.end(), more.begin(), more.end());
    return RunCommand(command);
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreateDatabase().value();
  TemporaryDirectory files_;
  std::string owner_;
};

TEST_F(StorePrepareTest, MakesTheTablesAndChangesNothingTheNextTime) {
  const CommandResult made = Prepare();
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("made, of version "));
  EXPECT_THAT(made.output, HasSubstr("Role service may use it"));
  const CommandResult again = Prepare({"--json"});
  EXPECT_EQ(again.exit_code, 0) << again.output;
  const auto json = nlohmann::json::parse(again.output);
  EXPECT_EQ(json["schema_version_before"], json["schema_version"]);
  EXPECT_EQ(json["service_role"], "service");
}

TEST_F(StorePrepareTest, SaysWhatIsInTheWay) {
  const CommandResult no_role = Prepare({"--service", "nobody-there"});
  EXPECT_EQ(no_role.exit_code, 1);
  EXPECT_THAT(no_role.output, HasSubstr("there is no role nobody-there"));
  const CommandResult owner_serves = Prepare({"--service", owner_});
  EXPECT_EQ(owner_serves.exit_code, 1);
  EXPECT_THAT(owner_serves.output, HasSubstr("must be another"));
  chmod(files_.Write("owner.password", "wrong\n").c_str(), 0600);
  const CommandResult wrong = Prepare();
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.output, HasSubstr("JOURNAL_UNAVAILABLE"));
  EXPECT_THAT(wrong.output, testing::Not(HasSubstr("wrong\n")));
  chmod(files_.File("owner.password").c_str(), 0644);
  const CommandResult readable = Prepare();
  EXPECT_EQ(readable.exit_code, 1);
  EXPECT_THAT(readable.output, HasSubstr("--owner-password-file"));
  EXPECT_THAT(readable.output, HasSubstr("chmod 600"));
}

TEST_F(StorePrepareTest, SqliteNeedsNoPreparation) {
  Configure("");
  const CommandResult sqlite = Prepare();
  EXPECT_EQ(sqlite.exit_code, 1);
  EXPECT_THAT(sqlite.output, HasSubstr("its store is SQLite, which needs no preparation"));
  const CommandResult usage = RunCommand({kProgram, "store", "prepare"});
  EXPECT_EQ(usage.exit_code, 2);
  EXPECT_THAT(usage.output, HasSubstr("--config is required"));
}

}  // namespace
}  // namespace hourglass::cli
