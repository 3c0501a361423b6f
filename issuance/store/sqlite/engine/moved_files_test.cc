#include "issuance/store/sqlite/engine/moved_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kBusy(1);

class MovedFilesTest : public testing::Test {
 protected:
  std::string File(const std::string& name) { return directory_.File(name); }
  void Write(const std::string& name, const std::string& content) {
    directory_.Write(name, content);
  }

  // Each regular file with what it holds.
  std::map<std::string, std::string> Files() {
    std::map<std::string, std::string> files;
    for (const auto& file : std::filesystem::directory_iterator(directory_.path())) {
      files[file.path().filename()] =
          file.is_regular_file() ? ReadFileOrDie(file.path().string()) : "no file";
    }
    return files;
  }

  const TemporaryDirectory directory_;
};

TEST_F(MovedFilesTest, ItIsThereUnlessItIsCertainlyNot) {
  Write("file", "");
  EXPECT_TRUE(IsThere(File("file")));
  EXPECT_FALSE(IsThere(File("missing")));
  EXPECT_FALSE(IsThere(File("missing/file")));
  std::filesystem::create_symlink(File("missing"), File("link"));
  EXPECT_TRUE(IsThere(File("link"))) << "links are not followed";
  EXPECT_TRUE(IsThere(File("file/below"))) << "it cannot be looked at";
  EXPECT_TRUE(IsThere(directory_.path()));
}

TEST_F(MovedFilesTest, KnowsAllThatMayLieBesideADatabase) {
  EXPECT_FALSE(AnyOf(File("a")));
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) {
    Write(absl::StrCat("a", beside), "");
    EXPECT_TRUE(AnyOf(File("a"))) << beside;
    std::filesystem::remove(File(absl::StrCat("a", beside)));
  }
  Write("a-wal2", "");
  Write("b-wal", "");
  EXPECT_FALSE(AnyOf(File("a")));
}

TEST_F(MovedFilesTest, MovesAllOfIt) {
  const std::map<std::string, std::string> rest = {{"a-wal2", "w"}, {"b", "x"}};
  for (const auto& [name, content] : rest) Write(name, content);
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) {
    Write(absl::StrCat("a", beside), absl::StrCat("of a", beside));
  }
  EXPECT_OK(Move(File("a"), File("c")));
  std::map<std::string, std::string> moved = rest;
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) {
    moved[absl::StrCat("c", beside)] = absl::StrCat("of a", beside);
  }
  EXPECT_EQ(Files(), moved);
  EXPECT_OK(Move(File("a"), File("d"))) << "it need not be there";
  EXPECT_EQ(Files(), moved);
}

TEST_F(MovedFilesTest, ReplacesNothing) {
  for (const char* beside : {"", "-wal", "-shm", "-journal"}) {
    const std::string mine = absl::StrCat("a", beside), other = absl::StrCat("c", beside);
    Write(mine, "mine");
    Write(other, "other");
    const auto before = Files();
    const absl::Status refused = Move(File("a"), File("c"));
    EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable)) << beside;
    EXPECT_THAT(
        std::string(refused.message()),
        HasSubstr(absl::StrCat("cannot make ", File(other), " of ", File(mine), ": File exists")));
    EXPECT_EQ(Files(), before);
    std::filesystem::remove(File(other));
    EXPECT_OK(Move(File("a"), File("c"))) << beside;
    EXPECT_EQ(ReadFileOrDie(File(other)), "mine");
    std::filesystem::remove(File(other));
  }
}

TEST_F(MovedFilesTest, MovesAwayToTheFirstNameThatIsFree) {
  const char* const kNames[] = {"a.set-aside", "a.set-aside-2", "a.set-aside-3"};
  for (const char* name : kNames) {
    Write("a", name);
    Write("a-wal", "log");
    ASSERT_OK_AND_ASSIGN(const std::string moved, MoveAway(File("a"), ".set-aside"));
    EXPECT_EQ(moved, File(name));
    EXPECT_EQ(ReadFileOrDie(moved), name);
    EXPECT_EQ(ReadFileOrDie(moved + "-wal"), "log");
    EXPECT_FALSE(AnyOf(File("a")));
  }
}

