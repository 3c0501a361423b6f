#include "tools/doctor/finding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hourglass::doctor {
namespace {

Finding Mistake() {
  return {"nps-no-certificate-oid",      Severity::kError,
          "it asks for no OID",          "every certificate lets in",
          "set Allowed-Certificate-OID", {"x.xml", 7, "policy \"A\""}};
}

TEST(FindingTest, IsSaidWithPlaceEffectAndRemedy) {
  EXPECT_EQ(FindingsInWords({Mistake()}),
            "ERROR x.xml:7: policy \"A\": it asks for no OID\n"
            "  effect: every certificate lets in\n"
            "  remedy: set Allowed-Certificate-OID\n"
            "1 error, 0 warnings, 0 notes\n");
}

TEST(FindingTest, LeavesOutWhatIsNotKnown) {
  const Finding bare = {"x", Severity::kNote, "something", "", "", {}};
  EXPECT_EQ(FindingsInWords({bare}), "NOTE something\n0 errors, 0 warnings, 1 note\n");
  EXPECT_EQ(FindingsAsJson({bare}).dump(), R"([{"id":"x","severity":"note","what":"something"}])");
}

TEST(FindingTest, NamesFromAFileCannotForgeALine) {
  Finding forged = Mistake();
  forged.place.item = "policy \"A\nNOTE all is well\x1b[2J\"";
  const std::string words = FindingsInWords({forged});
  EXPECT_THAT(words, testing::HasSubstr("A\\x0aNOTE all is well\\x1b[2J"));
  EXPECT_THAT(words, testing::Not(testing::HasSubstr("\nNOTE")));
}

TEST(FindingTest, JsonCountsAndLists) {
  const auto json = ReportAsJson({Mistake()});
  EXPECT_EQ(json["errors"], 1);
  EXPECT_EQ(json["findings"][0]["line"], 7);
  EXPECT_EQ(json["findings"][0]["remedy"], "set Allowed-Certificate-OID");
}

TEST(FindingTest, NotesAreNoMistakes) {
  Finding finding = Mistake();
  EXPECT_TRUE(HasMistake({finding}));
  finding.severity = Severity::kWarning;
  EXPECT_TRUE(HasMistake({finding}));
  finding.severity = Severity::kNote;
  EXPECT_FALSE(HasMistake({finding}));
}

TEST(FindingTest, AreSortedByPlaceThenGravity) {
  Finding note = Mistake();
  note.severity = Severity::kNote;
  Finding earlier = Mistake();
  earlier.place.line = 2;
  std::vector<Finding> findings = {note, Mistake(), earlier};
  SortFindings(findings);
  EXPECT_EQ(findings[0].place.line, 2);
  EXPECT_EQ(findings[1].severity, Severity::kError);
  EXPECT_EQ(findings[2].severity, Severity::kNote);
}

}  // namespace
}  // namespace hourglass::doctor
