#include "tools/profiles/schema_model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/profiles/schema_texts.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::profiles {

// Reads what our own schemas are written in: named types, sequences of elements, choices of
// elements in a sequence or alone, wildcards, attributes, and simple types that restrict built-in
// ones.
class SchemaReader {
 public:
  explicit SchemaReader(SchemaModel& model) : model_(model) {}

  void Read(const SchemaText& text) {
    xml::Reading reading = xml::Read(text.text);
    if (reading.root == nullptr) Stop(text.file);
    file_ = std::string(text.file);
    name_space_ = Value(*reading.root, "targetNamespace", "");
    model_.namespaces_.push_back(name_space_);
    for (const auto& item : reading.root->children) {
      const std::string name = Value(*item, "name", "");
      if (item->name == "complexType") *TypeNamed({name_space_, name}) = ComplexType(*item);
      if (item->name == "simpleType") *TypeNamed({name_space_, name}) = SimpleType(*item);
      if (item->name == "element") {
        model_.globals_[{name_space_, name}] = {name, name_space_, TypeOf(*item)};
      }
    }
  }

 private:
  using Name = SchemaModel::Name;

  [[noreturn]] static void Stop(absl::string_view where) {
    std::fprintf(stderr, "schema not understood: %s\n", std::string(where).c_str());
    std::abort();
  }

  static std::string Value(const xml::Element& element, absl::string_view attribute,
                           absl::string_view fallback) {
    return std::string(element.AttributeOr(attribute, fallback));
  }

  // The same object each time, filled when its definition is read.
  ElementType* TypeNamed(const Name& name) {
    auto& type = model_.types_[name];
    if (type == nullptr) type = std::make_unique<ElementType>();
    return type.get();
  }

  const ElementType* TypeOf(const xml::Element& element) {
    const std::string name = Value(element, "type", "");
    if (name.empty()) Stop(absl::StrCat(file_, ": ", element.line));
    if (name.rfind("xs:", 0) != 0) return TypeNamed({name_space_, name});
    ElementType* const type = TypeNamed({"xs", name});
    *type = BuiltIn(name);
    return type;
  }

  ElementType BuiltIn(const std::string& name) const {
    ElementType type;
    type.is_simple = true;
    if (name == "xs:boolean") {
      type.value = ValueKind::kBoolean;
    } else if (name == "xs:unsignedByte" || name == "xs:unsignedInt") {
      type.value = ValueKind::kNumber;
      type.most = name == "xs:unsignedByte" ? std::numeric_limits<std::uint8_t>::max()
                                            : std::numeric_limits<std::uint32_t>::max();
    } else if (name != "xs:string") {
      Stop(absl::StrCat(file_, ": ", name));
    }
    return type;
  }

  ElementType SimpleType(const xml::Element& item) const {
    const xml::Element* restriction = item.Child("restriction");
    if (restriction == nullptr) Stop(absl::StrCat(file_, ": ", item.line));
    ElementType type = BuiltIn(Value(*restriction, "base", ""));
    for (const auto& facet : restriction->children) {
      // Patterns are for libxml2: those of thumbprints, which have a rule of their own here.
      if (facet->name != "enumeration") continue;
      type.value = ValueKind::kWords;
      type.words.push_back(Value(*facet, "value", ""));
    }
    return type;
  }

  ElementType ComplexType(const xml::Element& item) {
    ElementType type;
    for (const auto& part : item.children) {
      if (part->name == "attribute") {
        type.attributes.push_back(Value(*part, "name", ""));
      } else if (part->name == "choice") {
        type.sequence.push_back(ParticleOf(*part));
      } else if (part->name == "sequence") {
        for (const auto& one : part->children) type.sequence.push_back(ParticleOf(*one));
      } else {
        Stop(absl::StrCat(file_, ": ", part->line));
      }
    }
    return type;
  }

