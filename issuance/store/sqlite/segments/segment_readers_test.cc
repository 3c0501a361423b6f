#include "issuance/store/sqlite/segments/segment_readers.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::int64_t kSegments = 18;

class SegmentReadersTest : public testing::Test {
 protected:
  SegmentReadersTest() {
    for (std::int64_t number = 1; number <= kSegments; ++number) {
      EXPECT_OK(folder_.MakeSegment(number).status());
    }
  }

  absl::Status Use(std::int64_t segment) {
    return readers_.Read(segment, [](Connection& connection) {
      return connection.QueryInteger("SELECT count(*) FROM intents").status();
    });
  }

  // The segments whose files this process has open.
  std::set<std::int64_t> Open() {
    std::set<std::string> paths;
    for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code error;
      paths.insert(std::filesystem::read_symlink(descriptor.path(), error).string());
    }
    std::set<std::int64_t> open;
    for (std::int64_t number = 1; number <= kSegments; ++number) {
      if (paths.count(folder_.SegmentPath(number)) > 0) open.insert(number);
    }
    return open;
  }

  const TemporaryDirectory directory_;
  const JournalFolder folder_ =
      JournalFolder::Open(directory_.File("store"), std::chrono::milliseconds(1000)).value();
  SegmentReaders readers_{&folder_};
};

TEST_F(SegmentReadersTest, WhatWasReadStaysOpen) {
  ASSERT_THAT(Open(), IsEmpty());
  ASSERT_OK(Use(1));
  ASSERT_OK(Use(3));
  ASSERT_OK(Use(1));
  EXPECT_THAT(Open(), ElementsAre(1, 3));
}

TEST_F(SegmentReadersTest, OnlyThoseOfOtherSegmentsAreClosed) {
  for (const std::int64_t segment : {1, 2, 3, 4}) ASSERT_OK(Use(segment));
  readers_.CloseAllBut({2, 4, 7});
  EXPECT_THAT(Open(), ElementsAre(2, 4));
  readers_.CloseAllBut({});
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_OK(Use(1)) << "opened anew";
}

TEST_F(SegmentReadersTest, TheOneThatLayIdleLongestGoes) {
  for (std::int64_t segment = 1; segment <= 16; ++segment) ASSERT_OK(Use(segment));
  ASSERT_OK(Use(1));
  EXPECT_THAT(Open(), SizeIs(16));
  ASSERT_OK(Use(17));
  EXPECT_THAT(Open(), SizeIs(16));
  EXPECT_THAT(Open(), Contains(1));
  EXPECT_THAT(Open(), Not(Contains(2)));
}

TEST_F(SegmentReadersTest, ReadersDoNotWrite) {
  EXPECT_THAT(readers_.Read(1,
                            [](Connection& connection) {
                              return connection.Change("DELETE FROM intents", {}).status();
                            }),
              FailsWith(ErrorReason::kJournalUnavailable));
}

TEST_F(SegmentReadersTest, ASegmentThatIsNotThereIsToldOf) {
  EXPECT_THAT(Use(99), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(Use(1));
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
