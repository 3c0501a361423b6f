#include "issuance/store/sqlite/engine/fence.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

constexpr char kRest[] =
    "'ec-p256', 'u' || hex(randomblob(8)), 1, x'', 1, 2, 3, 4, NULL, '', NULL, '', 0, 0)";

class FenceTest : public testing::Test {
 protected:
  FenceTest() {
    EXPECT_OK(main_->Execute("PRAGMA synchronous = OFF"));
    EXPECT_OK(UseWriteAheadLog(*main_));
    EXPECT_OK(Migrate(*main_, Migrations()));
    for (const char* tenant : {"contoso", "fabrikam", "c"}) AddTenant(*main_, tenant);
    AddRoot(*main_, "contoso", "r1", 1, "PRIMARY");
    AddRoot(*main_, "contoso", "r2", 2, "STAGED");
    AddRoot(*main_, "fabrikam", "r1", 1, "RETIRING");
  }

  std::unique_ptr<Connection> Connect() {
    return Connection::Open(path_, std::chrono::milliseconds(0)).value();
  }
  static void Run(Connection& connection, const std::string& sql) {
    EXPECT_OK(connection.Execute(sql));
  }
  static void AddTenant(Connection& connection, const std::string& tenant) {
    Run(connection, "INSERT INTO tenants VALUES ('" + tenant + "', '', 1, 7, 3, 4, NULL, 0)");
  }
  static void AddRoot(Connection& connection, const std::string& tenant, const std::string& root,
                      int generation, const std::string& state) {
    Run(connection, "INSERT INTO roots VALUES ('" + tenant + "', '" + root + "', " +
                        std::to_string(generation) + ", '" + state + "', " + kRest);
  }
  // An intermediate with this serial number, in hexadecimal.
  static void AddIntermediate(Connection& connection, const std::string& root,
                              const std::string& serial_number, bool released) {
    Run(connection, "INSERT INTO intermediates VALUES (NULL, 'contoso', 7, '" + root + "', x'" +
                        serial_number + "', 'ec-p256', 1, 2, x'', 3, " +
                        (released ? "x'30', 4)" : "NULL, NULL)"));
  }

  // As the fence sees it after Renew: `EPOCH PRIMARY`, or "none".
  std::string Look(const std::string& tenant) {
    EXPECT_OK(fence_.Renew(*main_));
    const FencedTenant* const found = fence_.Find(*main_, tenant).value();
    if (found == nullptr) return "none";
    return std::to_string(found->epoch) + " " + found->primary_root;
  }
  bool IsReleased(const std::string& tenant, const std::string& root,
                  const std::string& serial_number) {
    return fence_.IsReleased(*main_, tenant, root, serial_number).value();
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("database", "");
  const std::unique_ptr<Connection> main_ = Connect();
  Fence fence_;
};

TEST_F(FenceTest, KnowsEpochAndPrimaryOfATenant) {
  EXPECT_EQ(Look("contoso"), "7 r1");
  EXPECT_EQ(Look("fabrikam"), "7 ") << "a root that retires is no primary";
  EXPECT_EQ(Look("c"), "7 ") << "it has no root";
  for (const char* nobody : {"", "contos", "CONTOSO", "%"}) EXPECT_EQ(Look(nobody), "none");
}

TEST_F(FenceTest, RemembersUntilAnythingChanges) {
  const std::unique_ptr<Connection> other = Connect();
  Connection* const both[] = {main_.get(), other.get()};
  int epoch = 7;
  for (Connection* changing : both) {
    const std::string before = Look("contoso");
    EXPECT_EQ(before, std::to_string(epoch) + " r1");
    EXPECT_EQ(Look("later"), "none");
    ++epoch;
    Run(*changing, "UPDATE tenants SET epoch = epoch + 1");
    EXPECT_EQ(Look("contoso"), std::to_string(epoch) + " r1");
    AddTenant(*changing, "later");
    EXPECT_EQ(Look("later"), "7 ");
    Run(*changing, "UPDATE roots SET state = 'RETIRING' WHERE state = 'PRIMARY'");
    EXPECT_EQ(Look("contoso"), std::to_string(epoch) + " ");
    Run(*changing, "UPDATE roots SET state = 'PRIMARY' WHERE root_id = 'r2'");
    EXPECT_EQ(Look("contoso"), std::to_string(epoch) + " r2");
    Run(*changing,
        "UPDATE roots SET state = 'RETIRING' WHERE root_id = 'r2';"
        "UPDATE roots SET state = 'PRIMARY' WHERE root_id = 'r1' AND tenant_id = "
        "'contoso'; DELETE FROM tenants WHERE tenant_id = 'later'");
  }
}

// So that a batch of one tenant asks the file once.
TEST_F(FenceTest, AnAnswerLivesUntilTheNextRenew) {
  ASSERT_OK(fence_.Renew(*main_));
  ASSERT_OK_AND_ASSIGN(const FencedTenant* const first, fence_.Find(*main_, "contoso"));
  ASSERT_NE(first, nullptr);
  for (int i = 0; i < 100; ++i) ASSERT_OK(fence_.Find(*main_, std::to_string(i)));
  ASSERT_OK_AND_ASSIGN(const FencedTenant* const again, fence_.Find(*main_, "contoso"));
  EXPECT_EQ(again, first);
  EXPECT_EQ(first->primary_root, "r1");
}

TEST_F(FenceTest, KnowsWhichIntermediatesWereReleased) {
  AddIntermediate(*main_, "r1", "0061", true);
  AddIntermediate(*main_, "r1", "0062", false);
  ASSERT_OK(fence_.Renew(*main_));
  const std::string released("\0a", 2), intended("\0b", 2);
  for (int time = 0; time < 2; ++time) {
    EXPECT_TRUE(IsReleased("contoso", "r1", released)) << time;
    EXPECT_FALSE(IsReleased("contoso", "r1", intended)) << time;
    EXPECT_FALSE(IsReleased("contoso", "r1", "")) << time;
    EXPECT_FALSE(IsReleased("contoso", "r2", released)) << time;
    EXPECT_FALSE(IsReleased("fabrikam", "r1", released)) << time;
    EXPECT_FALSE(IsReleased("contoso", "r1", std::string("\0a\0", 3))) << time;
    EXPECT_FALSE(IsReleased("c", "ontosor1", released)) << time;
  }
}

TEST_F(FenceTest, AReleaseIsSeenAfterItAndItsEndToo) {
  const std::unique_ptr<Connection> other = Connect();
  AddIntermediate(*main_, "r1", "61", false);
  ASSERT_OK(fence_.Renew(*main_));
  EXPECT_FALSE(IsReleased("contoso", "r1", "a"));
  Run(*other, "UPDATE intermediates SET certificate = x'30', released_at = 4");
  ASSERT_OK(fence_.Renew(*main_));
  EXPECT_TRUE(IsReleased("contoso", "r1", "a"));
  Run(*other, "DELETE FROM intermediates");
  ASSERT_OK(fence_.Renew(*main_));
  EXPECT_FALSE(IsReleased("contoso", "r1", "a"));
}

TEST_F(FenceTest, SaysThatTheFileCannotBeRead) {
  Run(*main_, "ALTER TABLE roots RENAME TO elsewhere");
  ASSERT_OK(fence_.Renew(*main_));
  EXPECT_THAT(fence_.Find(*main_, "contoso"), FailsWith(ErrorReason::kInternalError));
  EXPECT_OK(fence_.IsReleased(*main_, "contoso", "r1", "a"));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
