#include "ca/text/code_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <locale.h>
#include <unicode/uchar.h>
#include <wchar.h>
#include <wctype.h>

#include <string>
#include <utility>

namespace hourglass::ca {
namespace {

// Against another implementation: what the C library of Debian does not print, a name may not have.
// It knows an older version of Unicode, so characters that are newer are left out.
TEST(CodePointsTest, TakesNothingThatTheCLibraryDoesNotPrint) {
  const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  ASSERT_NE(locale, nullptr);
  int taken = 0;
  for (char32_t character = 0; character <= 0x10ffff; ++character) {
    UVersionInfo age;
    u_charAge(static_cast<UChar32>(character), age);
    if (age[0] > 14 || !FaultOfCharacter(character).empty()) continue;
    ++taken;
    EXPECT_TRUE(iswprint_l(static_cast<wint_t>(character), locale) != 0)
        << CodePointInWords(character);
    if (!FaultOfIdentifierCharacter(character).empty() || character < 0x80) continue;
    EXPECT_TRUE(iswgraph_l(static_cast<wint_t>(character), locale) != 0)
        << CodePointInWords(character);
  }
  EXPECT_GT(taken, 100000);
  freelocale(locale);
}

TEST(CodePointsTest, InWordsTheyHaveAtLeastFourDigits) {
  EXPECT_EQ(CodePointInWords(0), "U+0000");
  EXPECT_EQ(CodePointInWords(U'A'), "U+0041");
  EXPECT_EQ(CodePointInWords(0x202e), "U+202E");
  EXPECT_EQ(CodePointInWords(0xffff), "U+FFFF");
  EXPECT_EQ(CodePointInWords(0x10000), "U+10000");
  EXPECT_EQ(CodePointInWords(0x10ffff), "U+10FFFF");
}

// The borders of each class (UnicodeData.txt, PropList.txt, DerivedCoreProperties.txt).
const std::pair<char32_t, const char*> kBorders[] = {
    {0x0, "a control character"},
    {0x1f, "a control character"},
    {0x20, ""},
    {0x7e, ""},
    {0x7f, "a control character"},
    {0x9f, "a control character"},
    {0xa0, "white space"},
    {0xa1, ""},
    {0xad, "a format character"},
    {0x34f, "not seen"},
    {0x61c, "a format character"},
    {0x115f, "not seen"},
    {0x2000, "white space"},
    {0x200a, "white space"},
    {0x200b, "a format character"},
    {0x200f, "a format character"},
    {0x2010, ""},
    {0x2028, "a line separator"},
    {0x2029, "a line separator"},
    {0x202a, "a format character"},
    {0x202e, "a format character"},
    {0x202f, "white space"},
    {0x2065, "not seen"},
    {0x27ff, ""},
    {0x2800, "not seen"},
    {0x2801, ""},
    {0x3000, "white space"},
    {0x3164, "not seen"},
    {0xd7ff, "not assigned"},
    {0xd800, "a surrogate"},
    {0xdfff, "a surrogate"},
    {0xe000, "for private use"},
    {0xf8ff, "for private use"},
    {0xf900, ""},
    {0xfdcf, ""},
    {0xfdd0, "not a character"},
    {0xfdef, "not a character"},
    {0xfdf0, ""},
    {0xfe00, "not seen"},
    {0xfe0f, "not seen"},
    {0xfffd, ""},
    {0xfffe, "not a character"},
    {0xffff, "not a character"},
    {0x1f600, ""},
    {0xe0001, "a format character"},
    {0xe0fff, "not seen"},
    {0xf0000, "for private use"},
    {0xffffd, "for private use"},
    {0xffffe, "not a character"},
    {0x10fffd, "for private use"},
    {0x10ffff, "not a character"},
    {0x110000, "a surrogate"},
    {0xffffffff, "a surrogate"},
};

TEST(CodePointsTest, FaultsAreNamed) {
  for (const auto& [character, fault] : kBorders) {
    EXPECT_EQ(FaultOfCharacter(character), fault) << CodePointInWords(character);
    if (*fault == '\0') continue;
    EXPECT_EQ(FaultOfIdentifierCharacter(character), fault) << CodePointInWords(character);
  }
}

// RFC 5892 section 2.6: these whatever their category says.
TEST(CodePointsTest, TheExceptionsOfRfc5892AreKept) {
  for (const char32_t valid : U"\u00df\u03c2\u06fd\u06fe\u0f0b\u3007") {
    if (valid == 0) continue;
    EXPECT_EQ(FaultOfIdentifierCharacter(valid), "") << CodePointInWords(valid);
  }
  // Those of CONTEXTO are for KeepsContextRules to judge.
  for (const char32_t beside : U"\u00b7\u0375\u05f3\u05f4\u30fb") {
    if (beside == 0) continue;
    EXPECT_EQ(FaultOfIdentifierCharacter(beside), "") << CodePointInWords(beside);
  }
  for (const char32_t disallowed :
       U"\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b") {
    if (disallowed == 0) continue;
    EXPECT_EQ(FaultOfIdentifierCharacter(disallowed), "not for names")
        << CodePointInWords(disallowed);
  }
}

TEST(CodePointsTest, IdentifiersHaveLettersDigitsAndMarks) {
  const std::pair<char32_t, const char*> characters[] = {
      {0xe9, ""},
      {0xc9, ""},
      {0x436, ""},
      {0x4e2d, ""},
      {0x660, ""},
      {0x308, ""},
      {0x903, ""},
      {0x2b0, "another form of a common character"},
      {0x2ec, ""},
      {0xac00, ""},
      {0x1100, "a part of a syllable"},
      {0x1161, "a part of a syllable"},
      {0x11a8, "a part of a syllable"},
      {0xa960, "a part of a syllable"},
      {0xd7b0, "a part of a syllable"},
      {0xaa, "another form of a common character"},
      {0xb2, "another form of a common character"},
      {0x1c5, "another form of a common character"},
      {0x2126, "another form of a common character"},
      {0xfb01, "another form of a common character"},
      {0xff21, "another form of a common character"},
      {0x20ac, "neither a letter nor a digit"},
      {0x2603, "neither a letter nor a digit"},
      {0xa7, "neither a letter nor a digit"},
      {0x16ee, "neither a letter nor a digit"},
      {0x20dd, "neither a letter nor a digit"},
      {0x1f88, "neither a letter nor a digit"},
  };
  for (const auto& [character, fault] : characters) {
    EXPECT_EQ(FaultOfIdentifierCharacter(character), fault) << CodePointInWords(character);
  }
}

TEST(CodePointsTest, MarksAndWhatIsOfAWord) {
  for (const char32_t mark : {0x300, 0x903, 0x20dd, 0xfe0f}) {
    EXPECT_TRUE(IsMark(mark) && IsOfWord(mark)) << CodePointInWords(mark);
  }
  for (const char32_t of_word : {U'a', U'Z', U'0', char32_t{0xe9}, char32_t{0x4e2d},
                                 char32_t{0x660}, char32_t{0xb2}, char32_t{0x2160}}) {
    EXPECT_TRUE(!IsMark(of_word) && IsOfWord(of_word)) << CodePointInWords(of_word);
  }
  for (const char32_t other : {U' ', U'-', U'_', U'@', char32_t{0x20ac}, char32_t{0x200d},
                               char32_t{0x2028}, char32_t{0xe000}, char32_t{0x110000}}) {
    EXPECT_TRUE(!IsMark(other) && !IsOfWord(other)) << CodePointInWords(other);
  }
}

// UAX 15, figures 3 to 6 and section 1.3.
TEST(CodePointsTest, FormCIsComposed) {
  for (const char* text : {"", "abc", "\u00c5", "\u00f4", "\u1e69", "\uac00", "\ufb01", "2\u2075",
                           "\u1e9b\u0323", "q\u0323\u0307"}) {
    EXPECT_TRUE(IsNormalized(text)) << text;
  }
  for (const char* text : {"\u212b", "\u2126", "A\u030a", "o\u0302", "s\u0323\u0307",
                           "d\u0323\u0307", "\u1100\u1161", "q\u0307\u0323", "\u0344"}) {
    EXPECT_FALSE(IsNormalized(text)) << text;
  }
}

// UTS 39 section 5.1, table 1, and section 5.2.
TEST(CodePointsTest, ScriptsAreOneOrThoseOfEastAsia) {
  for (const std::u32string& text :
       {std::u32string(), std::u32string(U"123-_"), std::u32string(U"Circle"),
        std::u32string(U"\u0421\u0456\u0433\u0441\u04c0\u0435"), std::u32string(U"Circ1e"),
        std::u32string(U"C\U0001d5c2\U0001d5cb"), std::u32string(U"\u3006\u5207"),
        std::u32string(U"\u306d\u30ac"), std::u32string(U"\u6f22a\u3042\u30a2"),
        std::u32string(U"\u6f22a\u3105"), std::u32string(U"\u6f22a\ud55c"),
        std::u32string(U"e\u0301"), std::u32string(U"\u03b1\u03b21")}) {
    EXPECT_TRUE(IsOfOneScript(text));
  }
  for (const std::u32string& text :
       {std::u32string(U"\u0421irsl\u0435"), std::u32string(U"a\u0430"), std::u32string(U"a\u03b1"),
        std::u32string(U"\u0430\u03b1"), std::u32string(U"a\u05d0"), std::u32string(U"a\u0627"),
        std::u32string(U"\u6f22\u0430"), std::u32string(U"\u6f22\u03b1"),
        std::u32string(U"\u3042\ud55c"), std::u32string(U"\u3042\u3105"),
        std::u32string(U"\u3105\ud55c"), std::u32string(U"a\u0e01"),
        std::u32string(U"\u6f22\u0e01")}) {
    EXPECT_FALSE(IsOfOneScript(text));
  }
}

// NFKC_CF of DerivedNormalizationProps.txt.
TEST(CodePointsTest, CaseFoldedIsWhatComparesEqual) {
  const std::pair<const char*, const char*> texts[] = {
      {"", ""},
      {"Contoso", "contoso"},
      {"STRASSE", "strasse"},
      {"stra\u00dfe", "strasse"},
      {"\u1e9e", "ss"},
      {"\u03a3\u03c2\u03c3", "\u03c3\u03c3\u03c3"},
      {"\uff21\ufb01\u212b\u2126", "afi\u00e5\u03c9"},
      {"A\u030a", "\u00e5"},
      {"a\u00ad\u200b\u200d\ufe0f\u2060\ufeffb", "ab"},
      {"\u00a0", " "},
      {"\u0130", "i\u0307"},
      {"\U00010400", "\U00010428"},
  };
  for (const auto& [text, folded] : texts) {
    EXPECT_EQ(CaseFolded(text), folded) << text;
    EXPECT_EQ(CaseFolded(folded), folded) << text;
  }
}

}  // namespace
}  // namespace hourglass::ca
