#include "tools/profiles/structure_check.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "issuance/yaml/nearest_name.h"
#include "tools/profiles/schema_model.h"

namespace hourglass::profiles {
namespace {

// The one of `words` that is meant by a misspelt one; empty where none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& words) {
  // Longer than any name of the schemas: it is no slip of the pen.
  if (word.size() > 64) return "";
  std::string nearest;
  std::size_t least = 3;
  for (const std::string& candidate : words) {
    const std::size_t distance =
        absl::EqualsIgnoreCase(word, candidate)
            ? 0
            : yaml::EditDistance(absl::AsciiStrToLower(word), absl::AsciiStrToLower(candidate));
    if (distance < least && distance * 2 < candidate.size()) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

class Walker {
 public:
  explicit Walker(Report& report) : report_(report) {}

  void CheckDeclared(const xml::Element& element, const ElementDeclaration& declaration) {
    CheckNamespace(element, declaration.name_space);
    CheckAttributes(element, *declaration.type);
    if (declaration.type->is_simple) {
      CheckSimple(element, *declaration.type);
    } else {
      CheckContent(element, *declaration.type);
    }
  }

 private:
  // One finding where a wrong namespace begins, none for what inherits it.
  void CheckNamespace(const xml::Element& element, const std::string& right) {
    if (element.name_space == right) return;
    const bool inherits = element.parent != nullptr && misplaced_.count(element.parent) > 0 &&
                          element.parent->name_space == element.name_space;
    misplaced_.insert(&element);
    if (inherits) return;
    const std::string is =
        element.name_space.empty() ? "no namespace" : "namespace " + Shortened(element.name_space);
    report_.Add(
        kWrongNamespace, element, absl::StrCat(element.name, " has ", is),
        right.empty() ? "no namespace, and no xmlns" : absl::StrCat("xmlns=\"", right, "\""));
  }

  bool IsForeign(const std::string& name_space) const { return !model_.HasNamespace(name_space); }

  void CheckAttributes(const xml::Element& element, const ElementType& type) {
    for (const xml::Attribute& attribute : element.attributes) {
      const auto known = std::find(type.attributes.begin(), type.attributes.end(), attribute.name);
      if (known == type.attributes.end() || !attribute.name_space.empty()) {
        const std::string meant = Nearest(attribute.name, type.attributes);
        report_.Add(kUnknownAttribute, element,
                    absl::StrCat(element.name, " has no attribute ", attribute.name),
                    meant.empty() || meant == attribute.name ? kUnknownAttribute.remedy
                                                             : absl::StrCat(meant, "=\"…\""));
        continue;
      }
      // Every attribute of the schemas is a boolean.
      if (!IsXmlBoolean(attribute.value)) {
        report_.Add(kNotABoolean, element,
                    absl::StrCat("attribute ", attribute.name, " is \"", attribute.value, "\""));
      }
    }
  }

  static bool IsXmlBoolean(absl::string_view value) {
    value = absl::StripAsciiWhitespace(value);
    return value == "true" || value == "false" || value == "1" || value == "0";
  }

  void CheckSimple(const xml::Element& element, const ElementType& type) {
    for (const auto& child : element.children) {
      report_.Add(kMisplacedElement, *child,
                  absl::StrCat(child->name, " stands in ", element.name, ", which holds text only"),
                  absl::StrCat("close ", element.name, " before it"));
    }
    if (!element.children.empty()) return;
    const std::string is = absl::StrCat(element.name, " is \"", Shortened(element.text), "\"");
    switch (type.value) {
      case ValueKind::kText:
        if (absl::StrContains(element.text, '\n')) {
          report_.Add(kSpreadValue, element,
                      absl::StrCat("the value of ", element.name, " has line breaks"));
        }
        return;
      case ValueKind::kWords:
        return CheckWord(element, type, is);
      case ValueKind::kBoolean:
        if (!IsXmlBoolean(element.text)) report_.Add(kNotABoolean, element, is);
        return;
      case ValueKind::kNumber: {
        std::uint64_t number = 0;
        if (!absl::SimpleAtoi(element.text, &number) || number > type.most) {
          report_.Add(kNotANumber, element, is, absl::StrCat("a number, at most ", type.most));
        }
        return;
      }
    }
  }

  void CheckWord(const xml::Element& element, const ElementType& type, const std::string& is) {
    if (std::find(type.words.begin(), type.words.end(), element.text) != type.words.end()) return;
    if (std::find(type.words.begin(), type.words.end(), element.Trimmed()) != type.words.end() &&
        absl::StrContains(element.text, '\n')) {
      report_.Add(kSpreadValue, element,
                  absl::StrCat("the value of ", element.name, " has line breaks around it"));
      return;
    }
    if (type.words.front() == "true") return report_.Add(kNotABoolean, element, is);
    const std::string meant = Nearest(element.Trimmed(), type.words);
    report_.Add(kUnknownValue, element, is,
                meant.empty() ? absl::StrJoin(type.words, ", ")
                              : absl::StrCat(meant, " (of ", absl::StrJoin(type.words, ", "), ")"));
  }

  static std::string Shortened(absl::string_view text) {
    return text.size() <= 80 ? std::string(text) : absl::StrCat(text.substr(0, 60), "…");
  }

  void CheckContent(const xml::Element& element, const ElementType& type) {
    if (!type.sequence.empty() && type.sequence.front().is_skipped) return;
    if (element.text_line != 0) {
      report_.Add(kStrayText, element,
                  absl::StrCat("text between its elements, in line ", element.text_line, ": \"",
                               Shortened(element.Trimmed()), "\""));
    }
    std::vector<int> counts(type.sequence.size());
    std::size_t position = 0;
    const xml::Element* last = nullptr;
    for (const auto& child : element.children) {
      const ElementDeclaration* declaration = nullptr;
      const std::optional<std::size_t> place = PlaceOf(*child, type, declaration);
      if (!place.has_value()) {
        ReportUnknown(*child, element, type);
        continue;
      }
      if (*place < position) {
        report_.Add(kElementOrder, *child, absl::StrCat(child->name, " stands behind ", last->name),
                    OrderInWords(type));
      } else {
        position = *place;
        last = child.get();
      }
      const Particle& particle = type.sequence[*place];
      if (++counts[*place] > particle.max && particle.max != kUnbounded) {
        report_.Add(kRepeatedElement, *child, absl::StrCat(child->name, " is there once more"));
      }
      if (declaration != nullptr) CheckDeclared(*child, *declaration);
    }
    ReportMissing(element, type, counts);
  }

  // Which particle takes `child`: by name, in whatever namespace, before any wildcard.
  std::optional<std::size_t> PlaceOf(const xml::Element& child, const ElementType& type,
                                     const ElementDeclaration*& declaration) const {
    for (std::size_t i = 0; i < type.sequence.size(); ++i) {
      for (const ElementDeclaration& declared : type.sequence[i].alternatives) {
        if (declared.name != child.name) continue;
        // A name of this namespace, or one that nobody else has declared.
        if (declared.name_space != child.name_space &&
            model_.Global(child.name_space, child.name) != nullptr) {
          continue;
        }
        declaration = &declared;
        return i;
      }
    }
    for (std::size_t i = 0; i < type.sequence.size(); ++i) {
      if (type.sequence[i].is_any && TakesAny(child, declaration)) return i;
    }
    return std::nullopt;
  }

  // Of a wildcard: an element that is declared, one whose namespace is misspelt, or one of others.
  bool TakesAny(const xml::Element& child, const ElementDeclaration*& declaration) const {
    declaration = model_.Global(child.name_space, child.name);
    if (declaration != nullptr) return true;
    if (!IsForeign(child.name_space)) return false;
    declaration = NearNamespace(child.name_space, child.name);
    return true;
  }

  // The declaration in a namespace that this one is but for the scheme, its case or a slash.
  const ElementDeclaration* NearNamespace(absl::string_view name_space,
                                          absl::string_view name) const {
    const auto reduced = [](absl::string_view uri) {
      std::string text = absl::AsciiStrToLower(absl::StripAsciiWhitespace(uri));
      if (absl::StartsWith(text, "https:")) text.erase(4, 1);
      while (absl::EndsWith(text, "/")) text.pop_back();
      return text;
    };
    for (const std::string& known : model_.namespaces()) {
      if (reduced(known) == reduced(name_space)) return model_.Global(known, name);
    }
    return nullptr;
  }

  static std::string OrderInWords(const ElementType& type) {
    std::vector<std::string> names;
    for (const Particle& particle : type.sequence) {
      if (particle.is_any) {
        names.emplace_back("…");
        continue;
      }
      // What Windows 11 added has no order of its own.
      if (particle.max == kUnbounded && particle.alternatives.size() > 1) continue;
      for (const ElementDeclaration& declared : particle.alternatives) {
        names.push_back(declared.name);
      }
    }
    return absl::StrCat("in this order: ", absl::StrJoin(names, ", "));
  }

  void ReportUnknown(const xml::Element& child, const xml::Element& parent,
                     const ElementType& type) {
    if (report_.is_full()) return;
    std::vector<std::string> names;
    for (const Particle& particle : type.sequence) {
      for (const ElementDeclaration& declared : particle.alternatives) {
        names.push_back(declared.name);
      }
    }
    const std::vector<std::string> elsewhere = model_.ParentsOf(child.name);
    if (!elsewhere.empty()) {
      report_.Add(kMisplacedElement, child,
                  absl::StrCat(child.name, " does not stand in ", parent.name),
                  absl::StrCat("it stands in ", absl::StrJoin(elsewhere, ", or in ")));
      return;
    }
    for (const absl::string_view global :
         {"TLSExtensions", "PerformServerValidation", "AcceptServerName", "FilteringInfo"}) {
      names.emplace_back(global);
    }
    const std::string meant = Nearest(child.name, names);
    report_.Add(kUnknownElement, child,
                absl::StrCat("there is no ", child.name, " in ", parent.name),
                meant.empty() ? "take it out" : meant);
  }

  void ReportMissing(const xml::Element& element, const ElementType& type,
                     const std::vector<int>& counts) {
    for (std::size_t i = 0; i < type.sequence.size(); ++i) {
      const Particle& particle = type.sequence[i];
      if (counts[i] >= particle.min) continue;
      std::vector<std::string> names;
      for (const ElementDeclaration& declared : particle.alternatives) {
        names.push_back(declared.name);
      }
      report_.Add(kMissingElement, element,
                  absl::StrCat(element.name, " has no ",
                               names.empty() ? "content" : absl::StrJoin(names, " or ")));
    }
  }

  const SchemaModel& model_ = SchemaModel::Get();
  Report& report_;
  std::set<const xml::Element*> misplaced_;  // in another namespace than theirs
};

}  // namespace

void CheckStructure(const xml::Element& root, Report& report) {
  const SchemaModel& model = SchemaModel::Get();
  const bool is_profile = root.name == "VPNProfile";
  const absl::string_view name_space =
      is_profile ? "" : "http://www.microsoft.com/provisioning/EapHostConfig";
  const ElementDeclaration* declaration = model.Global(name_space, root.name);
  if (declaration != nullptr) Walker(report).CheckDeclared(root, *declaration);
}

}  // namespace hourglass::profiles
