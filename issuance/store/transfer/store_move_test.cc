// The order of a move, and what is refused, with stores in memory.
#include "issuance/store/transfer/store_move.h"

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Rows by part and in the order of their keys. Tells `log` what was done to it.
class MemoryStore final : public MovableStore {
 public:
  MemoryStore(std::string name, std::vector<std::string>* log)
      : name_(std::move(name)), log_(*log) {}

  std::string name() const override { return name_; }
  std::string id() const override { return absl::StrCat("id of ", name_); }
  absl::StatusOr<std::optional<MoveMark>> Mark() override { return mark; }

  absl::StatusOr<std::vector<Row>> Read(const Part& part, const Row* after,
                                        std::size_t limit) override {
    std::vector<Row> read;
    for (const Row& row : rows[part.name]) {
      if (after != nullptr && KeyOf(part, row) <= KeyOf(part, *after)) continue;
      if (read.size() < limit) read.push_back(row);
    }
    return read;
  }
  absl::Status CheckEmpty() override {
    for (const auto& [part, there] : rows) {
      if (!there.empty()) return Error(ErrorReason::kJournalUnavailable, "", "not empty");
    }
    return absl::OkStatus();
  }
  absl::Status Begin(const MoveMark& begun) override {
    log_.push_back("begin");
    mark = begun;
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<Row>> Last(const Part& part) override {
    if (rows[part.name].empty()) return std::nullopt;
    return std::make_optional(KeyOf(part, rows[part.name].back()));
  }
  absl::Status Write(const Part& part, absl::Span<const Row> written) override {
    if (writes_left-- == 0) return Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
    rows[part.name].insert(rows[part.name].end(), written.begin(), written.end());
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    log_.push_back("finish");
    if (spoil_at_finish) rows["devices"].front().back() = "somebody";
    return absl::OkStatus();
  }
  absl::Status Complete() override {
    log_.push_back("complete");
    mark.reset();
    return absl::OkStatus();
  }
  absl::Status MarkMoved(const MoveMark& moved) override {
    log_.push_back("mark source");
    mark = moved;
    return absl::OkStatus();
  }

  std::map<absl::string_view, std::vector<Row>> rows;
  std::optional<MoveMark> mark;
  int writes_left = -1;
  bool spoil_at_finish = false;

 private:
  static Row KeyOf(const Part& part, const Row& row) {
    return Row(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(part.key_size));
  }

  const std::string name_;
  std::vector<std::string>& log_;
};

class StoreMoveTest : public testing::Test {
 protected:
  StoreMoveTest() {
    options_.portion = 3;
    for (int i = 10; i < 20; ++i) {
      from_.rows["devices"].push_back(
          {"contoso", absl::StrCat("device-", i), "state", std::int64_t{i}, "mdm"});
    }
  }
  absl::StatusOr<MoveReport> Move() { return MoveStore(from_, to_, options_); }
  void ExpectRefused(const std::string& why) {
    const absl::Status status = Move().status();
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  }

