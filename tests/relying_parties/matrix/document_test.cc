// What docs/relying-parties.md and README.md say is what was measured.
#include <gtest/gtest.h>

#include <string>

#include "tests/relying_parties/matrix/results.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::matrix {
namespace {

constexpr char kHow[] =
    "write it anew: HOURGLASS_RECORD=1 bazel run //tests/relying_parties/matrix:matrix_test";

TEST(DocumentTest, IsWhatWasMeasured) {
  EXPECT_EQ(ReadFileOrDie("docs/relying-parties.md"), Document(ReadResults())) << kHow;
}

TEST(DocumentTest, ReadmeHasItsTable) {
  const std::string readme = ReadFileOrDie("README.md");
  EXPECT_EQ(readme, WithReadmeTable(readme, ReadmeTable(ReadResults()))) << kHow;
}

// So that the comparison can fail: each result is in the document.
TEST(DocumentTest, ShowsEveryChange) {
  const nlohmann::ordered_json results = ReadResults();
  for (const auto& [party, settings] : results.items()) {
    for (const auto& [setting, cells] : settings.items()) {
      for (const auto& [cell, words] : cells.items()) {
        nlohmann::ordered_json changed = results;
        changed[party][setting][cell] = words.get<std::string>().empty() ? "because" : "";
        EXPECT_NE(Document(changed), Document(results)) << party << setting << cell;
      }
    }
  }
}

}  // namespace
}  // namespace hourglass::matrix
