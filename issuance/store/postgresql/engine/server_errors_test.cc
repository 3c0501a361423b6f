#include "issuance/store/postgresql/engine/server_errors.h"

#include <gtest/gtest.h>

namespace hourglass::issuance::postgresql {
namespace {

TEST(ServerErrorsTest, TellsTheStateOfTheServerFromBrokenStatements) {
  for (const char* sqlstate : {"", "08006", "25006", "25P02", "40001", "40P01", "53100", "53300",
                               "55P03", "57014", "57P01", "57P03", "58030", "XX001"}) {
    EXPECT_EQ(ReasonOfSqlState(sqlstate), ErrorReason::kJournalUnavailable) << sqlstate;
  }
  for (const char* sqlstate :
       {"01000", "22001", "23505", "23503", "28P01", "42601", "42P01", "42501", "54000", "P0001"}) {
    EXPECT_EQ(ReasonOfSqlState(sqlstate), ErrorReason::kInternalError) << sqlstate;
  }
}

TEST(ServerErrorsTest, PutsWordsIntoOneLineWithoutAdvice) {
  EXPECT_EQ(OneLine("server closed the connection unexpectedly\n\tThis probably means the server "
                    "terminated abnormally\n\tbefore or while processing the request.\n"),
            "server closed the connection unexpectedly");
  EXPECT_EQ(OneLine("root certificate file \"x\" does not exist\nEither provide the file.\n"),
            "root certificate file \"x\" does not exist; Either provide the file.");
  EXPECT_EQ(OneLine(""), "");
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
