// The administrator's program moves a store to PostgreSQL and back.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/fill_journal.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

constexpr char kProgram[] = "tools/hourglass/hourglass";

class StoreMoveTest : public testing::Test {
 protected:
  StoreMoveTest() {
    const auto owner = cluster_.OwnerOf(database_);
    owner_ = owner.user;
    chmod(files_.Write("owner.password", owner.password + "\n").c_str(), 0600);
    const auto& server = owner.servers.front();
    files_.Write("hourglassd.yaml",
                 absl::StrCat(R"(listen: 127.0.0.1:0
data_directory: data
tls: {certificate: server.pem, private_key: server.key, trusted_roots: clients.pem}
callers:
  - {name: broker, identity: "dns:broker.local", roles: [broker], tenants: [contoso]}
keys: {software_directory: keys}
compliance: {embedded: {policy_directory: policies}}
store: {postgresql: {replica: a, servers: [')",
                              server.host, ":", server.port, "'], database: ", database_,
                              ", user: service, plain: true, synchronous_standby: waived, "
                              "waiver_reason: one machine in a test}}\n"));
  }

  CommandResult Run(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {kProgram, "store"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const std::vector<std::string> database = {
        "--config", files_.File("hourglassd.yaml"), "--owner",
        owner_,     "--owner-password-file",        files_.File("owner.password")};
    command.insert(command.end(), database.begin(), database.end());
    return RunCommand(command);
  }
  std::string Here() const { return absl::StrCat("sqlite:", data_.path()); }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreateDatabase().value();
  const TemporaryDirectory files_, data_, back_;
  std::string owner_;
};

TEST_F(StoreMoveTest, ThereAndBack) {
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                         OpenSqliteStore(SqliteStorePath(data_.path())));
    ASSERT_OK(AddSamplePrimary(*store));
    ASSERT_OK(FillJournal(*store, kSampleTenant, 600));
  }
  const CommandResult early = Run({"move", "--from", Here(), "--to", "postgresql"});
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_THAT(early.output, HasSubstr("store prepare"));
  ASSERT_EQ(Run({"prepare"}).exit_code, 0);

  const CommandResult dry = Run({"move", "--from", Here(), "--to", "postgresql", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.output;
  EXPECT_THAT(dry.output, HasSubstr("Nothing was changed"));
  const CommandResult moved = Run({"move", "--from", Here(), "--to", "postgresql"});
  EXPECT_EQ(moved.exit_code, 0) << moved.output;
  EXPECT_THAT(moved.output, HasSubstr("journal                   600\n"));
  EXPECT_THAT(moved.output, HasSubstr("Comparing: "));
  const CommandResult again = Run({"move", "--from", Here(), "--to", "postgresql"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.output, HasSubstr("was moved to postgresql:"));
  EXPECT_THAT(again.output, HasSubstr("store reopen"));

  const CommandResult back = Run({"move", "--from", "postgresql", "--to",
                                  absl::StrCat("sqlite:", back_.path(), "/"), "--json"});
  EXPECT_EQ(back.exit_code, 0) << back.output;
  EXPECT_THAT(back.output, HasSubstr("\"journal\": 600"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                       OpenSqliteStore(SqliteStorePath(back_.path())));
  EXPECT_OK(store->FindByRequestId(kSampleTenant, SyntheticIntent(599, kSampleTenant).request_id));
  EXPECT_EQ(Run({"reopen", "--store", Here()}).exit_code, 0);
  EXPECT_OK(OpenSqliteStore(SqliteStorePath(data_.path())));
}

TEST_F(StoreMoveTest, WrongUsageIsSaid) {
  for (const auto& [arguments, why] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"move", "--from", "postgresql", "--to", "postgresql"}, "the other postgresql"},
           {{"move", "--from", "mysql:x", "--to", "postgresql"}, "neither sqlite:DIR nor"},
           {{"move", "--from", "sqlite:", "--to", "postgresql"}, "neither sqlite:DIR nor"},
           {{"move", "--to", "postgresql"}, "--from is required"},
           {{"reopen"}, "--store is required"}}) {
    const CommandResult refused = Run(arguments);
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_THAT(refused.output, HasSubstr(why));
  }
}

}  // namespace
}  // namespace hourglass::issuance
