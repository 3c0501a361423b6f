// Typed fields of a configuration file.
#ifndef HOURGLASS_ISSUANCE_YAML_MAPPING_H_
#define HOURGLASS_ISSUANCE_YAML_MAPPING_H_

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/yaml/document.h"

namespace hourglass::yaml {

// The fields of one mapping. A field that is not there, or is not what was asked for, reads as
// nullopt, "" or empty; the latter, and the absence of a Required one, is a mistake of the
// document. Asking for a field makes it known. A mapping that is absent itself has no fields and
// requires none. Copies are cheap; all live as long as the document.
class Mapping {
 public:
  // `node` is a mapping, or null for an absent one.
  Mapping(Document* document, Node* node) : document_(document), node_(node) {}

  // Whether the file has this mapping.
  bool present() const { return node_ != nullptr; }
  // Whether it has this field, of whatever type.
  bool Has(absl::string_view name) const { return Find(name) != nullptr; }

  // Whether this mapping is there and has no field but this one.
  bool HasOnly(absl::string_view name) const;

  // Text that is not empty.
  std::optional<std::string> String(absl::string_view name);
  std::string RequiredString(absl::string_view name);
  // Document::Resolve of it.
  std::optional<std::string> Path(absl::string_view name);
  std::string RequiredPath(absl::string_view name);
  // `true` or `false`, without quotes.
  std::optional<bool> Bool(absl::string_view name);
  // A decimal number without quotes, `min` to `max`, which lie within ±999999999.
  std::optional<int> Integer(absl::string_view name, int min, int max);
  // A number and one of the units ms, s, m, h, d (24 hours): `500ms`; `min` to `max`.
  std::optional<std::chrono::milliseconds> Duration(absl::string_view name,
                                                    std::chrono::milliseconds min,
                                                    std::chrono::milliseconds max);
  // The same in whole seconds.
  std::optional<std::chrono::seconds> Seconds(absl::string_view name, std::chrono::seconds min,
                                              std::chrono::seconds max);
  // One of `choices`.
  std::optional<std::string> Choice(absl::string_view name,
                                    absl::Span<const absl::string_view> choices);

  Mapping Optional(absl::string_view name);
  Mapping Required(absl::string_view name);

  // A list of texts that are not empty.
  std::vector<std::string> Strings(absl::string_view name);
  // Document::Resolve of each.
  std::vector<std::string> Paths(absl::string_view name);
  // A list with at least one mapping.
  std::vector<Mapping> RequiredMappings(absl::string_view name);
  // A mapping from names that the file chooses to mappings.
  std::vector<std::pair<std::string, Mapping>> NamedMappings(absl::string_view name);

  // Adds a mistake at a field, or at this mapping where `name` is empty; nothing in an absent
  // mapping.
  void Mistake(absl::string_view name, absl::string_view message);
  // The same at an item of a list.
  void ItemMistake(absl::string_view name, std::size_t index, absl::string_view message);

 private:
  Node* Find(absl::string_view name) const;
  Node* Ask(absl::string_view name);
  // The scalar of this name, or null.
  const Node* AskScalar(absl::string_view name, absl::string_view what);
  void RequireField(absl::string_view name);
  void Add(const Node& node, absl::string_view message);

  Document* document_;
  Node* node_;
};

// `90s`, `60m`, `1d`: in the largest unit that gives a whole number.
std::string DurationText(std::chrono::milliseconds duration);

}  // namespace hourglass::yaml

#endif  // HOURGLASS_ISSUANCE_YAML_MAPPING_H_
