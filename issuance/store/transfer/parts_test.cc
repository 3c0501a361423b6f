#include "issuance/store/transfer/parts.h"

#include <gmock/gmock.h>

#include <limits>
#include <set>

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

// A row with something in each column.
Row FullRow(const Part& part) {
  Row row;
  for (const Column& column : part.columns) {
    const bool is_number = column.kind == CellKind::kInteger || column.kind == CellKind::kBoolean;
    row.push_back(is_number ? Cell(std::int64_t{1}) : Cell("text"));
  }
  return row;
}

TEST(PartsTest, PlacesAreWhereTheColumnsAre) {
  const Part& journal = JournalPart();
  EXPECT_EQ(journal.name, "journal");
  EXPECT_EQ(journal.columns[kJournalSequence].name, "sequence");
  EXPECT_EQ(journal.columns[kJournalUser].name, "user_upn");
  EXPECT_EQ(journal.columns[kJournalIntendedAt].name, "intended_at");
  EXPECT_EQ(journal.columns[kJournalCertificate].name, "certificate");
  EXPECT_EQ(journal.columns[kJournalReleasedAt].name, "released_at");
  EXPECT_EQ(TimeMarkPart().name, "time mark");
  const Part& roots = Parts()[1];
  EXPECT_EQ(roots.columns[kRootTenant].name, "tenant_id");
  EXPECT_EQ(roots.columns[kRootId].name, "root_id");
  EXPECT_EQ(roots.columns[kRootLastLeaf].name, "last_leaf_not_after");
}

TEST(PartsTest, NamesAreShownAndEscaped) {
  EXPECT_EQ(NameOf(Parts()[1], {"contoso", "r1", std::int64_t{3}}), "roots contoso/r1");
  EXPECT_EQ(NameOf(JournalPart(), {std::int64_t{17}}), "journal 17");
  EXPECT_EQ(NameOf(Parts()[0], {"a\nb"}), "tenants a\\nb");
}

TEST(PartsTest, NoTwoRowsHaveTheSameOctets) {
  const std::vector<Row> rows = {{"ab", "c"},
                                 {"a", "bc"},
                                 {"abc", ""},
                                 {"", "abc"},
                                 {Cell(), ""},
                                 {"", Cell()},
                                 {std::int64_t{0}},
                                 {std::int64_t{-1}},
                                 {std::numeric_limits<std::int64_t>::min()},
                                 {Cell()},
                                 {""},
                                 {std::string(1, '\0')},
                                 {"", std::int64_t{0}},
                                 {std::int64_t{0}, ""}};
  std::set<std::string> octets;
  for (const Row& row : rows) EXPECT_TRUE(octets.insert(CanonicalOctets(row)).second);
}

TEST(PartsTest, WhatADatabaseCannotHoldIsNamed) {
  for (const Part& part : Parts()) {
    EXPECT_OK(CheckMovable(part, FullRow(part))) << part.name;
    for (std::size_t i = 0; i < part.columns.size(); ++i) {
      if (part.columns[i].kind == CellKind::kInteger) continue;
      if (part.columns[i].kind == CellKind::kBoolean) continue;
      for (const std::string& text : {std::string("a\xff"), std::string("a\0b", 3)}) {
        Row row = FullRow(part);
        row[i] = text;
        const absl::Status status = CheckMovable(part, row);
        if (part.columns[i].kind == CellKind::kOctets) {
          EXPECT_OK(status);
          continue;
        }
        EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
        EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(part.columns[i].name)));
      }
    }
  }
  Row early = FullRow(JournalPart());
  early[kJournalIntendedAt] = std::int64_t{-1};
  EXPECT_THAT(CheckMovable(JournalPart(), early), FailsWith(ErrorReason::kJournalUnavailable));
  early[kJournalIntendedAt] = std::int64_t{0};
  EXPECT_OK(CheckMovable(JournalPart(), early));
}

}  // namespace
}  // namespace hourglass::issuance