  Particle ParticleOf(const xml::Element& item) {
    Particle particle;
    int max = 1;
    if (!absl::SimpleAtoi(Value(item, "minOccurs", "1"), &particle.min)) Stop(file_);
    const std::string most = Value(item, "maxOccurs", "1");
    if (most != "unbounded" && !absl::SimpleAtoi(most, &max)) Stop(file_);
    particle.max = most == "unbounded" ? kUnbounded : max;
    if (item.name == "any") {
      particle.is_any = true;
      particle.is_skipped = Value(item, "processContents", "") == "skip";
    } else if (item.name == "choice") {
      for (const auto& one : item.children) particle.alternatives.push_back(Declared(*one));
    } else if (item.name == "element") {
      particle.alternatives.push_back(Declared(item));
    } else {
      Stop(absl::StrCat(file_, ": ", item.line));
    }
    return particle;
  }

  ElementDeclaration Declared(const xml::Element& element) {
    const std::string reference = Value(element, "ref", "");
    if (reference.empty()) {
      return {Value(element, "name", ""), name_space_, TypeOf(element)};
    }
    // `prefix:Name`; which namespace the prefix stands for is not in the tree, but each name is
    // declared once in the schemas that are imported: Resolve finds it when all are read.
    return {reference.substr(reference.find(':') + 1), reference.substr(0, reference.find(':')),
            nullptr};
  }

 public:
  // Gives references what they refer to.
  void Resolve() {
    static const std::map<std::string, std::string> kPrefixes = {
        {"host", "http://www.microsoft.com/provisioning/EapHostConfig"},
        {"common", "http://www.microsoft.com/provisioning/EapCommon"},
        {"base", "http://www.microsoft.com/provisioning/BaseEapConnectionPropertiesV1"},
    };
    for (auto& [name, type] : model_.types_) {
      for (Particle& particle : type->sequence) {
        for (ElementDeclaration& declared : particle.alternatives) {
          if (declared.type != nullptr) continue;
          const auto prefix = kPrefixes.find(declared.name_space);
          if (prefix == kPrefixes.end()) Stop(declared.name);
          const auto global = model_.globals_.find({prefix->second, declared.name});
          if (global == model_.globals_.end()) Stop(declared.name);
          declared = global->second;
        }
      }
    }
  }

 private:
  SchemaModel& model_;
  std::string file_;
  std::string name_space_;
};

const SchemaModel& SchemaModel::Get() {
  static const SchemaModel* const kModel = [] {
    auto* model = new SchemaModel();
    SchemaReader reader(*model);
    for (const SchemaText& text : SchemaTexts()) reader.Read(text);
    reader.Resolve();
    return model;
  }();
  return *kModel;
}

const ElementDeclaration* SchemaModel::Global(absl::string_view name_space,
                                              absl::string_view name) const {
  const auto found = globals_.find({std::string(name_space), std::string(name)});
  return found == globals_.end() ? nullptr : &found->second;
}

bool SchemaModel::HasNamespace(absl::string_view name_space) const {
  return std::find(namespaces_.begin(), namespaces_.end(), name_space) != namespaces_.end();
}

std::vector<std::string> SchemaModel::ParentsOf(absl::string_view name) const {
  std::set<const ElementType*> holders;
  for (const auto& [unused, type] : types_) {
    for (const Particle& particle : type->sequence) {
      for (const ElementDeclaration& declared : particle.alternatives) {
        if (declared.name == name) holders.insert(type.get());
      }
    }
  }
  std::set<std::string> parents;
  const auto add = [&](const ElementDeclaration& declared) {
    if (holders.count(declared.type) > 0) parents.insert(declared.name);
  };
  for (const auto& [unused, declared] : globals_) add(declared);
  for (const auto& [unused, type] : types_) {
    for (const Particle& particle : type->sequence) {
      for (const ElementDeclaration& declared : particle.alternatives) add(declared);
    }
  }
  return {parents.begin(), parents.end()};
}

}  // namespace hourglass::profiles
