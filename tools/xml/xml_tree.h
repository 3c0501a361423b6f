// XML of unknown making as a tree with lines: no document type, no entity but the five that XML has
// itself, nothing from outside, and bounds for size, depth and number. What it says of a fault
// quotes nothing of the file, which may hold secrets.
#ifndef HOURGLASS_TOOLS_XML_XML_TREE_H_
#define HOURGLASS_TOOLS_XML_XML_TREE_H_

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::xml {

// What XML may be at most.
struct Limits {
  std::size_t mebibytes = 16;      // of octets, at most 1024
  std::size_t depth = 64;          // elements in each other
  std::size_t elements = 200'000;  // of all names
};

struct Attribute {
  std::string name;  // local, without prefix
  std::string name_space;
  std::string value;
};

struct Element {
  std::string name;        // local, without prefix
  std::string name_space;  // empty where it has none
  int line = 0;            // of the end of its start tag, from 1
  std::vector<Attribute> attributes;
  std::string text;   // its own, all pieces in order, not trimmed
  int text_line = 0;  // of the first character of `text` that is no blank; 0 where all are
  std::vector<std::unique_ptr<Element>> children;
  const Element* parent = nullptr;

  // The first child of this local name, in whatever namespace; null where there is none.
  const Element* Child(absl::string_view child) const;
  // Down by these names; null where one is not there.
  const Element* Find(std::initializer_list<absl::string_view> path) const;
  // Text without white space around it.
  absl::string_view Trimmed() const;
  // Of this local name; null where there is none.
  const Attribute* FindAttribute(absl::string_view attribute) const;
  // The value of the attribute of this local name, or `otherwise`.
  absl::string_view AttributeOr(absl::string_view attribute, absl::string_view otherwise) const;
};

enum class FaultKind {
  kTooLarge,
  kTooDeep,
  kTooManyElements,
  kDocumentType,
  kUnboundPrefix,  // the only one beside which there is a tree
  kMalformed,
};

struct Fault {
  FaultKind kind = FaultKind::kMalformed;
  int line = 0;
  std::string message;
};

struct Reading {
  std::unique_ptr<Element> root;  // null where a fault other than kUnboundPrefix is there
  std::vector<Fault> faults;      // in the order of the text
};

// Reads `text`, UTF-8; what its declaration says of the encoding does not count. White space may
// stand before it. Lines are counted from `first_line`. Several threads may call it.
Reading Read(absl::string_view text, int first_line = 1, const Limits& limits = {});

// The octets of a file as text for Read: UTF-8 and UTF-16 with and without byte order mark, told as
// ca::AsText tells them; lines end in LF. Errors: FIELD_INVALID without a field, where it is larger
// than `limits`, in another encoding, or has NULs.
absl::StatusOr<std::string> DecodeFile(absl::string_view octets, const Limits& limits = {});

// The element of a file that is XML and nothing else. Errors: those of DecodeFile; FIELD_INVALID
// without a field, with the line, for every fault; and where something else stands before it.
absl::StatusOr<std::unique_ptr<Element>> ReadFile(absl::string_view octets,
                                                  const Limits& limits = {});

}  // namespace hourglass::xml

#endif  // HOURGLASS_TOOLS_XML_XML_TREE_H_
