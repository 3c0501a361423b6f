#include "issuance/store/sqlite/key_index/key_run.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "issuance/store/sqlite/key_index/testing/random_entries.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr HashKey kKey{1, 2};

// As a run is written.
std::vector<KeyEntry> SortedEntries(int count, std::int64_t first_sequence = 1) {
  std::vector<KeyEntry> entries = RandomEntries(count, first_sequence);
  std::sort(entries.begin(), entries.end());
  return entries;
}

class KeyRunTest : public testing::Test {
 protected:
  std::shared_ptr<const KeyRun> Write(const std::string& name,
                                      const std::vector<KeyEntry>& entries) {
    auto writer = KeyRunWriter::Create(directory_.File(name), kKey, entries.size(), 1, 1);
    EXPECT_OK(writer);
    for (const KeyEntry& entry : entries) EXPECT_OK((*writer)->Add(entry));
    EXPECT_OK((*writer)->Finish());
    writer->reset();
    return KeyRun::Open(directory_.File(name), kKey).value();
  }

  static Candidates Find(const KeyRun& run, std::uint64_t hash) {
    Candidates candidates;
    EXPECT_OK(run.Find(hash, candidates));
    return candidates;
  }

  const TemporaryDirectory directory_;
};

TEST_F(KeyRunTest, FindsWhatItHolds) {
  for (const int count : {0, 1, 254, 255, 256, 510, 5000}) {
    const std::vector<KeyEntry> entries = SortedEntries(count);
    const std::shared_ptr<const KeyRun> run = Write("run", entries);
    EXPECT_EQ(run->entry_count(), static_cast<std::uint64_t>(count));
    for (const KeyEntry& entry : entries) {
      ASSERT_THAT(Find(*run, entry.hash), ElementsAre(entry.sequence)) << count;
    }
    for (const KeyEntry& stranger : SortedEntries(1000, 9999)) {
      ASSERT_THAT(Find(*run, stranger.hash), IsEmpty());
    }
  }
}

TEST_F(KeyRunTest, FindsAHashThatFillsPages) {
  std::vector<KeyEntry> entries = SortedEntries(300);
  const std::uint64_t hash = entries[100].hash;
  for (int i = 0; i < 600; ++i) entries.push_back({hash, 1000 + i});
  std::sort(entries.begin(), entries.end());
  const std::shared_ptr<const KeyRun> run = Write("run", entries);
  EXPECT_EQ(Find(*run, hash).size(), 601u);
}

TEST_F(KeyRunTest, MergesAndLeavesOutWhatWasDropped) {
  const std::vector<KeyEntry> first = SortedEntries(1000), second = SortedEntries(2000, 1001);
  ASSERT_OK(MergeKeyRuns({Write("a", first), Write("b", second)}, 501, directory_.File("c"), kKey));
  ASSERT_OK_AND_ASSIGN(const std::shared_ptr<const KeyRun> merged,
                       KeyRun::Open(directory_.File("c"), kKey));
  EXPECT_EQ(merged->entry_count(), 2500u);
  for (const std::vector<KeyEntry>& entries : {first, second}) {
    for (const KeyEntry& entry : entries) {
      ASSERT_EQ(Find(*merged, entry.hash).size(), entry.sequence < 501 ? 0u : 1u);
    }
  }
}

TEST_F(KeyRunTest, AnOpenRunIsReadThoughItsFileIsGone) {
  const std::vector<KeyEntry> entries = SortedEntries(1000);
  const std::shared_ptr<const KeyRun> run = Write("run", entries);
  std::filesystem::remove(directory_.File("run"));
  EXPECT_THAT(Find(*run, entries[7].hash), ElementsAre(entries[7].sequence));
}

TEST_F(KeyRunTest, KnowsWhetherItIsTheFileOfAName) {
  const std::shared_ptr<const KeyRun> first = Write("a", SortedEntries(10));
  const std::shared_ptr<const KeyRun> second = Write("b", SortedEntries(10));
  EXPECT_TRUE(first->IsAt(directory_.File("a")));
  std::filesystem::rename(directory_.File("b"), directory_.File("a"));
  EXPECT_FALSE(first->IsAt(directory_.File("a")));
  EXPECT_TRUE(second->IsAt(directory_.File("a")));
  EXPECT_FALSE(second->IsAt(directory_.File("b")));
}

TEST_F(KeyRunTest, RefusesDamage) {
  const std::vector<KeyEntry> entries = SortedEntries(1000);
  Write("run", entries);
  const std::string path = directory_.File("run"), whole = ReadFileOrDie(path);
  const auto damaged = FailsWith(ErrorReason::kJournalUnavailable);
  for (std::size_t at = 0; at < whole.size(); at += 97) {
    std::string content = whole;
    content[at] ^= 4;
    std::ofstream(path, std::ios::binary) << content;
    const auto run = KeyRun::Open(path, kKey);
    if (at >= 4 * KeyRun::kPageOctets) {
      EXPECT_THAT(run, damaged) << at;
      continue;
    }
    ASSERT_OK(run);
    EXPECT_THAT((*run)->ReadPage(at / KeyRun::kPageOctets), damaged) << at;
  }
  const std::string first = whole.substr(0, KeyRun::kPageOctets);
  std::ofstream(path, std::ios::binary) << first << first << whole.substr(2 * first.size());
  const auto misplaced = KeyRun::Open(path, kKey);
  ASSERT_OK(misplaced);
  EXPECT_OK((*misplaced)->ReadPage(0));
  EXPECT_THAT((*misplaced)->ReadPage(1), damaged) << "a page of another place";
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, whole.size() - 1}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    EXPECT_THAT(KeyRun::Open(path, kKey), damaged) << size;
  }
  std::ofstream(path, std::ios::binary) << whole;
  EXPECT_THAT(KeyRun::Open(path, {1, 3}), damaged) << "of another store";
  EXPECT_OK(KeyRun::Open(path, kKey));
  EXPECT_THAT(KeyRun::Open(directory_.File("missing"), kKey), damaged);
}

}  // namespace
}  // namespace hourglass::issuance
