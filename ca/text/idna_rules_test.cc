#include <gtest/gtest.h>
#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "ca/text/code_points.h"

namespace hourglass::ca {
namespace {

std::string InWords(const std::u32string& text) {
  std::string words;
  for (const char32_t character : text) absl::StrAppend(&words, CodePointInWords(character), " ");
  return words;
}

// Every text of up to `size` characters of `alphabet`.
void ForEveryText(const std::u32string& alphabet, std::size_t size,
                  const std::function<void(const std::u32string&)>& look) {
  std::u32string text;
  const std::function<void()> extend = [&] {
    if (!text.empty()) look(text);
    if (text.size() == size) return;
    for (const char32_t character : alphabet) {
      text.push_back(character);
      extend();
      text.pop_back();
    }
  };
  extend();
}

// The mistakes that ICU's own IDNA finds in a label; it applies the rules itself.
class IdnaRulesTest : public testing::Test {
 protected:
  std::uint32_t MistakesIn(const std::u32string& label) const {
    UErrorCode error = U_ZERO_ERROR;
    icu::IDNAInfo info;
    icu::UnicodeString shown;
    idna_->labelToUnicode(
        icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(label.data()),
                                      static_cast<std::int32_t>(label.size())),
        shown, info, error);
    EXPECT_TRUE(U_SUCCESS(error));
    return info.getErrors();
  }

 private:
  UErrorCode error_ = U_ZERO_ERROR;
  std::unique_ptr<const icu::IDNA> idna_{icu::IDNA::createUTS46Instance(
      UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTO | UIDNA_NONTRANSITIONAL_TO_UNICODE, error_)};
};

// RFC 5893 section 2: one character of each direction that a label can have.
TEST_F(IdnaRulesTest, TheBidiRuleIsIcus) {
  // L, R, AL, AN, EN, ES, NSM, ON.
  const std::u32string alphabet = U"a\u05d0\u0627\u06621-\u05b4\u0f3a";
  int kept = 0, broken = 0;
  ForEveryText(alphabet, 4, [&](const std::u32string& text) {
    const std::uint32_t mistakes = MistakesIn(text);
    // ICU counts it as another mistake where the first is a mark.
    if ((mistakes & UIDNA_ERROR_LEADING_COMBINING_MARK) != 0) return;
    const bool by_icu = (mistakes & UIDNA_ERROR_BIDI) == 0;
    EXPECT_EQ(KeepsBidiRule(text), by_icu) << InWords(text);
    ++(by_icu ? kept : broken);
  });
  EXPECT_GT(kept, 500);
  EXPECT_GT(broken, 500);
  EXPECT_TRUE(KeepsBidiRule(U""));
  EXPECT_FALSE(KeepsBidiRule(U"\u05b4\u05d0")) << "a mark first";
  EXPECT_TRUE(KeepsBidiRule(U"\u05b4")) << "which is written in no direction";
}

// A mark of one of the context rules beside another one of the same script.
bool HasTwoMarks(const std::u32string& text) {
  const auto is_hebrew = [](char32_t c) { return c == U'\u05f3' || c == U'\u05f4'; };
  return std::adjacent_find(text.begin(), text.end(), [&](char32_t a, char32_t b) {
           return (is_hebrew(a) && is_hebrew(b)) || (a == U'\u0375' && b == U'\u0375');
         }) != text.end();
}

// RFC 5892 appendix A.3 to A.9. The appendix takes a mark for a letter of its script; we do not.
TEST_F(IdnaRulesTest, NoContextRuleIsWiderThanIcus) {
  const std::u32string alphabet =
      U"la\u00b7\u0375\u03b1\u05f3\u05f4\u05d0\u30fb\u30fc\u3042\u30a2\u4e00\u0661\u06f1";
  int kept = 0, broken = 0;
  ForEveryText(alphabet, 4, [&](const std::u32string& text) {
    const bool by_icu =
        (MistakesIn(text) & (UIDNA_ERROR_CONTEXTO_PUNCTUATION | UIDNA_ERROR_CONTEXTO_DIGITS)) == 0;
    const bool ours = KeepsContextRules(text);
    EXPECT_TRUE(by_icu || !ours) << InWords(text);
    EXPECT_TRUE(HasTwoMarks(text) || ours == by_icu) << InWords(text);
    ++(ours ? kept : broken);
  });
  EXPECT_GT(kept, 500);
  EXPECT_GT(broken, 500);
}

TEST_F(IdnaRulesTest, ContextRulesByExample) {
  for (const std::u32string& text :
       {std::u32string(), std::u32string(U"l\u00b7l"), std::u32string(U"L\u00b7L"),
        std::u32string(U"\u0375\u03b1"), std::u32string(U"\u05d0\u05f3"),
        std::u32string(U"\u05d0\u05f4\u05d1"), std::u32string(U"\u30fb\u3042"),
        std::u32string(U"\u30a2\u30fb"), std::u32string(U"\u4e00\u30fb"),
        std::u32string(U"\u0660\u0669"), std::u32string(U"\u06f0\u06f9")}) {
    EXPECT_TRUE(KeepsContextRules(text)) << InWords(text);
  }
  for (const std::u32string& text :
       {std::u32string(U"\u00b7"), std::u32string(U"l\u00b7"), std::u32string(U"\u00b7l"),
        std::u32string(U"l\u00b7a"), std::u32string(U"a\u00b7l"), std::u32string(U"\u0375"),
        std::u32string(U"\u0375a"), std::u32string(U"\u05f3"), std::u32string(U"a\u05f3"),
        std::u32string(U"\u05f4\u05d0"), std::u32string(U"\u30fb"), std::u32string(U"a\u30fb"),
        std::u32string(U"\u30fb\u30fb"), std::u32string(U"\u30fb\u30fc"),
        std::u32string(U"\u0375\u0345"), std::u32string(U"\u0660\u06f0"),
        std::u32string(U"\u06f9a\u0669")}) {
    EXPECT_FALSE(KeepsContextRules(text)) << InWords(text);
  }
}

}  // namespace
}  // namespace hourglass::ca
