// XML from anywhere as a tree with lines: no document type, no entity but the five that XML has
// itself, nothing from outside, and bounds for size, depth and number.
#ifndef HOURGLASS_TOOLS_XML_XML_TREE_H_
#define HOURGLASS_TOOLS_XML_XML_TREE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::profiles {

// What XML may be at most. A profile has some hundred elements, sixteen deep.
inline constexpr std::size_t kLargestXml = std::size_t{16} << 20;  // octets
inline constexpr std::size_t kDeepestXml = 64;                     // elements in each other
inline constexpr std::size_t kMostXmlElements = 50'000;

struct XmlAttribute {
  std::string name;  // local
  std::string name_space;
  std::string value;
};

struct XmlElement {
  std::string name;        // local, without prefix
  std::string name_space;  // empty where it has none
  int line = 0;            // of the end of its start tag, from 1
  std::vector<XmlAttribute> attributes;
  std::string text;   // its own, all pieces in order, not trimmed
  int text_line = 0;  // of the first character of `text` that is no blank; 0 where all are
  std::vector<std::unique_ptr<XmlElement>> children;
  const XmlElement* parent = nullptr;

  // The first child of this local name, in whatever namespace; null where there is none.
  const XmlElement* Child(absl::string_view child) const;
  // Down by these names; null where one is not there.
  const XmlElement* Find(std::initializer_list<absl::string_view> path) const;
  // Text without white space around it.
  absl::string_view Trimmed() const;
  // Of this local name; null where there is none.
  const XmlAttribute* Attribute(absl::string_view attribute) const;
};

enum class XmlFaultKind {
  kTooLarge,
  kTooDeep,
  kTooManyElements,
  kDocumentType,
  kUnboundPrefix,  // the only one beside which there is a tree
  kMalformed,
};

struct XmlFault {
  XmlFaultKind kind = XmlFaultKind::kMalformed;
  int line = 0;
  std::string message;
};

struct XmlReading {
  std::unique_ptr<XmlElement> root;  // null where a fault other than kUnboundPrefix is there
  std::vector<XmlFault> faults;      // in the order of the text
};

// `text` must be UTF-8; what its declaration says of the encoding does not count. Lines are counted
// from `first_line`. Loads nothing from anywhere. Several threads may call it.
XmlReading ReadXml(absl::string_view text, int first_line = 1);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_XML_XML_TREE_H_
