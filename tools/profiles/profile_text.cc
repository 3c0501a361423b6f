#include "tools/profiles/profile_text.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::profiles {
namespace {

// A profile has some hundred elements, sixteen deep.
constexpr xml::Limits kLimits = {.elements = 50'000};

// Text and the line of the file that it begins in.
struct Passage {
  std::string text;
  int line = 1;
};

absl::Status Refused(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

int LinesIn(absl::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

bool IsInvisible(char32_t character) {
  return character == 0xa0 || character == 0xad || character == 0xfeff || character == 0x2060 ||
         (character >= 0x200b && character <= 0x200f) ||
         (character >= 0x202a && character <= 0x202e);
}

// One finding a line.
void CheckCharacters(absl::string_view text, Report& report) {
  int line = 0;
  for (const absl::string_view piece : absl::StrSplit(text, '\n')) {
    ++line;
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(piece.begin(), piece.end(), is_ascii)) continue;
    const std::optional<std::u32string> characters = ca::CodePointsOf(piece);
    const auto found = std::find_if(characters->begin(), characters->end(), IsInvisible);
    if (found == characters->end()) continue;
    report.Add(kInvisibleCharacter, line,
               absl::StrFormat("U+%04X in column %d", static_cast<unsigned>(*found),
                               found - characters->begin() + 1));
  }
}

std::string Unescaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&lt;", "<"},
                                    {"&gt;", ">"},
                                    {"&quot;", "\""},
                                    {"&apos;", "'"},
                                    {"&#39;", "'"},
                                    {"&#x27;", "'"},
                                    {"&amp;", "&"}});
}

bool IsEscapedXml(absl::string_view text) {
  return absl::StartsWith(text, "&lt;") || absl::StartsWith(text, "&amp;lt;");
}

// Takes escaping away that a whole value has.
void Unescape(Passage& passage, Report& report) {
  if (!IsEscapedXml(passage.text)) return;
  report.Add(kEscaped, passage.line, "the profile is escaped, as a value of another XML");
  passage.text = Unescaped(passage.text);
  if (!IsEscapedXml(passage.text)) return;
  report.Add(kEscapedTwice, passage.line, "the profile is escaped more than once");
  passage.text = Unescaped(passage.text);
}

// Makes blanks of the hyphens of a tree view: `-<VPNProfile>`, `- <NativeProfile>`.
void MendTree(Passage& passage, Report& report) {
  std::vector<std::string> lines = absl::StrSplit(passage.text, '\n');
  bool is_told = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t first = lines[i].find_first_not_of(" \t");
    if (first == std::string::npos || lines[i][first] != '-') continue;
    const std::size_t next = lines[i].find_first_not_of(" \t", first + 1);
    if (next == std::string::npos || lines[i][next] != '<') continue;
    lines[i][first] = ' ';
    if (!is_told) {
      report.Add(kPastedTree, passage.line + static_cast<int>(i), "a `-` stands before elements");
    }
    is_told = true;
  }
  if (is_told) passage.text = absl::StrJoin(lines, "\n");
}

