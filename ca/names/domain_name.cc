#include "ca/names/domain_name.h"

#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/utf8.h"
#include "ca/text/code_points.h"

namespace hourglass::ca {
namespace {

constexpr std::size_t kMaxLabelSize = 63;
constexpr absl::string_view kAcePrefix = "xn--";

using Fault = std::optional<std::string>;

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

bool IsALabel(absl::string_view label) { return absl::StartsWithIgnoreCase(label, kAcePrefix); }

icu::StringPiece Piece(absl::string_view text) {
  return icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()));
}

const icu::IDNA* Idna() {
  static const std::unique_ptr<const icu::IDNA> idna = [] {
    UErrorCode error = U_ZERO_ERROR;
    return std::unique_ptr<const icu::IDNA>(icu::IDNA::createUTS46Instance(
        UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_CHECK_CONTEXTO |
            UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
        error));
  }();
  return idna.get();
}

// Empty where IDNA finds a mistake.
std::optional<std::string> ToALabels(absl::string_view domain) {
  UErrorCode error = U_ZERO_ERROR;
  icu::IDNAInfo info;
  std::string ascii;
  icu::StringByteSink<std::string> sink(&ascii);
  if (Idna() == nullptr) return std::nullopt;
  Idna()->nameToASCII_UTF8(Piece(domain), sink, info, error);
  if (U_FAILURE(error) || info.hasErrors()) return std::nullopt;
  return ascii;
}

std::optional<std::string> ToULabels(absl::string_view domain) {
  UErrorCode error = U_ZERO_ERROR;
  icu::IDNAInfo info;
  std::string text;
  icu::StringByteSink<std::string> sink(&text);
  if (Idna() == nullptr) return std::nullopt;
  Idna()->nameToUnicodeUTF8(Piece(domain), sink, info, error);
  if (U_FAILURE(error) || info.hasErrors()) return std::nullopt;
  return text;
}

std::string LowerCase(absl::string_view text) {
  std::string lower;
  icu::UnicodeString::fromUTF8(Piece(text)).toLower(icu::Locale::getRoot()).toUTF8String(lower);
  return lower;
}

Fault FaultInAsciiLabel(absl::string_view label) {
  if (label.empty()) return "has an empty label";
  if (label.size() > kMaxLabelSize) return "has a label of more than 63 octets";
  for (const char c : label) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-') continue;
    return absl::StrCat("has ", CodePointInWords(static_cast<unsigned char>(c)),
                        ", which no domain may have");
  }
  if (label.front() == '-' || label.back() == '-') return "has a hyphen at an end of a label";
  if (label.size() >= 4 && label[2] == '-' && label[3] == '-' && !IsALabel(label)) {
    return "has two hyphens where an A-label has them";
  }
  return std::nullopt;
}

// Of a U-label, or of what an A-label stands for.
Fault FaultInULabel(absl::string_view label) {
  const std::optional<std::u32string> text = CodePointsOf(label);
  if (!text.has_value()) return "is not UTF-8";
  for (const char32_t c : *text) {
    const absl::string_view fault = c < 0x80 ? "" : FaultOfIdentifierCharacter(c);
    if (!fault.empty()) return absl::StrCat("has ", CodePointInWords(c), ", which is ", fault);
  }
  if (!IsOfOneScript(*text)) {
    return "has a label of letters of several scripts, which look alike";
  }
  return std::nullopt;
}

// Of a domain with A-labels or U-labels.
Fault FaultInInternationalDomain(absl::string_view domain) {
  const std::string lower = LowerCase(domain);
  if (!ToALabels(lower).has_value()) return "is not what IDNA wants";
  const std::optional<std::string> unicode = ToULabels(lower);
  if (!unicode.has_value()) return "is not what IDNA wants";
  const std::vector<std::string> written = absl::StrSplit(lower, '.');
  const std::vector<std::string> shown = absl::StrSplit(*unicode, '.');
  if (written.size() != shown.size()) return "is not what IDNA wants";
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (!IsALabel(written[i]) && written[i] != shown[i]) {
      return "has a label that IDNA writes in another way";
    }
    const Fault fault = FaultInULabel(shown[i]);
    if (fault.has_value()) return fault;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FaultInDomain(absl::string_view domain) {
  if (domain.size() > kMaxDomainSize) {
    return absl::StrCat("has more than ", kMaxDomainSize, " octets");
  }
  bool is_plain = true;
  for (const absl::string_view label : absl::StrSplit(domain, '.')) {
    const Fault fault = IsAscii(label) ? FaultInAsciiLabel(label) : FaultInULabel(label);
    if (fault.has_value()) return fault;
    is_plain = is_plain && IsAscii(label) && !IsALabel(label);
  }
  return is_plain ? std::nullopt : FaultInInternationalDomain(domain);
}

std::string FoldedDomain(absl::string_view domain) {
  if (IsAscii(domain)) return absl::AsciiStrToLower(absl::StripAsciiWhitespace(domain));
  const std::optional<std::string> ascii = ToALabels(domain);
  if (ascii.has_value()) return *ascii;
  std::string folded = DecodeUtf8(domain).has_value() ? CaseFolded(domain) : std::string(domain);
  absl::StripAsciiWhitespace(&folded);
  // Without what is not seen it may be a domain.
  return ToALabels(folded).value_or(folded);
}

}  // namespace hourglass::ca
