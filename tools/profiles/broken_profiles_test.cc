// Each broken profile of the corpus is found out: with this rule, in this line, and nothing else.
#include "tools/profiles/broken_profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/profiles/rules.h"
#include "tools/profiles/schema_validation.h"

namespace hourglass::profiles {
namespace {

constexpr char kFolder[] = "tools/profiles/testdata";

std::vector<ProfileFile> FilesOf(const BrokenProfile& broken) {
  std::vector<ProfileFile> files = {broken.profile};
  files.insert(files.end(), broken.beside.begin(), broken.beside.end());
  return files;
}

// Notes only where the case names one.
std::vector<std::pair<int, std::string>> Found(const BrokenProfile& broken,
                                               const std::vector<doctor::Finding>& findings) {
  std::vector<std::pair<int, std::string>> found;
  for (const doctor::Finding& finding : findings) {
    found.emplace_back(finding.place.line, finding.id);
    EXPECT_FALSE(finding.what.empty()) << finding.id;
    EXPECT_FALSE(finding.effect.empty()) << finding.id;
    EXPECT_TRUE(!finding.remedy.empty() || finding.severity == doctor::Severity::kNote)
        << finding.id;
    EXPECT_EQ(finding.place.file, broken.profile.name) << finding.id;
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST(BrokenProfilesTest, AreFoundOutWithRuleAndLine) {
  for (const BrokenProfile& broken : BrokenProfiles(kFolder)) {
    SCOPED_TRACE(broken.name);
    const std::vector<ProfileFile> files = FilesOf(broken);
    ASSERT_OK_AND_ASSIGN(const std::vector<doctor::Finding> findings,
                         CheckProfiles(files, broken.surroundings));
    EXPECT_EQ(Found(broken, findings), broken.expected)
        << doctor::FindingsInWords(findings) << broken.profile.content;
  }
}

// What structure and thumbprints the checker has nothing against is valid for libxml2, too.
TEST(BrokenProfilesTest, WhatIsNotFoundIsValidByTheSchemas) {
  const std::set<std::string> of_structure = {
      "wrong-namespace",   "unknown-element", "misplaced-element", "element-order",
      "repeated-element",  "missing-element", "stray-text",        "unknown-attribute",
      "not-a-boolean",     "unknown-value",   "not-a-number",      "trusted-root-form",
      "issuers-of-tenant", "spread-value",    "not-well-formed",   "text-around",
      "pasted-tree",       "lost-blank",      "unbound-prefix",    "not-a-profile",
      "eap-types-differ"};
  int valid = 0;
  for (const BrokenProfile& broken : BrokenProfiles(kFolder)) {
    const bool is_sound =
        std::none_of(broken.expected.begin(), broken.expected.end(),
                     [&](const auto& one) { return of_structure.count(one.second) > 0; });
    if (!is_sound) continue;
    EXPECT_THAT(SchemaFaults(broken.profile.content), testing::IsEmpty()) << broken.name;
    ++valid;
  }
  EXPECT_GT(valid, 40);
}

TEST(BrokenProfilesTest, EachRuleHasACase) {
  // Profiles that stand in other files have tests of their own: profile_text_test.
  std::set<std::string> covered = {"escaped", "escaped-twice"};
  for (const BrokenProfile& broken : BrokenProfiles(kFolder)) {
    for (const auto& [line, rule] : broken.expected) covered.insert(rule);
  }
  std::set<std::string> all;
  for (const Rule* rule : AllRules()) all.insert(std::string(rule->id));
  EXPECT_EQ(covered, all);
}

TEST(RulesTest, AreInTheDocumentation) {
  const std::string text = ReadFileOrDie("docs/profiles.md");
  for (const Rule* rule : AllRules()) {
    EXPECT_THAT(text, testing::HasSubstr(absl::StrCat("| `", rule->id, "` | ",
                                                      doctor::SeverityName(rule->severity))));
  }
}

}  // namespace
}  // namespace hourglass::profiles
