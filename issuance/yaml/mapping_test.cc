#include "issuance/yaml/mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::yaml {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// What Finish() says after `read` has read from the root of `text`.
std::string Read(absl::string_view text, const std::function<void(Mapping)>& read) {
  Document document(text, "/etc/f.yaml");
  read(document.Root());
  return std::string(document.Finish().message());
}

TEST(MappingTest, ReadsText) {
  EXPECT_EQ(Read("a: some text\nb: '7'\nc: 10.0\n",
                 [](Mapping root) {
                   EXPECT_EQ(root.String("a"), "some text");
                   EXPECT_EQ(root.RequiredString("b"), "7");
                   EXPECT_EQ(root.String("c"), "10.0");
                   EXPECT_EQ(root.String("absent"), std::nullopt);
                 }),
            "");
}

TEST(MappingTest, RefusesWhatIsNoText) {
  const auto read = [](Mapping root) { EXPECT_EQ(root.String("a"), std::nullopt); };
  EXPECT_EQ(Read("a:\n", read), "/etc/f.yaml:1: a: is empty");
  EXPECT_EQ(Read("a: ''\n", read), "/etc/f.yaml:1: a: is empty");
  EXPECT_EQ(Read("a: ~\n", read), "/etc/f.yaml:1: a: is empty");
  EXPECT_EQ(Read("a: [x]\n", read), "/etc/f.yaml:1: a: must be text");
  EXPECT_EQ(Read("a: {x: y}\n", read), "/etc/f.yaml:1: a: must be text");
}

TEST(MappingTest, NamesEveryMissingField) {
  EXPECT_EQ(Read("\nx: {z: 1}\n",
                 [](Mapping root) {
                   EXPECT_EQ(root.RequiredString("a"), "");
                   EXPECT_EQ(root.RequiredPath("b"), "");
                   Mapping x = root.Required("x");
                   x.String("z");
                   EXPECT_EQ(x.RequiredString("y"), "");
                   EXPECT_THAT(root.RequiredMappings("l"), IsEmpty());
                   // An absent mapping requires nothing more.
                   EXPECT_EQ(root.Required("m").RequiredString("n"), "");
                   EXPECT_EQ(root.Optional("o").RequiredString("n"), "");
                 }),
            "/etc/f.yaml:2: a: is missing\n"
            "/etc/f.yaml:2: b: is missing\n"
            "/etc/f.yaml:2: x.y: is missing\n"
            "/etc/f.yaml:2: l: is missing\n"
            "/etc/f.yaml:2: m: is missing");
}

TEST(MappingTest, ReadsPathsFromTheFilesFolder) {
  EXPECT_EQ(Read("a: x.pem\nb: /x.pem\n",
                 [](Mapping root) {
                   EXPECT_EQ(root.Path("a"), "/etc/x.pem");
                   EXPECT_EQ(root.RequiredPath("b"), "/x.pem");
                 }),
            "");
}

TEST(MappingTest, ReadsTruthValues) {
  EXPECT_EQ(Read("a: true\nb: false\n",
                 [](Mapping root) {
                   EXPECT_EQ(root.Bool("a"), true);
                   EXPECT_EQ(root.Bool("b"), false);
                   EXPECT_EQ(root.Bool("c"), std::nullopt);
                 }),
            "");
  for (const char* text : {"yes", "True", "1", "'true'", "[true]", "on"}) {
    EXPECT_EQ(Read(absl::StrCat("a: ", text),
                   [](Mapping root) { EXPECT_EQ(root.Bool("a"), std::nullopt); }),
              "/etc/f.yaml:1: a: must be true or false, without quotes")
        << text;
  }
}

TEST(MappingTest, ReadsNumbersWithinTheirRange) {
  EXPECT_EQ(Read("a: 1\nb: 10\nc: -5\n",
                 [](Mapping root) {
                   EXPECT_EQ(root.Integer("a", 1, 10), 1);
                   EXPECT_EQ(root.Integer("b", 1, 10), 10);
                   EXPECT_EQ(root.Integer("c", -5, 10), -5);
                 }),
            "");
  for (const char* text : {"0", "11", "-1", "'5'", "5.0", "0x5", "05", "5e0", "five", "[5]", "+5",
                           "99999999999999999999"}) {
    EXPECT_EQ(Read(absl::StrCat("a: ", text),
                   [](Mapping root) { EXPECT_EQ(root.Integer("a", 1, 10), std::nullopt); }),
              "/etc/f.yaml:1: a: must be a whole number, 1 to 10")
        << text;
  }
}

