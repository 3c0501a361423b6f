#include "issuance/store/sqlite/journal/user_spellings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "ca/names/name_rules.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/sqlite/segments/segment_records.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

class UserSpellingsTest : public testing::Test {
 protected:
  // A segment with an intent of each user, indexed.
  std::unique_ptr<Connection> Segment(const std::set<std::string>& users) {
    auto folder = JournalFolder::Open(directory_.File("store"), std::chrono::milliseconds(1000));
    EXPECT_OK(folder->MakeSegment(1));
    std::unique_ptr<Connection> segment = *folder->OpenSegment(1);
    EXPECT_OK(segment->Execute("BEGIN"));
    std::int64_t sequence = 0;
    for (const std::string& user : users) {
      Intent intent = SampleIntent(absl::StrCat("r-", ++sequence));
      intent.user_upn = user;
      EXPECT_OK(InsertIntent(*segment, sequence, intent));
    }
    EXPECT_OK(segment->Execute("COMMIT"));
    EXPECT_OK(folder->IndexSegment(1));
    return segment;
  }

  const TemporaryDirectory directory_;
};

TEST_F(UserSpellingsTest, FindsEverySpelling) {
  const std::unique_ptr<Connection> segment = Segment(
      {"alice@contoso.example", "Alice@contoso.example", "ALICE@CONTOSO.EXAMPLE",
       " alice@contoso.example", "alice@contoso.example ", "alice@contoso.example\u00a0",
       "al\u200bice@contoso.example", "\u202ealice@contoso.example", "\uff41lice@contoso.example",
       "alice@contoso.example.org", "alice@contoso.exampl", "alic@contoso.example", "alicf@a",
       "m\u00fcller@m\u00fcnchen.example", "M\u00dcLLER@xn--mnchen-3ya.example",
       "mu\u0308ller@M\u00dcNCHEN.example", "muller@munchen.example", std::string("a\0b", 3), ""});
  const auto spellings = [&segment](absl::string_view user) {
    return *FindUserSpellings(*segment, kSampleTenant, ca::FoldedUpn(user));
  };
  EXPECT_THAT(spellings("aLiCe@contoso.example"),
              UnorderedElementsAre("alice@contoso.example", "Alice@contoso.example",
                                   "ALICE@CONTOSO.EXAMPLE", " alice@contoso.example",
                                   "alice@contoso.example ", "alice@contoso.example\u00a0",
                                   "al\u200bice@contoso.example", "\u202ealice@contoso.example",
                                   "\uff41lice@contoso.example"));
  EXPECT_THAT(
      spellings("m\u00fcller@m\u00fcnchen.example"),
      UnorderedElementsAre("m\u00fcller@m\u00fcnchen.example", "M\u00dcLLER@xn--mnchen-3ya.example",
                           "mu\u0308ller@M\u00dcNCHEN.example"));
  EXPECT_THAT(spellings("bob@contoso.example"), IsEmpty());
  EXPECT_THAT(spellings("%"), IsEmpty());
  EXPECT_THAT(*FindUserSpellings(*segment, "another", "alice@contoso.example"), IsEmpty());
}

// Whatever the steps leave out: the same as looking at every user.
TEST_F(UserSpellingsTest, FindsWhatAWholeReadFinds) {
  std::mt19937 random(21);
  const std::string pieces[] = {"a",      "A",      "b",      "B",      "k",      "K",
                                "s",      "S",      "@",      "1",      ".",      " ",
                                "\u212a", "\u017f", "\u00df", "\u0308", "\u00e4", "x"};
  const auto text = [&] {
    std::string name;
    for (unsigned size = random() % 5; size > 0; --size) name += pieces[random() % 18];
    return name;
  };
  std::set<std::string> users;
  for (int i = 0; i < 3000; ++i) users.insert(text());
  const std::unique_ptr<Connection> segment = Segment(users);
  int found = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string folded = ca::FoldedUpn(text());
    std::vector<std::string> expected;
    for (const std::string& user : users) {
      if (ca::FoldedUpn(user) == folded) expected.push_back(user);
    }
    found += static_cast<int>(expected.size());
    EXPECT_THAT(*FindUserSpellings(*segment, kSampleTenant, folded),
                UnorderedElementsAreArray(expected))
        << folded;
  }
  EXPECT_GT(found, 500);
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
