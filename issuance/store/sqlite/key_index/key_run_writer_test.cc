// KeyRunWriter: a file is whole once it is finished, and gone before.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "issuance/store/sqlite/key_index/key_run.h"
#include "issuance/store/sqlite/key_index/key_run_file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

constexpr HashKey kKey{1, 2};

class KeyRunWriterTest : public testing::Test {
 protected:
  // A run of segments 3 to 5.
  void Write(const std::vector<KeyEntry>& entries, std::size_t capacity) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<KeyRunWriter> writer,
                         KeyRunWriter::Create(path_, kKey, capacity, 3, 5));
    for (const KeyEntry& entry : entries) ASSERT_OK(writer->Add(entry));
    ASSERT_OK(writer->Finish());
  }
  // `count` entries, whose sequence numbers fall as their hashes rise.
  static std::vector<KeyEntry> Falling(std::int64_t count) {
    std::vector<KeyEntry> entries;
    for (std::int64_t i = 0; i < count; ++i) {
      entries.push_back({static_cast<std::uint64_t>(i) << 40, 1000000 - i});
    }
    return entries;
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("run");
};

TEST_F(KeyRunWriterTest, IsTheOwnersAloneAndGoneUnlessFinished) {
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<KeyRunWriter> writer,
                         KeyRunWriter::Create(path_, kKey, 10, 1, 1));
    ASSERT_OK(writer->Add({1, 1}));
    struct stat file;
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777, 0600u);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
  Write({{1, 1}}, 10);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(KeyRunWriterTest, SaysWhatTheRunIsOf) {
  for (const std::int64_t count : {0, 1, 254, 255, 256, 510, 511}) {
    Write(Falling(count), static_cast<std::size_t>(count));
    ASSERT_OK_AND_ASSIGN(const auto run, KeyRun::Open(path_, kKey));
    EXPECT_EQ(run->facts().first_segment, 3);
    EXPECT_EQ(run->facts().last_segment, 5);
    EXPECT_EQ(run->facts().first_sequence, count == 0 ? 0 : 1000000 - count + 1);
    EXPECT_EQ(run->facts().last_sequence, count == 0 ? 0 : 1000000);
    EXPECT_EQ(run->entry_count(), static_cast<std::uint64_t>(count));
    EXPECT_EQ(run->page_count(), static_cast<std::size_t>((count + 254) / 255));
    EXPECT_OK(run->CheckPages());
  }
}

TEST_F(KeyRunWriterTest, ReplacesAFileThatIsThere) {
  directory_.Write("run", std::string(100000, 'x'));
  Write(Falling(3), 3);
  ASSERT_OK_AND_ASSIGN(const auto run, KeyRun::Open(path_, kKey));
  EXPECT_EQ(run->entry_count(), 3u);
}

// Octet for octet what the header says, so that any program reads it.
TEST_F(KeyRunWriterTest, WritesPagesThenDirectoryThenTrailer) {
  const std::vector<KeyEntry> entries = Falling(300);
  Write(entries, entries.size());
  const std::string file = ReadFileOrDie(path_);
  ASSERT_GT(file.size(), 2 * KeyRun::kPageOctets + sizeof(key_run::Trailer));
  std::size_t at = 0;
  for (std::size_t page = 0; page < 2; ++page) {
    ASSERT_OK_AND_ASSIGN(
        const std::vector<KeyEntry> read,
        key_run::ParsePage(kKey, file.substr(page * KeyRun::kPageOctets, KeyRun::kPageOctets)));
    EXPECT_EQ(read.size(), page == 0 ? 255u : 45u);
    for (const KeyEntry& entry : read) EXPECT_EQ(entry, entries[at++]);
  }
  std::uint64_t first_hashes[2];
  std::memcpy(first_hashes, file.data() + 2 * KeyRun::kPageOctets, sizeof(first_hashes));
  EXPECT_EQ(first_hashes[0], entries[0].hash);
  EXPECT_EQ(first_hashes[1], entries[255].hash);
  key_run::Trailer trailer;
  std::memcpy(&trailer, file.data() + file.size() - sizeof(trailer), sizeof(trailer));
  EXPECT_TRUE(trailer.IsOf(kKey));
  EXPECT_EQ(trailer.FileSize(), file.size());
  EXPECT_EQ(trailer.page_count, 2u);
  EXPECT_EQ(trailer.directory_checksum,
            SipHash(kKey, absl::string_view(file).substr(2 * KeyRun::kPageOctets,
                                                         trailer.DirectorySize())));
}

TEST_F(KeyRunWriterTest, NoTwoRunsHaveOneChecksum) {
  const auto checksum = [this](const std::vector<KeyEntry>& entries) {
    Write(entries, 10);
    return KeyRun::Open(path_, kKey).value()->facts().checksum;
  };
  const std::int64_t first = checksum({{1, 7}, {2, 8}});
  EXPECT_EQ(checksum({{1, 7}, {2, 8}}), first) << "of the same entries";
  EXPECT_NE(checksum({{1, 7}, {2, 9}}), first);
  EXPECT_NE(checksum({{1, 8}, {2, 7}}), first);
  EXPECT_NE(checksum({{1, 7}}), first);
}

// More than it writes before it flushes.
TEST_F(KeyRunWriterTest, WritesARunOfManyPages) {
  const std::int64_t count = 300000;
  Write(Falling(count), static_cast<std::size_t>(count));
  ASSERT_OK_AND_ASSIGN(const auto run, KeyRun::Open(path_, kKey));
  EXPECT_OK(run->CheckPages());
  Candidates candidates;
  ASSERT_OK(run->Find(std::uint64_t{count - 1} << 40, candidates));
  EXPECT_THAT(candidates, testing::ElementsAre(1000000 - count + 1));
}

// The name is another each time: who tells of an error once must know it again.
TEST_F(KeyRunWriterTest, SaysInWhichFolderItCannotWrite) {
  const auto refused = KeyRunWriter::Create(directory_.File("missing/new-1-2.keys"), kKey, 1, 1, 1);
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(
      std::string(refused.status().message()),
      HasSubstr("a key run cannot be made in " + directory_.File("missing") + ": No such file"));
}

}  // namespace
}  // namespace hourglass::issuance