  std::vector<std::string> log_;
  MemoryStore from_{"from", &log_}, to_{"to", &log_};
  MoveOptions options_;
};

TEST_F(StoreMoveTest, MarksTheSourceOnceAllIsEqualAndThenTheTarget) {
  ASSERT_OK_AND_ASSIGN(const MoveReport report, Move());
  EXPECT_THAT(log_, ElementsAre("begin", "finish", "mark source", "complete"));
  EXPECT_EQ(to_.rows["devices"], from_.rows["devices"]);
  EXPECT_EQ(report.total, 10);
  EXPECT_EQ(report.found, 0);
  ASSERT_TRUE(from_.mark.has_value());
  EXPECT_EQ(from_.mark->kind, MoveMark::Kind::kAway);
  EXPECT_EQ(from_.mark->other_id, to_.id());
  EXPECT_FALSE(to_.mark.has_value());
}

TEST_F(StoreMoveTest, GoesOnWhereItWasInterrupted) {
  to_.writes_left = 2;
  ExpectRefused("the disk is full (to, from devices contoso/device-16 on)");
  EXPECT_THAT(log_, ElementsAre("begin"));
  EXPECT_FALSE(from_.mark.has_value());
  to_.writes_left = -1;
  ASSERT_OK_AND_ASSIGN(const MoveReport report, Move());
  EXPECT_THAT(log_, ElementsAre("begin", "finish", "mark source", "complete"));
  EXPECT_EQ(report.found, 6);
  EXPECT_EQ(to_.rows["devices"], from_.rows["devices"]);
}

TEST_F(StoreMoveTest, ADifferenceIsNamedAndNothingMarked) {
  to_.spoil_at_finish = true;
  ExpectRefused("devices contoso/device-10 has another reported_by");
  EXPECT_THAT(log_, ElementsAre("begin", "finish"));
  EXPECT_FALSE(from_.mark.has_value());
  EXPECT_TRUE(to_.mark.has_value());
}

TEST_F(StoreMoveTest, WhatOneSideLacksIsNamed) {
  to_.writes_left = 1;
  ExpectRefused("the disk is full");
  // What was there already is gone from the source.
  to_.writes_left = -1;
  const Row gone = from_.rows["devices"].front();
  from_.rows["devices"].erase(from_.rows["devices"].begin());
  ExpectRefused("devices contoso/device-11 stands where the target has devices contoso/device-10");
  from_.rows["devices"].insert(from_.rows["devices"].begin(), gone);
  to_.rows["devices"].push_back({"contoso", "device-99", "state", std::int64_t{9}, "mdm"});
  ExpectRefused("devices contoso/device-99 is in the target and not in the source");
  to_.rows["devices"].pop_back();
  EXPECT_OK(Move());
}

TEST_F(StoreMoveTest, ASourceThatChangesMeanwhileIsNoticed) {
  options_.observer = [&](const MoveProgress& progress) {
    if (progress.step != MoveProgress::Step::kComparing) return;
    from_.rows["tenants"] = {};
    from_.rows["devices"].back().back() = "somebody";
    to_.rows["devices"].back().back() = "somebody";
  };
  ExpectRefused("the source has changed");
  EXPECT_FALSE(from_.mark.has_value());
}

TEST_F(StoreMoveTest, MarksOfOtherMovesAreRefused) {
  from_.mark = MoveMark{MoveMark::Kind::kAway, "elsewhere", "id of elsewhere"};
  ExpectRefused("was moved to elsewhere");
  from_.mark->kind = MoveMark::Kind::kInto;
  ExpectRefused("half moved");
  from_.mark.reset();
  to_.mark = MoveMark{MoveMark::Kind::kInto, "elsewhere", "id of elsewhere"};
  ExpectRefused("half filled from another store, elsewhere");
  to_.mark->kind = MoveMark::Kind::kAway;
  ExpectRefused("it was itself moved to elsewhere");
  EXPECT_THAT(log_, IsEmpty());
  to_.mark.reset();
  to_.rows["tenants"].push_back({"contoso"});
  ExpectRefused("not empty");
  to_.rows.clear();
  EXPECT_OK(Move());
  ExpectRefused("was moved to to");
}

TEST_F(StoreMoveTest, BetweenTheMarksOnlyTheTargetIsLeftToDo) {
  ASSERT_OK(Move());
  log_.clear();
  to_.mark = MoveMark{MoveMark::Kind::kInto, from_.name(), from_.id()};
  EXPECT_OK(Move());
  EXPECT_THAT(log_, ElementsAre("complete"));
}

TEST_F(StoreMoveTest, ADryRunChangesNothing) {
  options_.dry_run = true;
  ASSERT_OK_AND_ASSIGN(const MoveReport planned, Move());
  EXPECT_THAT(log_, IsEmpty());
  EXPECT_EQ(planned.total, 10);
  options_.dry_run = false;
  EXPECT_EQ(Move()->sha256, planned.sha256);
}

TEST_F(StoreMoveTest, WhatCannotBeMovedIsFoundBeforeAnythingIsWritten) {
  from_.rows["devices"].back().back() = "\xff";
  ExpectRefused("devices contoso/device-19 cannot be moved");
  EXPECT_THAT(log_, IsEmpty());
  from_.rows["devices"].back().back() = "mdm";
  EXPECT_OK(Move());
}

}  // namespace
}  // namespace hourglass::issuance
