#include "ca/text/code_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <locale.h>
#include <unicode/uchar.h>
#include <wchar.h>
#include <wctype.h>

#include <string>

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

}  // namespace
}  // namespace hourglass::ca
