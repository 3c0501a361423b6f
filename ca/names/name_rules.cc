#include "ca/names/name_rules.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/utf8.h"
#include "ca/names/domain_name.h"
#include "ca/text/code_points.h"

namespace hourglass::ca {
namespace {

// Not in a local part: the special characters of addresses (RFC 5322 section 3.2.3), of LDAP
// filters (RFC 4515 section 3) and distinguished names (RFC 4514 section 2.4), of realms written in
// front, and of paths and templates. Not in an id: what ends or widens a filter or a name.
constexpr absl::string_view kNotInLocalParts = "\"%()*,/:;<=>?@[\\]`{|}";
constexpr absl::string_view kNotInIds = "\"()*,;<>\\`|";

// Whether a character of ASCII is graphic and not of `refused`.
constexpr std::array<bool, 128> PlainCharacters(absl::string_view refused) {
  std::array<bool, 128> plain = {};
  for (std::size_t c = 0x21; c < 0x7f; ++c) plain[c] = true;
  for (const char c : refused) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}

constexpr std::array<bool, 128> kPlainInLocalParts = PlainCharacters(kNotInLocalParts);
constexpr std::array<bool, 128> kPlainInIds = PlainCharacters(kNotInIds);

bool AllPlain(absl::string_view text, const std::array<bool, 128>& plain) {
  return std::all_of(text.begin(), text.end(),
                     [&plain](unsigned char c) { return c < 0x80 && plain[c]; });
}

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

std::string Has(char32_t character, absl::string_view what) {
  return absl::StrCat("has ", CodePointInWords(character), ", which ", what);
}

std::string OfAscii(char32_t character) {
  if (character == U' ') return Has(character, "is white space");
  const absl::string_view fault = FaultOfCharacter(character);
  if (!fault.empty()) return Has(character, absl::StrCat("is ", fault));
  return absl::StrCat("has ", CodePointInWords(character), " (",
                      std::string(1, static_cast<char>(character)),
                      "), which means something else to those who look users up");
}

// What all names have in common but for scripts.
std::optional<std::string> FaultInText(absl::string_view text, const std::u32string& characters) {
  for (const char32_t character : characters) {
    const absl::string_view fault = FaultOfCharacter(character);
    if (!fault.empty()) return Has(character, absl::StrCat("is ", fault));
  }
  if (!characters.empty() && IsMark(characters.front())) {
    return Has(characters.front(), "joins what stands before it, and is first");
  }
  if (!IsNormalized(text)) return "is not in Normalization Form C";
  return std::nullopt;
}

std::optional<std::string> FaultInLocalPart(absl::string_view text) {
  if (AllPlain(text, kPlainInLocalParts)) return std::nullopt;
  const std::optional<std::u32string> characters = CodePointsOf(text);
  if (!characters.has_value()) return "is not UTF-8";
  for (const char32_t character : *characters) {
    if (character < 0x80) {
      if (!kPlainInLocalParts[character]) return OfAscii(character);
      continue;
    }
    const absl::string_view fault = FaultOfIdentifierCharacter(character);
    if (!fault.empty()) return Has(character, absl::StrCat("is ", fault));
  }
  const std::optional<std::string> fault = FaultInText(text, *characters);
  if (fault.has_value()) return fault;
  if (!IsOfOneScript(*characters)) {
    return "has letters of several scripts before the @, which look alike";
  }
  if (!KeepsBidiRule(*characters)) return "has text of both directions before the @";
  if (!KeepsContextRules(*characters)) return "has a character out of its place before the @";
  return std::nullopt;
}

// The words of a name that people read are looked at one by one: a name may have a Latin and a
// Greek word, but no word may be of both.
bool WordsAreOfOneScript(const std::u32string& characters) {
  std::u32string word;
  for (const char32_t character : characters + U' ') {
    if (IsOfWord(character)) {
      word += character;
      continue;
    }
    if (!IsOfOneScript(word)) return false;
    word.clear();
  }
  return true;
}

std::string FoldedOnce(absl::string_view upn) {
  const std::size_t at = upn.rfind('@');
  const absl::string_view local = upn.substr(0, at);
  std::string folded = DecodeUtf8(local).has_value() ? CaseFolded(local) : std::string(local);
  absl::StripLeadingAsciiWhitespace(&folded);
  if (at != absl::string_view::npos) {
    absl::StrAppend(&folded, "@", FoldedDomain(upn.substr(at + 1)));
  } else {
    absl::StripTrailingAsciiWhitespace(&folded);
  }
  return folded;
}

}  // namespace

std::optional<std::string> FaultInUpn(absl::string_view upn) {
  if (upn.size() < kMinUpnSize || upn.size() > kMaxUpnSize) {
    return absl::StrCat("must have ", kMinUpnSize, " to ", kMaxUpnSize, " octets");
  }
  if (std::count(upn.begin(), upn.end(), '@') != 1 || upn.front() == '@' || upn.back() == '@') {
    return "must be local@domain with exactly one @ and something on both sides";
  }
  const std::size_t at = upn.find('@');
  std::optional<std::string> fault = FaultInLocalPart(upn.substr(0, at));
  if (fault.has_value()) return fault;
  fault = FaultInDomain(upn.substr(at + 1));
  if (fault.has_value()) return absl::StrCat("has a domain that ", *fault);
  return std::nullopt;
}

std::optional<std::string> FaultInId(absl::string_view id) {
  if (AllPlain(id, kPlainInIds)) return std::nullopt;
  if (!IsAscii(id)) return "may hold only printable ASCII characters and no space";
  const auto found = std::find_if(
      id.begin(), id.end(), [](char c) { return !kPlainInIds[static_cast<unsigned char>(c)]; });
  return OfAscii(static_cast<char32_t>(*found));
}

std::optional<std::string> FaultInDisplayName(absl::string_view name) {
  if (name.empty()) return "is empty";
  const std::optional<std::u32string> characters = CodePointsOf(name);
  if (!characters.has_value()) return "is not UTF-8";
  if (characters->front() == U' ' || characters->back() == U' ') return "has a space at an end";
  if (characters->find(U"  ") != std::u32string::npos) return "has two spaces together";
  const std::optional<std::string> fault = FaultInText(name, *characters);
  if (fault.has_value()) return fault;
  if (!WordsAreOfOneScript(*characters)) {
    return "has a word of letters of several scripts, which look alike";
  }
  return std::nullopt;
}

std::string FoldedUpn(absl::string_view upn) {
  if (IsAscii(upn)) return absl::AsciiStrToLower(absl::StripAsciiWhitespace(upn));
  std::string folded = FoldedOnce(upn);
  // A character may become an @, and what follows it a domain.
  for (std::string again = FoldedOnce(folded); again != folded; again = FoldedOnce(folded)) {
    folded = std::move(again);
  }
  return folded;
}

}  // namespace hourglass::ca
