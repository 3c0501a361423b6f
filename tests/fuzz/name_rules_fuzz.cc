// What the rules for names accept has nothing of what they are there to keep out, told by lists of
// this file's own; and folding, by which the journal is searched, comes to rest at once and does
// not know case.
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "ca/names/domain_name.h"
#include "ca/names/name_rules.h"
#include "ca/text/visible_text.h"

namespace hourglass::ca {
namespace {

void Require(bool holds, const char* what, absl::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", what, absl::CHexEscape(text).c_str());
  std::abort();
}

// Of a text that is UTF-8, without a look at whether it is.
char32_t TakeCharacter(absl::string_view* text) {
  const auto first = static_cast<unsigned char>((*text)[0]);
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  Require(size <= text->size(), "cut UTF-8 was accepted", *text);
  char32_t character = size == 1 ? first : first & (0x7f >> size);
  for (std::size_t i = 1; i < size; ++i) {
    character = character << 6 | (static_cast<unsigned char>((*text)[i]) & 0x3f);
  }
  text->remove_prefix(size);
  return character;
}

struct Range {
  char32_t first, last;
};

// Controls, invisible and blank characters, marks of direction, tags, private use.
constexpr Range kNeverAccepted[] = {
    {0, 0x1f},          {0x7f, 0xa0},        {0xad, 0xad},       {0x34f, 0x34f},
    {0x61c, 0x61c},     {0x115f, 0x1160},    {0x1680, 0x1680},   {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x2000, 0x200f},    {0x2028, 0x202f},   {0x205f, 0x206f},
    {0x2800, 0x2800},   {0x3000, 0x3000},    {0x3164, 0x3164},   {0xd800, 0xf8ff},
    {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},   {0xfffe, 0xffff},    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

void CheckCharacters(absl::string_view accepted) {
  for (absl::string_view rest = accepted; !rest.empty();) {
    const char32_t character = TakeCharacter(&rest);
    for (const Range& range : kNeverAccepted) {
      Require(character < range.first || character > range.last, "was accepted", accepted);
    }
    Require(character <= 0x10ffff && (character & 0xfffe) != 0xfffe, "was accepted", accepted);
  }
  Require(VisibleText(accepted) == accepted, "what was accepted is escaped", accepted);
}

std::string WithOtherCase(absl::string_view text) {
  std::string other(text);
  for (char& c : other) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x80)
      c = static_cast<char>(std::isupper(octet) ? std::tolower(octet) : std::toupper(octet));
  }
  return other;
}

void CheckUpn(absl::string_view upn) {
  const std::string folded = FoldedUpn(upn);
  Require(FoldedUpn(folded) == folded, "folding changes what it made", upn);
  if (FaultInUpn(upn).has_value()) return;
  CheckCharacters(upn);
  const std::string other = WithOtherCase(upn);
  Require(FoldedUpn(other) == folded, "folding knows case", upn);
  Require(!FaultInUpn(other).has_value(), "is accepted in one case only", upn);
  const std::size_t at = upn.find('@');
  Require(at != 0 && at + 1 < upn.size() && upn.find('@', at + 1) == absl::string_view::npos,
          "not exactly one @", upn);
  Require(upn.find_first_of(" \"()*,/:;<>[\\]|") == absl::string_view::npos, "syntax was accepted",
          upn);
  // What the journal and upn_domains compare is a domain too.
  const std::string domain = FoldedDomain(upn.substr(at + 1));
  Require(!FaultInDomain(domain).has_value(), "the folded domain is none", upn);
  for (const char c : domain) {
    Require(std::islower(static_cast<unsigned char>(c)) ||
                std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '.',
            "the folded domain is not of A-labels", upn);
  }
}

}  // namespace
}  // namespace hourglass::ca

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hourglass::ca;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  CheckUpn(text);
  if (!FaultInDisplayName(text).has_value()) CheckCharacters(text);
  if (!FaultInId(text).has_value()) CheckCharacters(text);
  const std::string visible = VisibleText(text);
  Require(VisibleText(visible) == visible, "escaping is not enough at once", text);
  return 0;
}
