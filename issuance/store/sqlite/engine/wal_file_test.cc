// What SQLite itself would replay of a log is what is read of it, however the log is cut or
// changed.
#include "issuance/store/sqlite/engine/wal_file.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/engine/wal_tie.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::SizeIs;

constexpr std::size_t kHeader = 32, kFrameHeader = 24;

WalContent Read(const std::string& octets) {
  std::istringstream in(octets);
  return ReadWal(in);
}

std::uint32_t Word(const std::string& octets, std::size_t at, bool big_endian) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto octet = static_cast<unsigned char>(octets[at + (big_endian ? 3 - i : i)]);
    word |= static_cast<std::uint32_t>(octet) << (8 * i);
  }
  return word;
}

void PutWord(std::string& octets, std::size_t at, std::uint32_t word) {
  for (std::size_t i = 0; i < 4; ++i) {
    octets[at + i] = static_cast<char>(word >> (8 * (3 - i)));
  }
}

// A log with all its checksums made anew, in the order of octets that its first word names.
std::string Signed(std::string log, std::size_t page_size) {
  const bool big_endian = (log[3] & 1) != 0;
  std::uint32_t s0 = 0, s1 = 0;
  const auto add = [&](std::size_t at, std::size_t size) {
    for (std::size_t end = at + size; at < end; at += 8) {
      s0 += Word(log, at, big_endian) + s1;
      s1 += Word(log, at + 4, big_endian) + s0;
    }
  };
  const auto put = [&](std::size_t at) {
    PutWord(log, at, s0);
    PutWord(log, at + 4, s1);
  };
  add(0, 24);
  put(24);
  const std::size_t frame = kFrameHeader + page_size;
  for (std::size_t at = kHeader; at + frame <= log.size(); at += frame) {
    add(at, 8);
    add(at + kFrameHeader, page_size);
    put(at + 16);
  }
  return log;
}

// A database whose transactions are all in its log: the table, the tie, and three numbers.
class WalFileTest : public testing::Test {
 protected:
  void Fill(std::size_t page_size = 4096) {
    connection_.reset();
    for (const char* beside : {"-wal", "-shm"}) std::filesystem::remove(path_ + beside);
    directory_.Write("database", "");
    connection_ = Connection::Open(path_, std::chrono::milliseconds(0)).value();
    EXPECT_OK(connection_->Execute(absl::StrCat("PRAGMA page_size = ", page_size)));
    EXPECT_OK(UseWriteAheadLog(*connection_));
    EXPECT_OK(
        connection_->Execute("PRAGMA wal_autocheckpoint = 0;"
                             "CREATE TABLE numbers (number INTEGER)"));
    Commit(std::string(kMakeTie));
    // More than a page, so that some frames end no transaction.
    for (int i = 0; i < 3; ++i) {
      Commit(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
          "INSERT INTO numbers SELECT i FROM n");
    }
    main_ = ReadFileOrDie(path_);
    log_ = ReadFileOrDie(path_ + "-wal");
  }

  void Commit(const std::string& sql) {
    Transaction transaction = Transaction::Begin(*connection_).value();
    EXPECT_OK(connection_->Execute(sql));
    EXPECT_OK(transaction.Commit());
  }