TEST_F(MovedFilesTest, KnowsWhatWasMovedAwayByHalf) {
  Write("a", "");
  Write("a.set-aside", "other");
  Write("a.set-aside-wal", "of the other");
  EXPECT_FALSE(IsMovedAwayByHalf(File("a"), ".set-aside"));
  Write("a.set-aside-2-wal", "mine");
  EXPECT_TRUE(IsMovedAwayByHalf(File("a"), ".set-aside"));
  EXPECT_EQ(MoveAway(File("a"), ".set-aside").value(), File("a.set-aside-2"));
  EXPECT_FALSE(IsMovedAwayByHalf(File("a"), ".set-aside"));
}

TEST_F(MovedFilesTest, ItIsFreeForWhatFindsNothingInItsWay) {
  Write("a", "");
  EXPECT_TRUE(IsFreeFor(File("a"), File("c")));
  for (const char* beside : {"-wal", "-shm", "-journal"}) {
    Write(absl::StrCat("c", beside), "");
    EXPECT_TRUE(IsFreeFor(File("a"), File("c"))) << beside;
    Write(absl::StrCat("a", beside), "");
    EXPECT_FALSE(IsFreeFor(File("a"), File("c"))) << beside;
    std::filesystem::remove(File(absl::StrCat("c", beside)));
  }
  Write("c", "");
  EXPECT_FALSE(IsFreeFor(File("a"), File("c")));
}

// Or a log of one database would come beside another.
TEST_F(MovedFilesTest, ANameIsFreeOnlyWithAllThatGoesThere) {
  Write("a-wal", "mine");
  Write("a.dropped", "other");
  EXPECT_EQ(MoveAway(File("a"), ".dropped").value(), File("a.dropped-2"));
  EXPECT_EQ(ReadFileOrDie(File("a.dropped-2-wal")), "mine");
  Write("b", "mine");
  Write("b-shm", "mine");
  Write("b.dropped-shm", "other");
  EXPECT_EQ(MoveAway(File("b"), ".dropped").value(), File("b.dropped-2"));
  EXPECT_EQ(ReadFileOrDie(File("b.dropped-shm")), "other");
  EXPECT_EQ(ReadFileOrDie(File("a.dropped")), "other");
}

TEST_F(MovedFilesTest, SaysWhatCannotBeMoved) {
  Write("file", "");
  const auto refused = MoveAway(File("file/below"), ".dropped");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("file/below"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("Not a directory"));
}

TEST_F(MovedFilesTest, DeletesAllOfItAndNothingElse) {
  for (const char* name : {"a", "a-wal", "a-shm", "a-journal", "a-wal2", "b"}) Write(name, name);
  EXPECT_OK(Delete(File("a")));
  EXPECT_EQ(Files(), (std::map<std::string, std::string>{{"a-wal2", "a-wal2"}, {"b", "b"}}));
  EXPECT_OK(Delete(File("a"))) << "it is not there";
  std::filesystem::create_symlink(File("b"), File("a"));
  EXPECT_OK(Delete(File("a")));
  EXPECT_EQ(ReadFileOrDie(File("b")), "b") << "links are not followed";
  std::filesystem::create_directory(File("a"));
  const absl::Status refused = Delete(File("a"));
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("cannot delete " + File("a") + ": "));
}

class ProvedEmptyTest : public MovedFilesTest {
 protected:
  // An empty segment, all of it in its file, with what `sql` adds.
  std::string Segment(const std::string& sql = "") {
    const auto folder = JournalFolder::Open(File("store"), kBusy).value();
    const std::string path = folder.SegmentPath(1);
    EXPECT_OK(Delete(path));
    EXPECT_OK(folder.MakeSegment(1));
    EXPECT_OK(Connection::Open(path, kBusy).value()->Execute(sql));
    EXPECT_FALSE(IsThere(path + "-wal")) << "closed";
    return path;
  }
  bool IsEmpty(const std::string& path) { return IsProvedEmpty(path, kBusy); }

  static constexpr char kIntent[] =
      "INSERT INTO intents VALUES (1, 't', 1, 'r', 'i', x'', 1, 2, 3, 'u', 'd', 'i', 'c', x'', "
      "'v', '1', 4, x'', x'', '', '', '')";
};

