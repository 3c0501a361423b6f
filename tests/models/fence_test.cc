// The model of the fence (docs/models/fence.pml) under spin: as it is it has no error, and with
// each part of the fence taken away it has the one that is expected. Packages: spin, gcc
// (tools/install-packages test).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iostream>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAreArray;

constexpr char kModel[] = "docs/models/fence.pml";

// In the order of their numbers.
constexpr std::array<absl::string_view, 8> kProperties = {
    "released_after_successor", "intended_after_successor", "handed_over_unrecorded",
    "second_certificate",       "recorded_otherwise",       "not_one_primary",
    "promotion_lost",           "answered_of_old_epoch"};

const std::set<std::string> kSizes = {"ISSUES", "PROMOTIONS", "FAILOVERS", "FAULTS", "ONLY"};

// Why COLLAPSE: it halves the memory. SAFETY: there are assertions and ends alone. -o3: every
// statement is a step of its own for the list of those that were not reached.
constexpr char kVerify[] =
    "cd \"$1\" && optimise=$2 && shift 2 && spin -o3 \"$@\" -a fence.pml && "
    "gcc \"$optimise\" -w -DSAFETY -DCOLLAPSE -DNOFAIR -o pan pan.c && ./pan -w22";

enum class Search { kShort, kLong };

// What spin, the compiler and the verifier say of the model with these definitions (`ISSUES=2`).
std::string Verify(const std::vector<std::string>& definitions, Search search) {
  const TemporaryDirectory folder;
  folder.Write("fence.pml", ReadFileOrDie(kModel));
  std::vector<std::string> command = {"sh", "-c",          kVerify,
                                      "sh", folder.path(), search == Search::kLong ? "-O1" : "-O0"};
  for (const std::string& definition : definitions)
    command.push_back(absl::StrCat("-D", definition));
  const CommandResult result = RunCommand(command);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.output;
}

// The statements that the verifier has not reached.
std::vector<std::string> Unreached(const std::string& output) {
  std::vector<std::string> statements;
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    if (!absl::StartsWith(line, "\tfence.pml:")) continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(line, '"');
    statements.emplace_back(parts.size() < 2 ? line : parts[1]);
  }
  return statements;
}

bool IsBreach(absl::string_view statement) {
  return std::any_of(kProperties.begin(), kProperties.end(), [statement](absl::string_view name) {
    return statement == absl::StrCat(name, " = 1");
  });
}

// The line that says how many states there are.
std::string States(const std::string& output) {
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    if (absl::EndsWith(line, " states, stored")) {
      return std::string(absl::StripLeadingAsciiWhitespace(line));
    }
  }
  return "no states";
}

void ExpectNoError(const std::string& output) {
  std::cout << States(output) << "\n";
  EXPECT_THAT(output,
              AllOf(HasSubstr("errors: 0\n"), HasSubstr("assertion violations\t+"),
                    HasSubstr("invalid end states\t+"), Not(HasSubstr("Search not completed")),
                    Not(HasSubstr("max search depth too small"))));
}

// Everything at once, of which the others have more of one thing and less of another.
TEST(FenceTest, HoldsThroughFailOverAndFaults) {
  const std::string output = Verify({"ISSUES=2"}, Search::kLong);
  ExpectNoError(output);
  // Nothing is without an error only because it cannot happen.
  for (const std::string& statement : Unreached(output)) {
    EXPECT_TRUE(IsBreach(statement) || statement == "-end-") << statement;
  }
  EXPECT_THAT(Unreached(output), testing::Contains("released_after_successor = 1"));
}

TEST(FenceTest, HoldsWithThreeRequestsAndTwoPromotions) {
  ExpectNoError(Verify({"FAILOVERS=0", "FAULTS=0"}, Search::kLong));
}

TEST(FenceTest, HoldsWithThreeRequestsAndAPromotionThroughFailOver) {
  ExpectNoError(Verify({"PROMOTIONS=1", "FAULTS=0"}, Search::kLong));
}

TEST(FenceTest, HoldsWithThreeRequestsThroughFailOverAndFaults) {
  ExpectNoError(Verify({"PROMOTIONS=0"}, Search::kLong));
}

struct Break {
  std::string macro;
  std::string property;             // the one that must not hold any more
  std::vector<std::string> enough;  // how little shows it
};

// For what a failed test says.
void PrintTo(const Break& broken, std::ostream* out) {
  *out << broken.macro << ": " << broken.property;
}

const std::vector<std::string> kOneRequestAndPromotion = {"ISSUES=1", "PROMOTIONS=1", "FAILOVERS=0",
                                                          "FAULTS=0"};

