// XML of unknown making, read into a tree: no document type, no entity but the five that XML has
// itself, nothing from outside, bounded in size, depth and number.
#ifndef HOURGLASS_TOOLS_DOCTOR_XML_DOCUMENT_H_
#define HOURGLASS_TOOLS_DOCTOR_XML_DOCUMENT_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::doctor {

// What an XML file may be at most.
inline constexpr std::size_t kLargestXml = std::size_t{16} << 20;  // octets
inline constexpr int kDeepestXml = 64;                             // elements in each other
inline constexpr int kMostXmlElements = 200'000;

struct XmlElement {
  std::string name;  // local name, without prefix
  std::string name_space;
  std::map<std::string, std::string> attributes;  // by local name
  std::string text;                               // its own, of all its pieces, not trimmed
  int line = 0;                                   // of its start, from 1
  std::vector<XmlElement> children;

  // The first child of this name; null where there is none.
  const XmlElement* Child(absl::string_view child) const;
  // Down by these names; null where one is not there.
  const XmlElement* Descendant(std::initializer_list<absl::string_view> path) const;
  // The text without white space around it.
  absl::string_view TrimmedText() const;
  // Of `attribute`, or "".
  absl::string_view Attribute(absl::string_view attribute) const;
};

// The document's element. UTF-8 with and without byte order mark, or UTF-16 of either order, told
// by its mark or by its NULs; what the declaration says of the encoding does not count. Errors:
// FIELD_INVALID without a field, with the line where there is one: a document type, too large, too
// deep, too many elements, not well-formed, or in another encoding. Several threads may call it.
absl::StatusOr<XmlElement> ParseXml(absl::string_view octets);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_XML_DOCUMENT_H_
