#include "ca/text/code_points.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/str_format.h"

namespace hourglass::ca {
namespace {

UChar32 Icu(char32_t character) { return static_cast<UChar32>(character); }

icu::UnicodeString Utf16(absl::string_view text) {
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

std::uint32_t MaskOf(char32_t character) { return U_GET_GC_MASK(Icu(character)); }

constexpr char32_t kBrailleBlank = 0x2800;

// RFC 5892 section 2.6: allowed or forbidden whatever their category.
constexpr std::u32string_view kAllowed =
    U"\u00df\u03c2\u06fd\u06fe\u0f0b\u3007"
    U"\u00b7\u0375\u05f3\u05f4\u30fb";
constexpr std::u32string_view kForbidden =
    U"\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035"
    U"\u303b";

bool IsOneOf(std::u32string_view set, char32_t character) {
  return set.find(character) != std::u32string_view::npos;
}

// RFC 8264 section 9.17: it has another form under NFKC.
bool IsCompatibilityForm(char32_t character) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const nfkc = icu::Normalizer2::getNFKCInstance(error);
  return U_FAILURE(error) || !nfkc->isNormalized(icu::UnicodeString(Icu(character)), error) ||
         U_FAILURE(error);
}

bool IsOldHangul(char32_t character) {
  switch (u_getIntPropertyValue(Icu(character), UCHAR_HANGUL_SYLLABLE_TYPE)) {
    case U_HST_LEADING_JAMO:
    case U_HST_VOWEL_JAMO:
    case U_HST_TRAILING_JAMO:
      return true;
    default:
      return false;
  }
}

using Scripts = std::vector<UScriptCode>;

// The scripts that `character` is used in (Script_Extensions); none for what all share.
Scripts ScriptsOf(char32_t character) {
  Scripts scripts(64);
  UErrorCode error = U_ZERO_ERROR;
  const int count = uscript_getScriptExtensions(Icu(character), scripts.data(),
                                                static_cast<std::int32_t>(scripts.size()), &error);
  scripts.resize(U_SUCCESS(error) ? static_cast<std::size_t>(count) : 0);
  if (scripts.size() == 1 && (scripts[0] == USCRIPT_COMMON || scripts[0] == USCRIPT_INHERITED)) {
    scripts.clear();
  }
  return scripts;
}

bool Shares(const Scripts& a, const Scripts& b) {
  return std::any_of(a.begin(), a.end(), [&b](UScriptCode script) {
    return std::find(b.begin(), b.end(), script) != b.end();
  });
}

const Scripts kEastAsian[] = {
    {USCRIPT_LATIN, USCRIPT_HAN, USCRIPT_HIRAGANA, USCRIPT_KATAKANA},
    {USCRIPT_LATIN, USCRIPT_HAN, USCRIPT_BOPOMOFO},
    {USCRIPT_LATIN, USCRIPT_HAN, USCRIPT_HANGUL},
};

constexpr std::uint32_t Bit(UCharDirection direction) { return 1u << direction; }

constexpr std::uint32_t kRightToLeft = Bit(U_RIGHT_TO_LEFT) | Bit(U_RIGHT_TO_LEFT_ARABIC);
constexpr std::uint32_t kInRightToLeft = kRightToLeft | Bit(U_ARABIC_NUMBER) |
                                         Bit(U_EUROPEAN_NUMBER) | Bit(U_EUROPEAN_NUMBER_SEPARATOR) |
                                         Bit(U_COMMON_NUMBER_SEPARATOR) |
                                         Bit(U_EUROPEAN_NUMBER_TERMINATOR) | Bit(U_OTHER_NEUTRAL) |
                                         Bit(U_BOUNDARY_NEUTRAL) | Bit(U_DIR_NON_SPACING_MARK);
constexpr std::uint32_t kAtItsEnd = kRightToLeft | Bit(U_ARABIC_NUMBER) | Bit(U_EUROPEAN_NUMBER);

std::uint32_t DirectionOf(char32_t character) { return 1u << u_charDirection(Icu(character)); }

// Of this script itself (Script), which is what the context rules ask for, and not only used with
// it (Script_Extensions), as the long-vowel mark U+30FC is. Alphabetic, too: the punctuation that
// the rules are about is of such a script itself, so that by the script alone a row of geresh marks
// would keep them with a single letter in front.
bool IsOfScript(char32_t character, UScriptCode script) {
  UErrorCode error = U_ZERO_ERROR;
  return u_hasBinaryProperty(Icu(character), UCHAR_ALPHABETIC) != 0 &&
         uscript_getScript(Icu(character), &error) == script && U_SUCCESS(error);
}

bool IsBetween(char32_t character, char32_t first, char32_t last) {
  return character >= first && character <= last;
}

bool KeepsContextRule(const std::u32string& text, std::size_t i) {
  const char32_t before = i > 0 ? text[i - 1] : 0;
  const char32_t after = i + 1 < text.size() ? text[i + 1] : 0;
  switch (text[i]) {
    case 0xb7:
      return (before == U'l' || before == U'L') && (after == U'l' || after == U'L');
    case 0x375:
      return IsOfScript(after, USCRIPT_GREEK);
    case 0x5f3:
    case 0x5f4:
      return IsOfScript(before, USCRIPT_HEBREW);
    case 0x30fb:
      return std::any_of(text.begin(), text.end(), [](char32_t c) {
        return IsOfScript(c, USCRIPT_HIRAGANA) || IsOfScript(c, USCRIPT_KATAKANA) ||
               IsOfScript(c, USCRIPT_HAN);
      });
    default:
      return true;
  }
}

}  // namespace

std::string CodePointInWords(char32_t character) {
  return absl::StrFormat("U+%04X", static_cast<std::uint32_t>(character));
}

absl::string_view FaultOfCharacter(char32_t character) {
  const std::uint32_t mask = MaskOf(character);
  if (character > 0x10ffff || (mask & U_GC_CS_MASK) != 0) return "a surrogate";
  if ((mask & U_GC_CC_MASK) != 0) return "a control character";
  if ((mask & U_GC_CF_MASK) != 0) return "a format character";
  if ((mask & (U_GC_ZL_MASK | U_GC_ZP_MASK)) != 0) return "a line separator";
  if ((mask & U_GC_ZS_MASK) != 0 && character != U' ') return "white space";
  if (u_hasBinaryProperty(Icu(character), UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0 ||
      character == kBrailleBlank) {
    return "not seen";
  }
  if (u_hasBinaryProperty(Icu(character), UCHAR_NONCHARACTER_CODE_POINT) != 0) {
    return "not a character";
  }
  if ((mask & U_GC_CO_MASK) != 0) return "for private use";
  if ((mask & U_GC_CN_MASK) != 0) return "not assigned";
  return "";
}

absl::string_view FaultOfIdentifierCharacter(char32_t character) {
  const absl::string_view fault = FaultOfCharacter(character);
  if (!fault.empty()) return fault;
  if (IsOneOf(kForbidden, character)) return "not for names";
  if (IsOneOf(kAllowed, character)) return "";
  if (IsOldHangul(character)) return "a part of a syllable";
  if (IsCompatibilityForm(character)) return "another form of a common character";
  constexpr std::uint32_t kLetterDigits = U_GC_LL_MASK | U_GC_LU_MASK | U_GC_LO_MASK |
                                          U_GC_ND_MASK | U_GC_LM_MASK | U_GC_MN_MASK | U_GC_MC_MASK;
  return (MaskOf(character) & kLetterDigits) != 0 ? "" : "neither a letter nor a digit";
}

bool IsMark(char32_t character) { return (MaskOf(character) & U_GC_M_MASK) != 0; }

bool IsOfWord(char32_t character) {
  return (MaskOf(character) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0;
}

bool IsNormalized(absl::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(error);
  if (U_FAILURE(error)) return false;
  const bool is_normalized = nfc->isNormalized(Utf16(text), error) != 0;
  return is_normalized && U_SUCCESS(error);
}

bool IsOfOneScript(const std::u32string& text) {
  std::vector<Scripts> used;
  for (const char32_t character : text) {
    Scripts scripts = ScriptsOf(character);
    if (!scripts.empty()) used.push_back(std::move(scripts));
  }
  if (used.empty()) return true;
  std::vector<Scripts> candidates(std::begin(kEastAsian), std::end(kEastAsian));
  for (const UScriptCode script : used[0]) candidates.push_back({script});
  return std::any_of(candidates.begin(), candidates.end(), [&used](const Scripts& candidate) {
    return std::all_of(used.begin(), used.end(),
                       [&candidate](const Scripts& scripts) { return Shares(scripts, candidate); });
  });
}

bool KeepsBidiRule(const std::u32string& text) {
  std::uint32_t all = 0;
  for (const char32_t character : text) all |= DirectionOf(character);
  if ((all & (kRightToLeft | Bit(U_ARABIC_NUMBER))) == 0) return true;
  if ((DirectionOf(text.front()) & kRightToLeft) == 0 || (all & ~kInRightToLeft) != 0 ||
      ((all & Bit(U_ARABIC_NUMBER)) != 0 && (all & Bit(U_EUROPEAN_NUMBER)) != 0)) {
    return false;
  }
  const auto last = std::find_if(text.rbegin(), text.rend(), [](char32_t character) {
    return DirectionOf(character) != Bit(U_DIR_NON_SPACING_MARK);
  });
  return last != text.rend() && (DirectionOf(*last) & kAtItsEnd) != 0;
}

bool KeepsContextRules(const std::u32string& text) {
  bool arabic = false, extended = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!KeepsContextRule(text, i)) return false;
    arabic |= IsBetween(text[i], 0x660, 0x669);
    extended |= IsBetween(text[i], 0x6f0, 0x6f9);
  }
  return !(arabic && extended);
}

std::string CaseFolded(absl::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  if (U_FAILURE(error)) return std::string(text);
  const icu::UnicodeString folded = fold->normalize(Utf16(text), error);
  if (U_FAILURE(error)) return std::string(text);
  std::string utf8;
  folded.toUTF8String(utf8);
  return utf8;
}

}  // namespace hourglass::ca