TEST(MappingTest, ReadsDurationsWithinTheirRange) {
  EXPECT_EQ(Read("a: 500ms\nb: 2s\nc: 60m\nd: 24h\ne: 3d\nf: '1h'\n",
                 [](Mapping root) {
                   const auto read = [&](const char* name) {
                     return root.Duration(name, milliseconds(500), hours(72));
                   };
                   EXPECT_EQ(read("a"), milliseconds(500));
                   EXPECT_EQ(read("b"), seconds(2));
                   EXPECT_EQ(read("c"), hours(1));
                   EXPECT_EQ(read("d"), hours(24));
                   EXPECT_EQ(read("e"), hours(72));
                   EXPECT_EQ(read("f"), hours(1));
                 }),
            "");
  for (const char* text : {"299s", "25h", "5", "m", "5 m", "-5m", "5min", "1.5h", "05m",
                           "9999999999d", "999999999d", "[5m]"}) {
    EXPECT_EQ(Read(absl::StrCat("a: ", text),
                   [](Mapping root) {
                     EXPECT_EQ(root.Duration("a", minutes(5), hours(24)), std::nullopt);
                   }),
              "/etc/f.yaml:1: a: must be a duration such as 500ms, 2s, 60m, 24h or 3d, 5m to 1d")
        << text;
  }
}

TEST(MappingTest, ReadsWholeSeconds) {
  const auto read = [](Mapping root) { root.Seconds("a", seconds(1), seconds(10)); };
  EXPECT_EQ(Read("a: 2000ms\n", read), "");
  EXPECT_EQ(Read("a: 2500ms\n", read), "/etc/f.yaml:1: a: must be whole seconds");
}

TEST(MappingTest, ReadsChoices) {
  const auto read = [](Mapping root) { root.Choice("a", {"red", "blue"}); };
  EXPECT_EQ(Read("a: blue\n", read), "");
  EXPECT_EQ(Read("a: Blue\n", read), "/etc/f.yaml:1: a: must be one of red, blue");
}

TEST(MappingTest, ReadsLists) {
  EXPECT_EQ(Read("a: [x, 'y']\nb:\n  - z\n",
                 [](Mapping root) {
                   EXPECT_THAT(root.Strings("a"), ElementsAre("x", "y"));
                   EXPECT_THAT(root.Strings("b"), ElementsAre("z"));
                   EXPECT_THAT(root.Strings("c"), IsEmpty());
                 }),
            "");
  EXPECT_EQ(Read("a: x\nb: []\nc:\n  - x\n  - [y]\n  - ''\n",
                 [](Mapping root) {
                   EXPECT_THAT(root.Strings("a"), IsEmpty());
                   EXPECT_THAT(root.Strings("b"), IsEmpty());
                   EXPECT_THAT(root.Strings("c"), ElementsAre("x"));
                 }),
            "/etc/f.yaml:1: a: must be a list with at least one value\n"
            "/etc/f.yaml:2: b: must be a list with at least one value\n"
            "/etc/f.yaml:5: c[1]: must be text\n"
            "/etc/f.yaml:6: c[2]: must be text");
}

TEST(MappingTest, ReadsListsOfMappings) {
  EXPECT_EQ(Read("l:\n  - {n: one}\n  - n: two\n    m: x\n  - three\n  - {}\n",
                 [](Mapping root) {
                   std::vector<Mapping> items = root.RequiredMappings("l");
                   ASSERT_EQ(items.size(), 2u);
                   EXPECT_EQ(items[0].RequiredString("n"), "one");
                   EXPECT_EQ(items[1].RequiredString("n"), "two");
                 }),
            "/etc/f.yaml:4: l[1].m: unknown field\n"
            "/etc/f.yaml:5: l[2]: must be a mapping of fields\n"
            "/etc/f.yaml:6: l[3]: must be a mapping of fields");
}

TEST(MappingTest, ReadsNamedMappings) {
  EXPECT_EQ(Read("t:\n  contoso: {x: 1}\n  fabrikam: 2\n",
                 [](Mapping root) {
                   auto named = root.NamedMappings("t");
                   ASSERT_EQ(named.size(), 2u);
                   EXPECT_EQ(named[0].first, "contoso");
                   EXPECT_EQ(named[0].second.RequiredString("x"), "1");
                   EXPECT_FALSE(named[1].second.present());
                 }),
            "/etc/f.yaml:3: t.fabrikam: must be a mapping of fields");
}

TEST(MappingTest, PlacesMistakesOfTheReader) {
  EXPECT_EQ(Read("a:\n  b: 1\n  c:\n    - x\n    - y\n",
                 [](Mapping root) {
                   Mapping a = root.Required("a");
                   a.String("b");
                   a.Strings("c");
                   a.Mistake("", "is odd");
                   a.Mistake("b", "is too small");
                   a.Mistake("d", "would help");
                   a.ItemMistake("c", 1, "is wrong");
                   root.Optional("absent").Mistake("x", "is not said");
                 }),
            "/etc/f.yaml:1: a: is odd\n"
            "/etc/f.yaml:1: a.d: would help\n"
            "/etc/f.yaml:2: a.b: is too small\n"
            "/etc/f.yaml:5: a.c[1]: is wrong");
}

TEST(DurationTextTest, TakesTheLargestUnit) {
  EXPECT_EQ(DurationText(milliseconds(500)), "500ms");
  EXPECT_EQ(DurationText(seconds(90)), "90s");
  EXPECT_EQ(DurationText(minutes(60)), "1h");
  EXPECT_EQ(DurationText(hours(72)), "3d");
  EXPECT_EQ(DurationText(seconds(0)), "0ms");
}

}  // namespace
}  // namespace hourglass::yaml