std::vector<Break> Breaks() {
  const std::vector<std::string> one_request_and_rollback = {"ISSUES=1", "PROMOTIONS=2",
                                                             "FAILOVERS=0", "FAULTS=0"};
  return {
      {"NO_SHARED_LOCK", "released_after_successor", kOneRequestAndPromotion},
      {"NO_SHARED_LOCK", "intended_after_successor", kOneRequestAndPromotion},
      {"LOCK_AND_READ_AT_ONCE", "released_after_successor", kOneRequestAndPromotion},
      {"PROMOTION_WITHOUT_LOCK", "released_after_successor", kOneRequestAndPromotion},
      {"LEASE_AND_SLOW_CLOCK", "released_after_successor", kOneRequestAndPromotion},
      {"RELEASE_WITHOUT_FENCE", "released_after_successor", kOneRequestAndPromotion},
      {"RELEASE_WITHOUT_EPOCH", "released_after_successor", kOneRequestAndPromotion},
      {"FENCE_BY_ROOT_ALONE", "released_after_successor", one_request_and_rollback},
      {"PROMOTION_WITHOUT_REVISION", "not_one_primary", one_request_and_rollback},
      {"ASYNCHRONOUS_STANDBY", "handed_over_unrecorded", {"ISSUES=1", "PROMOTIONS=0", "FAULTS=0"}},
      {"ASYNCHRONOUS_STANDBY", "second_certificate", {"ISSUES=2", "PROMOTIONS=0", "FAULTS=0"}},
      {"ASYNCHRONOUS_STANDBY", "promotion_lost", {"ISSUES=1", "PROMOTIONS=1", "FAULTS=0"}},
      {"CANCELLED_WAIT_IS_COMMIT", "handed_over_unrecorded", {"ISSUES=1", "PROMOTIONS=0"}},
      {"CANCELLED_WAIT_IS_COMMIT", "promotion_lost", {"ISSUES=1", "PROMOTIONS=1"}},
      {"LOST_ANSWER_IS_COMMIT", "handed_over_unrecorded", {"ISSUES=1", "PROMOTIONS=0", "FAULTS=0"}},
      {"REPEAT_WITHOUT_WRITE", "handed_over_unrecorded", {"ISSUES=2", "PROMOTIONS=0"}},
      {"REPEAT_WITHOUT_WRITE", "recorded_otherwise", {"ISSUES=3", "PROMOTIONS=0"}},
      {"REPEAT_WITHOUT_WRITE", "answered_of_old_epoch", {"ISSUES=2", "PROMOTIONS=1", "FAULTS=0"}},
  };
}

// Without the macro none of these has an error: each is a part of one of the four above.
class BrokenFenceTest : public testing::TestWithParam<Break> {};

TEST_P(BrokenFenceTest, IsFound) {
  const Break& broken = GetParam();
  const auto* const property = std::ranges::find(kProperties, broken.property);
  ASSERT_NE(property, kProperties.end());
  std::vector<std::string> definitions = broken.enough;
  definitions.push_back(absl::StrCat("ONLY=", property - kProperties.begin() + 1));
  definitions.push_back(broken.macro);
  EXPECT_THAT(Verify(definitions, Search::kShort),
              AllOf(HasSubstr("errors: 1\n"),
                    HasSubstr(absl::StrCat("assertion violated  !(", broken.property, ")"))));
}

std::string NameOf(const testing::TestParamInfo<Break>& info) {
  return absl::StrCat(info.param.macro, "__", info.param.property);
}

INSTANTIATE_TEST_SUITE_P(Breaks, BrokenFenceTest, testing::ValuesIn(Breaks()), NameOf);

bool IsOfMacro(char character) {
  return std::isupper(static_cast<unsigned char>(character)) != 0 || character == '_';
}

// What the model's preprocessor asks for.
std::set<std::string> MacrosOf(absl::string_view model) {
  std::set<std::string> macros;
  for (absl::string_view line : absl::StrSplit(model, '\n')) {
    if (!absl::StartsWith(line, "#if") && !absl::StartsWith(line, "#elif")) continue;
    std::string word;
    for (const char character : absl::StrCat(line, " ")) {
      if (IsOfMacro(character)) {
        word += character;
      } else if (!word.empty()) {
        macros.insert(std::exchange(word, ""));
      }
    }
  }
  return macros;
}

TEST(FenceModelTest, EveryBreakAndEveryPropertyHasItsCase) {
  const std::string readme = ReadFileOrDie("docs/models/README.md");
  std::set<std::string> macros = kSizes, properties;
  for (const Break& broken : Breaks()) {
    macros.insert(broken.macro);
    properties.insert(broken.property);
    EXPECT_THAT(readme, HasSubstr(absl::StrCat("`", broken.macro, "`")));
  }
  EXPECT_THAT(MacrosOf(ReadFileOrDie(kModel)), UnorderedElementsAreArray(macros));
  EXPECT_THAT(properties, UnorderedElementsAreArray(kProperties));
  for (absl::string_view property : kProperties) {
    EXPECT_THAT(readme, HasSubstr(absl::StrCat("`", property, "`")));
  }
}

}  // namespace
}  // namespace hourglass