  // How many frames SQLite takes of the log beside the same database.
  std::uint64_t FramesBySqlite(const std::string& log) {
    for (const char* beside : {"", "-wal", "-shm"}) {
      std::filesystem::remove(directory_.File(absl::StrCat("copy", beside)));
    }
    const std::string path = directory_.Write("copy", main_);
    directory_.Write("copy-wal", log);
    const auto copy = Connection::Open(path, std::chrono::milliseconds(0)).value();
    EXPECT_OK(copy->QueryInteger("SELECT count(*) FROM sqlite_schema"));
    Rows rows = copy->Query("PRAGMA wal_checkpoint").value();
    EXPECT_OK(rows.Next());
    EXPECT_EQ(rows.TakeInteger(), 0) << "busy";
    return static_cast<std::uint64_t>(rows.TakeInteger());
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("database");
  std::unique_ptr<Connection> connection_;
  std::string main_, log_;
};

TEST_F(WalFileTest, ReadsWhatSqliteWouldReplay) {
  Fill();
  const WalContent log = Read(log_);
  EXPECT_TRUE(log.has_header && log.has_content && log.is_whole);
  EXPECT_EQ(log.octets, log_.size());
  EXPECT_EQ(log.frames, (log_.size() - kHeader) / (kFrameHeader + 4096));
  EXPECT_EQ(log.frames, FramesBySqlite(log_));
  EXPECT_EQ(log.transactions, 5u) << "the table, the tie, and three of numbers";
  EXPECT_GT(log.frames, log.transactions);
  ASSERT_EQ(log.ties.size(), 4u);
  EXPECT_EQ(log.ties[0].previous, Tie().id);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(log.ties[i].previous, log.ties[i - 1].id);
  EXPECT_NE(log.ties[3].id, log.ties[2].id);
  EXPECT_EQ(log.tie_page,
            connection_->QueryInteger("SELECT rootpage FROM sqlite_schema WHERE name = 'wal_tie'")
                .value());
}

TEST_F(WalFileTest, ACutLogIsReadAsSqliteReadsIt) {
  Fill();
  const std::size_t frame = kFrameHeader + 4096;
  const WalContent whole = Read(log_);
  std::uint64_t before = 0;
  for (std::size_t size = kHeader; size <= log_.size(); size += frame) {
    for (const std::size_t cut : {size - 1, size, size + 1, size + kFrameHeader}) {
      if (cut > log_.size()) continue;
      const std::string octets = log_.substr(0, cut);
      const WalContent content = Read(octets);
      EXPECT_EQ(content.frames, FramesBySqlite(octets)) << cut;
      EXPECT_EQ(content.is_whole, !content.has_header || content.octets == cut) << cut;
      EXPECT_EQ(content.has_header, cut >= kHeader) << cut;
      EXPECT_LE(before, content.frames) << cut;
      before = content.frames;
    }
  }
  EXPECT_EQ(before, whole.frames);
}

TEST_F(WalFileTest, AChangedLogIsReadAsSqliteReadsIt) {
  Fill();
  const std::size_t frame = kFrameHeader + 4096;
  // Of the header; and of the first, the fourth and the last frame the page's number, the size of
  // the database, both salts, both checksums, and the page.
  std::vector<std::size_t> places = {0, 3, 4, 7, 8, 10, 12, 16, 20, 24, 28, 31};
  for (const std::size_t at : {kHeader, kHeader + 3 * frame, log_.size() - frame}) {
    for (const std::size_t in : {0, 3, 4, 7, 8, 12, 16, 23, 24, 100, 4119}) {
      places.push_back(at + in);
    }
  }
  for (const std::size_t at : places) {
    std::string octets = log_;
    octets[at] = static_cast<char>(octets[at] ^ 1);
    const WalContent content = Read(octets);
    EXPECT_EQ(content.frames, FramesBySqlite(octets)) << at;
    EXPECT_LT(content.frames, Read(log_).frames) << at;
    EXPECT_FALSE(content.is_whole) << at;
  }
}

TEST_F(WalFileTest, TakesEitherOrderOfOctetsAndEveryPageSize) {
  for (const std::size_t page_size : {512, 1024, 4096, 32768, 65536}) {
    Fill(page_size);
    const WalContent content = Read(log_);
    EXPECT_EQ(content.frames, FramesBySqlite(log_)) << page_size;
    EXPECT_EQ(content.octets, log_.size()) << page_size;
    EXPECT_THAT(content.ties, SizeIs(4)) << page_size;
    ASSERT_EQ(Signed(log_, page_size), log_) << "as SQLite signs";
    std::string other = log_;
    other[3] = static_cast<char>(other[3] ^ 1);
    EXPECT_FALSE(Read(other).has_header) << page_size;
    other = Signed(other, page_size);
    EXPECT_NE(other, log_);
    EXPECT_EQ(Read(other), content) << page_size;
    EXPECT_EQ(FramesBySqlite(other), content.frames) << page_size;
  }
}

TEST_F(WalFileTest, AHeaderOfAnotherFormIsNone) {
  Fill();
  const std::string one_frame = log_.substr(0, kHeader + kFrameHeader + 4096);
  EXPECT_TRUE(Read(Signed(one_frame, 4096)).has_header);
  const struct {
    std::size_t at;
    std::uint32_t word;
  } kCases[] = {{0, 0x377f0684}, {0, 0x377e0682}, {4, 3007001}, {4, 3006999}, {8, 0},
                {8, 256},        {8, 4095},       {8, 4097},    {8, 6144},    {8, 131072}};
  for (const auto& test : kCases) {
    std::string octets = one_frame;
    PutWord(octets, test.at, test.word);
    octets = Signed(octets, 4096);
    const WalContent content = Read(octets);
    EXPECT_FALSE(content.has_header) << test.word;
    EXPECT_TRUE(content.has_content) << test.word;
    EXPECT_FALSE(content.is_whole) << test.word;
    EXPECT_EQ(content.octets, 0u) << test.word;
    // It refuses another version, and takes the others for empty.
    if (test.at == 4) continue;
    EXPECT_EQ(FramesBySqlite(octets), 0u) << test.word;
  }
}

TEST_F(WalFileTest, AFrameOfNoPageOrOfOtherSaltsEndsTheLog) {
  Fill();
  const std::size_t second = kHeader + kFrameHeader + 4096;
  for (const std::size_t at : {second, second + 8, second + 12}) {
    std::string octets = log_;
    PutWord(octets, at, 0);
    octets = Signed(octets, 4096);
    EXPECT_EQ(Read(octets).frames, FramesBySqlite(octets)) << at;
    EXPECT_LE(Read(octets).frames, 1u) << at;
  }
}

TEST_F(WalFileTest, ALogThatHoldsNothingSaysSo) {
  for (const std::size_t size : {0, 1, 31, 32, 33, 4120, 9000}) {
    const WalContent zeros = Read(std::string(size, '\0'));
    EXPECT_FALSE(zeros.has_header || zeros.has_content) << size;
    EXPECT_EQ(zeros.frames + zeros.transactions + zeros.octets, 0u) << size;
    EXPECT_EQ(zeros.is_whole, size <= kHeader) << size;
  }
  EXPECT_TRUE(Read(std::string(40, 'x')).has_content);
  Fill();
  const WalContent header = Read(log_.substr(0, kHeader));
  EXPECT_TRUE(header.has_header && header.is_whole);
  EXPECT_FALSE(header.has_content);
  EXPECT_EQ(header.octets, kHeader);
  EXPECT_TRUE(Read(log_.substr(0, kHeader) + std::string(8000, '\0')).has_header);
  EXPECT_FALSE(Read(log_.substr(0, kHeader) + std::string(8000, '\0')).has_content);
}

// A log that was begun anew has what is left of the one before behind it.
TEST_F(WalFileTest, WhatIsLeftOfAnOlderLogIsNotTaken) {
  Fill();
  Rows rows = connection_->Query("PRAGMA wal_checkpoint(RESTART)").value();
  EXPECT_OK(rows.Next());
  { const Rows ended = std::move(rows); }
  Commit("INSERT INTO numbers VALUES (7)");
  main_ = ReadFileOrDie(path_);
  const std::string anew = ReadFileOrDie(path_ + "-wal");
  ASSERT_EQ(anew.size(), log_.size());
  const WalContent content = Read(anew);
  EXPECT_EQ(content.transactions, 1u);
  EXPECT_EQ(content.frames, FramesBySqlite(anew));
  EXPECT_FALSE(content.is_whole);
  EXPECT_THAT(content.ties, SizeIs(1));
}

TEST_F(WalFileTest, TheTiesPageIsKnownAndNoOther) {
  for (const std::size_t page_size : {512, 4096, 65536}) {
    Fill(page_size);
    ASSERT_OK(connection_->Execute("PRAGMA wal_checkpoint"));
    const std::string file = ReadFileOrDie(path_);
    const auto root = static_cast<std::size_t>(
        connection_->QueryInteger("SELECT rootpage FROM sqlite_schema WHERE name = 'wal_tie'")
            .value());
    for (std::size_t page = 1; page * page_size <= file.size(); ++page) {
      EXPECT_EQ(TieOfPage(file.substr((page - 1) * page_size, page_size)).has_value(), page == root)
          << page;
    }
    const std::string page = file.substr((root - 1) * page_size, page_size);
    Rows rows = connection_->Query("SELECT previous, id FROM wal_tie").value();
    ASSERT_OK(rows.Next());
    Tie expected;
    std::string row = rows.TakeOctets();
    row += rows.TakeOctets();
    ASSERT_EQ(row.size(), sizeof(expected));
    std::memcpy(&expected, row.data(), sizeof(expected));
    EXPECT_EQ(TieOfPage(page), expected);
    for (std::size_t size = 0; size < page_size; ++size) {
      ASSERT_FALSE(TieOfPage(absl::string_view(page).substr(0, size)).has_value()) << size;
    }
    const std::size_t cell = page_size - 38;
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{3}, std::size_t{4}, std::size_t{8}, std::size_t{9}, cell,
          cell + 1, cell + 2, cell + 3, cell + 4, cell + 5}) {
      std::string changed = page;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      EXPECT_FALSE(TieOfPage(changed).has_value()) << at;
    }
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
