// The schemas of tools/profiles/schemas as data: which element may stand where. What libxml2 only
// refuses can be explained by it.
#ifndef HOURGLASS_TOOLS_PROFILES_SCHEMA_MODEL_H_
#define HOURGLASS_TOOLS_PROFILES_SCHEMA_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::profiles {

inline constexpr int kUnbounded = -1;

struct ElementType;

struct ElementDeclaration {
  std::string name;
  std::string name_space;
  const ElementType* type = nullptr;  // never null once the model is made
};

// A place in a sequence.
struct Particle {
  std::vector<ElementDeclaration> alternatives;  // one of them each time
  bool is_any = false;  // any element of another namespace, judged where it is declared somewhere
  bool is_skipped = false;  // any element at all, not judged
  int min = 1;
  int max = 1;  // kUnbounded
};

enum class ValueKind {
  kText,
  kWords,    // one of `words`, exactly
  kBoolean,  // true, false, 1, 0, with blanks around it
  kNumber,   // 0 to `most`, with blanks around it
};

struct ElementType {
  bool is_simple = false;
  // Of simple types.
  ValueKind value = ValueKind::kText;
  std::vector<std::string> words;
  std::uint64_t most = 0;
  // Of others.
  std::vector<Particle> sequence;
  std::vector<std::string> attributes;
};

class SchemaModel {
 public:
  // The embedded schemas; made once. Ends the process where they leave the part of XML Schema that
  // is read here: a test would have seen it.
  static const SchemaModel& Get();

  // A declaration that stands on its own; null where there is none.
  const ElementDeclaration* Global(absl::string_view name_space, absl::string_view name) const;
  bool HasNamespace(absl::string_view name_space) const;
  // `http://www.microsoft.com/…`, each.
  const std::vector<std::string>& namespaces() const { return namespaces_; }
  // Names of the elements in whose content `name` is declared, in whatever namespace.
  std::vector<std::string> ParentsOf(absl::string_view name) const;

 private:
  friend class SchemaReader;

  using Name = std::pair<std::string, std::string>;  // namespace, local name

  std::map<Name, ElementDeclaration> globals_;
  std::map<Name, std::unique_ptr<ElementType>> types_;
  std::vector<std::string> namespaces_;
};

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_SCHEMA_MODEL_H_
