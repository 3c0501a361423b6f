#include "tools/profiles/xml_writer.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "ca/encoding/utf8.h"

namespace hourglass::profiles {

std::string EscapedText(absl::string_view text) {
  std::string escaped;
  const std::optional<std::u32string> characters = ca::CodePointsOf(text);
  for (const char32_t character : characters.value_or(U"")) {
    switch (character) {
      case U'&':
        escaped += "&amp;";
        break;
      case U'<':
        escaped += "&lt;";
        break;
      case U'>':
        escaped += "&gt;";
        break;
      case U'"':
        escaped += "&quot;";
        break;
      default:
        if (character < 0x80) {
          escaped += static_cast<char>(character);
        } else {
          absl::StrAppend(&escaped, "&#", static_cast<std::uint32_t>(character), ";");
        }
    }
  }
  return escaped;
}

void XmlWriter::Open(absl::string_view name, absl::string_view name_space,
                     absl::string_view attributes) {
  BeginLine();
  absl::StrAppend(&text_, "<", Tag(name, name_space, attributes), ">");
  EndLine();
  open_.push_back({std::string(name), std::string(name_space)});
}

void XmlWriter::Close() {
  const Opened element = open_.back();
  open_.pop_back();
  BeginLine();
  absl::StrAppend(&text_, "</", element.name, ">");
  EndLine();
}

void XmlWriter::Leaf(absl::string_view name, absl::string_view text, absl::string_view name_space) {
  BeginLine();
  absl::StrAppend(&text_, "<", Tag(name, name_space, ""), ">", EscapedText(text), "</", name, ">");
  EndLine();
}

void XmlWriter::Inner(absl::string_view name, absl::string_view text) {
  Leaf(name, text, NamespaceAround());
}

void XmlWriter::OpenInner(absl::string_view name, absl::string_view attributes) {
  Open(name, NamespaceAround(), attributes);
}

std::string XmlWriter::Tag(absl::string_view name, absl::string_view name_space,
                           absl::string_view attributes) const {
  std::string tag(name);
  if (name_space != NamespaceAround()) absl::StrAppend(&tag, " xmlns=\"", name_space, "\"");
  if (!attributes.empty()) absl::StrAppend(&tag, " ", attributes);
  return tag;
}

std::string XmlWriter::NamespaceAround() const {
  return open_.empty() ? "" : open_.back().name_space;
}

void XmlWriter::BeginLine() {
  if (layout_ == XmlLayout::kIndented) text_.append(2 * open_.size(), ' ');
}

void XmlWriter::EndLine() {
  if (layout_ == XmlLayout::kIndented) text_ += '\n';
}

}  // namespace hourglass::profiles