bool IsNameCharacter(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

// Beyond so many it is no slip of the pen, and mending them takes long.
constexpr int kMostLostBlanks = 50;

// Puts back the blanks that `EapHostConfigxmlns=` lacks, and takes away the one of `xml ns=`.
void MendNamespaces(Passage& passage, Report& report) {
  int told = 0;
  const auto tell = [&](std::size_t at) {
    ++told;
    const std::size_t begin = passage.text.rfind('<', at);
    const std::size_t from = begin == std::string::npos ? at : begin;
    report.Add(
        kLostBlank, passage.line + LinesIn(absl::string_view(passage.text).substr(0, at)),
        absl::StrCat(passage.text.substr(from, std::min<std::size_t>(at + 6 - from, 60)), "…"));
  };
  std::size_t at = 0;
  while (told < kMostLostBlanks && (at = passage.text.find("xml ns=", at)) != std::string::npos) {
    tell(at);
    passage.text.erase(at + 3, 1);
  }
  at = 1;
  while (told < kMostLostBlanks && (at = passage.text.find("xmlns=", at)) != std::string::npos) {
    if (IsNameCharacter(passage.text[at - 1])) {
      tell(at);
      passage.text.insert(at, 1, ' ');
      ++at;
    }
    at += 1;
  }
}

// The part of a text that is no XML itself from the first tag of a profile to the last.
std::optional<Passage> Cut(const Passage& passage, absl::string_view open,
                           absl::string_view close) {
  const absl::string_view text = passage.text;
  const std::size_t begin = text.find(open);
  if (begin == absl::string_view::npos) return std::nullopt;
  const std::size_t end = text.rfind(close);
  const std::size_t size = end == absl::string_view::npos || end < begin
                               ? text.size() - begin
                               : end + close.size() - begin;
  return Passage{std::string(text.substr(begin, size)),
                 passage.line + LinesIn(text.substr(0, begin))};
}

// What of a text that does not begin with an element is the profile.
std::optional<Passage> FindInText(const Passage& passage) {
  constexpr std::pair<absl::string_view, absl::string_view> kTags[] = {
      {"<VPNProfile", "</VPNProfile>"},
      {"&lt;VPNProfile", "&lt;/VPNProfile&gt;"},
      {"<EapHostConfig", "</EapHostConfig>"}};
  for (const auto& [open, close] : kTags) {
    if (std::optional<Passage> found = Cut(passage, open, close)) return found;
  }
  return std::nullopt;
}

bool LooksLikeScript(absl::string_view text) {
  return absl::StartsWith(text, "<#") || absl::StrContains(text, "@'") ||
         absl::StrContains(text, "@\"") || absl::StrContains(text, "$");
}

class Reader {
 public:
  explicit Reader(Report& report) : report_(report) {}

  // Of text that begins with an element.
  absl::Status ReadDocument(Passage passage) {
    MendNamespaces(passage, report_);
    ASSIGN_OR_RETURN(std::unique_ptr<xml::Element> root, Parse(passage));
    if (root == nullptr) return absl::OkStatus();
    xml::Element& document = *root;
    found_.documents.push_back(std::move(root));
    return Collect(document, 0);
  }

  ProfileDocuments Take() { return std::move(found_); }
  bool has_roots() const { return !found_.roots.empty(); }
  bool is_malformed() const { return is_malformed_; }

 private:
  absl::StatusOr<std::unique_ptr<xml::Element>> Parse(const Passage& passage) {
    xml::Reading reading = xml::Read(passage.text, passage.line, kLimits);
    for (const xml::Fault& fault : reading.faults) {
      switch (fault.kind) {
        case xml::FaultKind::kUnboundPrefix:
          report_.Add(kUnboundPrefix, fault.line, fault.message);
          break;
        case xml::FaultKind::kMalformed:
          report_.Add(kNotWellFormed, fault.line, fault.message);
          is_malformed_ = true;
          break;
        case xml::FaultKind::kDocumentType:
          return Refused(absl::StrCat("line ", fault.line, ": ", fault.message,
                                      ", which no profile has: nothing in it is looked at"));
        default:
          return Refused(absl::StrCat("line ", fault.line, ": ", fault.message,
                                      ": that is no profile, and nothing in it is looked at"));
      }
    }
    return std::move(reading.root);
  }

  // Profiles in `element`: itself, below it, or in its text. Of text within text one more level.
  absl::Status Collect(xml::Element& element, int level) {
    const bool is_configuration = element.name == "EapHostConfig" && element.parent == nullptr;
    if (element.name == "VPNProfile" || is_configuration) {
      found_.roots.push_back(&element);
      return element.name == "VPNProfile" ? ReadEscapedEap(element) : absl::OkStatus();
    }
    if (absl::EqualsIgnoreCase(element.name, "LocURI") ||
        absl::EqualsIgnoreCase(element.name, "omaUri")) {
      CheckOmaUri(element.text, element.line, report_);
    }
    const absl::string_view text = element.Trimmed();
    if (level < 2 && element.children.empty() &&
        (absl::StartsWith(text, "<VPNProfile") || IsEscapedXml(text))) {
      Passage inner{std::string(text), std::max(element.text_line, 1)};
      if (IsEscapedXml(inner.text)) {
        report_.Add(kEscapedTwice, inner.line, "the profile is escaped more than once");
        inner.text = Unescaped(inner.text);
      }
      ASSIGN_OR_RETURN(std::unique_ptr<xml::Element> root, Parse(inner));
      if (root == nullptr) return absl::OkStatus();
      xml::Element& document = *root;
      found_.documents.push_back(std::move(root));
      return Collect(document, level + 1);
    }
    for (const auto& child : element.children) RETURN_IF_ERROR(Collect(*child, level));
    return absl::OkStatus();
  }

  // An EAP configuration may stand escaped inside Configuration; it is put in the text's place.
  absl::Status ReadEscapedEap(xml::Element& profile) {
    auto* configuration = const_cast<xml::Element*>(
        profile.Find({"NativeProfile", "Authentication", "Eap", "Configuration"}));
    if (configuration == nullptr || !configuration->children.empty()) return absl::OkStatus();
    if (!absl::StartsWith(configuration->Trimmed(), "<EapHostConfig")) return absl::OkStatus();
    const Passage inner{std::string(configuration->Trimmed()), configuration->text_line};
    report_.Add(kEscaped, inner.line, "the EAP configuration is escaped inside Configuration");
    ASSIGN_OR_RETURN(std::unique_ptr<xml::Element> root, Parse(inner));
    if (root == nullptr) return absl::OkStatus();
    root->parent = configuration;
    configuration->text.clear();
    configuration->text_line = 0;
    configuration->children.push_back(std::move(root));
    return absl::OkStatus();
  }

  Report& report_;
  ProfileDocuments found_;
  bool is_malformed_ = false;
};

}  // namespace

