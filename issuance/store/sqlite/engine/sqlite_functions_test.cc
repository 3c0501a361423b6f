// What statements may call beside SQLite's own functions.
#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>

#include "ca/names/name_rules.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

class SqliteFunctionsTest : public testing::Test {
 protected:
  std::string Folded(const Value& value) {
    Rows rows = connection_->Query("SELECT folded_upn(?)", {value}).value();
    EXPECT_OK(rows.Next());
    return rows.TakeOctets();
  }

  const TemporaryDirectory directory_;
  // Every connection has them.
  const std::unique_ptr<Connection> connection_ =
      Connection::Open(directory_.Write("database", ""), std::chrono::milliseconds(0)).value();
};

TEST_F(SqliteFunctionsTest, FoldsAsTheRulesOfNamesDo) {
  EXPECT_EQ(Folded(Text{" Alice@Contoso.Example "}), "alice@contoso.example");
  for (const std::string& user :
       {std::string(), std::string("a\0B", 3), std::string("M\u00dcLLER@xn--mnchen-3ya.example"),
        std::string("al\u200bice@contoso.example"), std::string("\xff"), std::string(9999, 'X')}) {
    EXPECT_EQ(Folded(Text{user}), ca::FoldedUpn(user)) << user;
    EXPECT_EQ(Folded(Blob{user}), ca::FoldedUpn(user)) << user;
  }
  EXPECT_EQ(connection_->QueryInteger("SELECT folded_upn(NULL) IS NULL").value(), 1);
  EXPECT_EQ(connection_->QueryInteger("SELECT typeof(folded_upn(7)) = 'text'").value(), 1);
}

TEST_F(SqliteFunctionsTest, NothingThatAFileHoldsMayCallThem) {
  ASSERT_OK(connection_->Execute("CREATE TABLE users (upn TEXT); INSERT INTO users VALUES ('A')"));
  EXPECT_OK(connection_->QueryInteger("SELECT count(*) FROM users WHERE folded_upn(upn) = 'a'"));
  const auto refused = FailsWith(ErrorReason::kInternalError);
  EXPECT_THAT(connection_->Execute("CREATE INDEX folded ON users (folded_upn(upn))"), refused);
  EXPECT_OK(connection_->Execute("CREATE INDEX lower ON users (lower(upn))"));
  ASSERT_OK(connection_->Execute("CREATE VIEW folded AS SELECT folded_upn(upn) AS upn FROM users"));
  EXPECT_THAT(connection_->Query("SELECT upn FROM folded"), refused);
  EXPECT_THAT(connection_->Query("SELECT folded_upn(?1, ?1)", {Text{"a"}}), refused);
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
