#include "tools/hourglass/csv_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hourglass::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CsvTableTest, TheSeparatorIsThatOfTheHeader) {
  for (const char* text : {"a,b\n1,2;3\n4,\n", "a;b\n1;2,3\n4;\n", "a\tb\n1\t2,3\n4\t\n"}) {
    ASSERT_OK_AND_ASSIGN(const CsvTable table, ParseCsv(text));
    EXPECT_THAT(table.header, ElementsAre("a", "b")) << text;
    ASSERT_EQ(table.rows.size(), 2u);
    EXPECT_EQ(table.rows[0][0], "1");
    EXPECT_THAT(table.rows[1], ElementsAre("4", ""));
  }
}

TEST(CsvTableTest, QuotedCellsMayHaveAnything) {
  ASSERT_OK_AND_ASSIGN(const CsvTable table,
                       ParseCsv("\"a\",b\n\"1,\"\"2\"\"\nnext line\",\"\"\n\nx,\"y\""));
  EXPECT_THAT(table.header, ElementsAre("a", "b"));
  EXPECT_THAT(table.rows,
              ElementsAre(ElementsAre("1,\"2\"\nnext line", ""), ElementsAre("x", "y")));
}

TEST(CsvTableTest, WhatExportCsvWritesFirstIsSkipped) {
  ASSERT_OK_AND_ASSIGN(const CsvTable table, ParseCsv("#TYPE Microsoft.Graph.User\n\na,b\n1,2\n"));
  EXPECT_THAT(table.header, ElementsAre("a", "b"));
  EXPECT_EQ(table.rows.size(), 1u);
}

TEST(CsvTableTest, OnlyAHeaderIsATableWithoutRows) {
  ASSERT_OK_AND_ASSIGN(const CsvTable table, ParseCsv("id"));
  EXPECT_THAT(table.header, ElementsAre("id"));
  EXPECT_THAT(table.rows, IsEmpty());
}

TEST(CsvTableTest, MistakesAreToldWithTheirLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "has no line that names its columns"},
      {"\n\n", "has no line that names its columns"},
      {"#TYPE x", "has no line that names its columns"},
      {"a,b\n1\n", "line 2: has 1 cells, and the header 2"},
      {"a,b\n1,2\n\"x\ny\",2,3\n", "line 3: has 3 cells, and the header 2"},
      {"a,b\n1,\"2\n", "line 2: a quote does not end"},
      {"a,b\n\"1\"2,3\n", "line 2: something stands behind a quote"},
  };
  for (const auto& [text, message] : cases) {
    const auto table = ParseCsv(text);
    EXPECT_THAT(table, FailsWith(ErrorReason::kFieldInvalid)) << text;
    EXPECT_THAT(std::string(table.status().message()), HasSubstr(message)) << text;
  }
}

}  // namespace
}  // namespace hourglass::cli