absl::StatusOr<ProfileDocuments> ReadProfiles(absl::string_view octets, Report& report) {
  ASSIGN_OR_RETURN(const std::string text, xml::DecodeFile(octets, kLimits));
  if (absl::StartsWith(octets, "\xef\xbb\xbf")) {
    report.Add(kByteOrderMark, 1, "the file begins with a byte order mark (U+FEFF)");
  }
  CheckCharacters(text, report);
  const absl::string_view content = absl::StripLeadingAsciiWhitespace(text);
  Passage passage{std::string(absl::StripTrailingAsciiWhitespace(content)),
                  1 + LinesIn(absl::string_view(text).substr(0, text.size() - content.size()))};
  MendTree(passage, report);
  passage.text = std::string(absl::StripTrailingAsciiWhitespace(passage.text));
  Unescape(passage, report);
  const int line = passage.line;
  const absl::string_view start = absl::StripLeadingAsciiWhitespace(passage.text);
  Reader reader(report);
  if (absl::StartsWith(start, "<") && !absl::StartsWith(start, "<#")) {
    RETURN_IF_ERROR(reader.ReadDocument(std::move(passage)));
  } else if (std::optional<Passage> inside = FindInText(passage)) {
    if (!LooksLikeScript(passage.text)) {
      report.Add(kTextAround, line, "text stands before the profile");
    }
    Unescape(*inside, report);
    RETURN_IF_ERROR(reader.ReadDocument(*std::move(inside)));
  }
  if (!reader.has_roots() && !reader.is_malformed()) {
    report.Add(kNotAProfile, line, "there is no VPNProfile and no EapHostConfig in it");
  }
  return reader.Take();
}

void CheckOmaUri(absl::string_view uri, int line, Report& report) {
  const std::vector<absl::string_view> parts = absl::StrSplit(uri, '/');
  const bool fits =
      parts.size() == 7 && parts[0] == "." && (parts[1] == "User" || parts[1] == "Device") &&
      parts[2] == "Vendor" && parts[3] == "MSFT" && parts[4] == "VPNv2" && !parts[5].empty() &&
      parts[6] == "ProfileXML" && uri.find_first_of(" \t\r\n") == absl::string_view::npos;
  if (!fits) report.Add(kOmaUri, line, absl::StrCat("the OMA-URI is \"", uri.substr(0, 200), "\""));
}

}  // namespace hourglass::profiles
