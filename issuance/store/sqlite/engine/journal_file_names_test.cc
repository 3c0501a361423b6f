#include "issuance/store/sqlite/engine/journal_file_names.h"

#include <gtest/gtest.h>

namespace hourglass::issuance::sqlite {
namespace {

TEST(JournalFileNamesTest, ItsOwnAreKnown) {
  for (const char* name : {"00000007.sqlite", "00000007.sqlite-wal", "00000007.sqlite-shm",
                           "00000007.sqlite-journal"}) {
    EXPECT_EQ(ParseJournalFileName(name).kind, JournalFileKind::kSegment) << name;
    EXPECT_EQ(ParseJournalFileName(name).number, 7) << name;
  }
  EXPECT_EQ(ParseJournalFileName(KeyRunName(123456789)).kind, JournalFileKind::kKeyRun);
  EXPECT_EQ(ParseJournalFileName(KeyRunName(123456789)).number, 123456789);
  EXPECT_EQ(ParseJournalFileName("new-12-3.keys").kind, JournalFileKind::kNewKeyRun);
}

TEST(JournalFileNamesTest, AllElseIsForeign) {
  for (const char* name : {"",
                           "backup.sqlite",
                           "notes.keys",
                           "new-.keys",
                           "new-1-.keys",
                           "new-1-2-3.keys",
                           "new-a-1.keys",
                           "7.sqlite",
                           "000000007.sqlite",
                           "00000000.sqlite",
                           "-0000001.sqlite",
                           "+0000001.sqlite",
                           " 0000001.sqlite",
                           "00000007.SQLITE",
                           "00000007.sqlite.bak",
                           "00000007.sqlite-wal.bak",
                           "00000007.sqlite.set-aside",
                           "00000007.sqlite.dropped",
                           "00000007.sqlite.dropped-wal",
                           "00000007.keys-wal",
                           "00000007.keys.bak",
                           "00000007",
                           "99999999999999999999.sqlite",
                           "lost+found"}) {
    EXPECT_EQ(ParseJournalFileName(name).kind, JournalFileKind::kForeign) << name;
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