TEST_F(ProvedEmptyTest, WhatHasNoRecordIs) {
  EXPECT_TRUE(IsEmpty(File("missing")));
  Write("empty", "");
  EXPECT_TRUE(IsEmpty(File("empty")));
  Write("empty-wal", "");
  Write("empty-journal", "");
  EXPECT_TRUE(IsEmpty(File("empty")));
  EXPECT_TRUE(IsEmpty(Segment()));
  // Before its tables were committed.
  const std::string path = directory_.Write("header", "");
  EXPECT_OK(UseWriteAheadLog(*Connection::Open(path, kBusy).value()));
  EXPECT_EQ(ReadFileOrDie(path).size(), 4096u);
  EXPECT_TRUE(IsEmpty(path));
}

TEST_F(ProvedEmptyTest, WhatHasAnyRecordIsNot) {
  EXPECT_FALSE(IsEmpty(Segment(kIntent)));
  EXPECT_FALSE(IsEmpty(Segment("INSERT INTO releases VALUES (1, 2, 1, x'', x'')")));
  EXPECT_FALSE(
      IsEmpty(Segment("INSERT INTO intents SELECT 1, 't', 1, 'r', 'i', x'', 1, 2, 3, 'u', "
                      "'d', 'i', 'c', x'', 'v', '1', 4, x'', zeroblob(9000), '', '', ''; "
                      "DELETE FROM intents")))
      << "it had one";
  EXPECT_FALSE(IsEmpty(Segment("DROP TABLE releases"))) << "it cannot be read";
}

TEST_F(ProvedEmptyTest, WhatHasALogOfItsOwnIsNot) {
  const std::string path = Segment();
  for (const char* beside : {"-wal", "-journal"}) {
    directory_.Write(absl::StrCat("store.journal/00000001.sqlite", beside), "x");
    EXPECT_FALSE(IsEmpty(path)) << beside;
    std::filesystem::remove(path + beside);
    EXPECT_TRUE(IsEmpty(path)) << beside;
  }
  directory_.Write("gone-wal", "x");
  EXPECT_FALSE(IsEmpty(File("gone")));
}

TEST_F(ProvedEmptyTest, WhatCannotBeReadWholeIsNot) {
  const std::string path = Segment(), whole = ReadFileOrDie(path);
  const std::string name = "store.journal/00000001.sqlite";
  for (const std::string& content :
       {std::string("x"), whole.substr(0, 4095), whole.substr(0, whole.size() - 1), whole + "x",
        whole + std::string(4096, '\0'), std::string(4096, '\0'), "x" + whole.substr(1)}) {
    directory_.Write(name, content);
    EXPECT_FALSE(IsEmpty(path)) << content.size();
  }
  directory_.Write(name, whole);
  EXPECT_TRUE(IsEmpty(path));
  const auto other = Connection::Open(path, kBusy).value();
  ASSERT_OK(other->Execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"));
  EXPECT_FALSE(IsEmpty(path)) << "somebody uses it";
}

TEST_F(ProvedEmptyTest, WhatIsNoFileIsNot) {
  Write("empty", "");
  std::filesystem::create_symlink(File("empty"), File("link"));
  EXPECT_FALSE(IsEmpty(File("link")));
  std::filesystem::create_symlink(File("missing"), File("dangling"));
  EXPECT_FALSE(IsEmpty(File("dangling")));
  EXPECT_FALSE(IsEmpty(directory_.path()));
  EXPECT_FALSE(IsEmpty(File("empty/below")));
}

// lstat gives a pipe the size of an empty file.
TEST_F(ProvedEmptyTest, WhatIsNoFileIsNotThoughItHasNoSize) {
  ASSERT_EQ(mkfifo(File("pipe").c_str(), 0600), 0);
  ASSERT_EQ(std::filesystem::status(File("pipe")).type(), std::filesystem::file_type::fifo);
  EXPECT_FALSE(IsEmpty(File("pipe")));
  std::filesystem::remove(File("pipe"));
  EXPECT_TRUE(IsEmpty(File("pipe"))) << "it is missing";
  Write("pipe", "");
  EXPECT_TRUE(IsEmpty(File("pipe"))) << "it is a file";

  for (const char* beside : {"-wal", "-journal"}) {
    const std::string path = File(absl::StrCat("pipe", beside));
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_FALSE(IsEmpty(File("pipe"))) << beside;
    std::filesystem::remove(path);
    EXPECT_TRUE(IsEmpty(File("pipe"))) << beside;
  }
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
