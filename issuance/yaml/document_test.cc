#include "issuance/yaml/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "issuance/yaml/mapping.h"
#include "tests/support/status_matchers.h"

namespace hourglass::yaml {
namespace {

using testing::HasSubstr;

// What Finish() says of `text` after the fields a, b and c (a mapping with d) were read.
std::string MistakesOf(absl::string_view text) {
  Document document(text, "f.yaml");
  Mapping root = document.Root();
  root.String("a");
  root.String("b");
  root.Optional("c").String("d");
  const absl::Status status = document.Finish();
  if (status.ok()) return "";
  EXPECT_THAT(status, FailsWith(ErrorReason::kConfigurationInvalid));
  return std::string(status.message());
}

TEST(DocumentTest, TakesPlainYaml) {
  EXPECT_EQ(MistakesOf("# a comment\na: one\nb: 'two'\nc:\n  d: \"three\"\n"), "");
  EXPECT_EQ(MistakesOf("---\n{a: one, c: {d: two}}\n"), "");
  EXPECT_EQ(MistakesOf("a: \xC3\xA9\r\nb: x\r\n"), "");
}

TEST(DocumentTest, RefusesWhatIsNoYamlWithItsLine) {
  EXPECT_THAT(MistakesOf("a: one\nb: [1, 2\nc: }\n"), HasSubstr("f.yaml:3: not valid YAML: "));
  EXPECT_THAT(MistakesOf("a: one\n\tb: two\n"), HasSubstr("f.yaml:2: not valid YAML: "));
  for (const char* open : {"a: \"one\nb: two\n", "a: 'one\n \r\n", "a: [one\n", "c: {d: one\n"}) {
    EXPECT_THAT(MistakesOf(open), HasSubstr("not valid YAML: ")) << open;
  }
}

TEST(DocumentTest, RefusesEmptyTextAndOtherRoots) {
  EXPECT_EQ(MistakesOf(""), "f.yaml:1: the file is empty");
  EXPECT_EQ(MistakesOf("# nothing\n"), "f.yaml:1: the file is empty");
  EXPECT_EQ(MistakesOf("- a\n"), "f.yaml:1: must be a mapping of fields");
  EXPECT_EQ(MistakesOf("\nword\n"), "f.yaml:2: must be a mapping of fields");
}

TEST(DocumentTest, RefusesUnknownFieldsAtEveryLevel) {
  EXPECT_EQ(MistakesOf("a: 1\nzebra: 2\nc:\n  d: 3\n  dd: 4\n"),
            "f.yaml:2: zebra: unknown field\n"
            "f.yaml:5: c.dd: unknown field");
}

TEST(DocumentTest, RefusesRepeatedFieldsAtEveryLevel) {
  EXPECT_EQ(MistakesOf("a: 1\nb: 2\na: 3\n"), "f.yaml:3: a: appears twice, first in line 1");
  EXPECT_EQ(MistakesOf("c:\n  d: 3\n  \"d\": {x: 4}\n"),
            "f.yaml:3: c.d: appears twice, first in line 2");
}

TEST(DocumentTest, RefusesAnchorsAliasesTagsAndFurtherDocuments) {
  EXPECT_EQ(MistakesOf("a: &x one\n"), "f.yaml:1: a: anchors (&) are not allowed");
  EXPECT_EQ(MistakesOf("a: &x\n"), "f.yaml:1: a: anchors (&) are not allowed");
  EXPECT_EQ(MistakesOf("c: &x {d: one}\n"), "f.yaml:1: c: anchors (&) are not allowed");
  EXPECT_THAT(MistakesOf("a: *x\n"), HasSubstr("f.yaml:1: "));
  EXPECT_EQ(MistakesOf("a: !!str one\n"), "f.yaml:1: a: tags (!) are not allowed");
  EXPECT_EQ(MistakesOf("b: x\nc: !mine {d: one}\n"), "f.yaml:2: c: tags (!) are not allowed");
  EXPECT_EQ(MistakesOf("a: one\n---\nb: two\n"), "f.yaml:2: more than one document in the file");
}

TEST(DocumentTest, RefusesFieldsWithoutPlainNames) {
  EXPECT_EQ(MistakesOf("? [a, b]\n: one\n"), "f.yaml:1: a field's name must be plain text");
  EXPECT_EQ(MistakesOf("? {a: b}\n: one\n"), "f.yaml:1: a field's name must be plain text");
  EXPECT_EQ(MistakesOf("~: one\n"), "f.yaml:1: a field has no name");
  EXPECT_EQ(MistakesOf("'': one\n"), "f.yaml:1: a field's name must have 1 to 128 octets");
  EXPECT_EQ(MistakesOf(std::string(129, 'n') + ": one\n"),
            "f.yaml:1: a field's name must have 1 to 128 octets");
}

TEST(DocumentTest, RefusesOtherEncodingsAndControlCharacters) {
  constexpr char kNotText[] = "not UTF-8 text without control characters";
  EXPECT_EQ(MistakesOf("a: x\nb: \xFF\n"), absl::StrCat("f.yaml:2: ", kNotText));
  EXPECT_EQ(MistakesOf(absl::string_view("a: x\nb: \0\n", 10)),
            absl::StrCat("f.yaml:2: ", kNotText));
  EXPECT_EQ(MistakesOf("a: \x1b[1m\n"), absl::StrCat("f.yaml:1: ", kNotText));
  EXPECT_EQ(MistakesOf("\xFF\xFE"
                       "a\0:\0 \0b\0"),
            absl::StrCat("f.yaml:1: ", kNotText));
  EXPECT_EQ(MistakesOf("b: x\na: \"\\0\"\n"), "f.yaml:2: a: control characters are not allowed");
  EXPECT_EQ(MistakesOf("a: |\n  two\n  lines\n"),
            "f.yaml:1: a: control characters are not allowed");
}

TEST(DocumentTest, RefusesExcess) {
  EXPECT_EQ(MistakesOf("a: " + std::string(kMaxDocumentSize, 'x')),
            "f.yaml:1: larger than 262144 octets");
  EXPECT_THAT(MistakesOf("a: " + std::string(17, '[') + std::string(17, ']')),
              HasSubstr("more than 16 levels deep"));
  EXPECT_THAT(MistakesOf("a: " + std::string(100000, '[')), HasSubstr("f.yaml:1: "));
  std::string many = "a: [";
  for (int i = 0; i < kMaxNodes; ++i) many += "x,";
  EXPECT_THAT(MistakesOf(many + "]"), HasSubstr("more than 20000 values"));
}

TEST(DocumentTest, TellsMistakesByLineAndNotWithoutEnd) {
  std::string text;
  for (int i = 0; i < 60; ++i) absl::StrAppend(&text, "unknown", i, "x: 1\n");
  const std::string mistakes = MistakesOf(text);
  EXPECT_EQ(std::count(mistakes.begin(), mistakes.end(), '\n'), 50);
  EXPECT_THAT(mistakes, HasSubstr("f.yaml:51: and 10 more mistakes"));
}

TEST(DocumentTest, NeverQuotesAValue) {
  for (const char* text : {"a: [hunter2]\n", "a: hunter2\na: hunter2\n", "hunter2\n",
                           "c: hunter2\n", "a: !x hunter2\n", "zebra: hunter2\n"}) {
    const std::string mistakes = MistakesOf(text);
    EXPECT_NE(mistakes, "");
    EXPECT_THAT(mistakes, testing::Not(HasSubstr("hunter2")));
  }
}

TEST(DocumentTest, ResolvesPathsFromItsFolder) {
  const Document document("a: 1", "/etc/hourglass/hourglassd.yaml");
  EXPECT_EQ(document.Resolve("root.pem"), "/etc/hourglass/root.pem");
  EXPECT_EQ(document.Resolve("../x"), "/etc/hourglass/../x");
  EXPECT_EQ(document.Resolve("/root.pem"), "/root.pem");
  const std::string here = std::filesystem::current_path();
  EXPECT_EQ(Document("a: 1", "hourglassd.yaml").Resolve("root.pem"), here + "/root.pem");
  EXPECT_EQ(Document("a: 1", "etc/h.yaml").Resolve("root.pem"), here + "/etc/root.pem");
}

}  // namespace
}  // namespace hourglass::yaml
