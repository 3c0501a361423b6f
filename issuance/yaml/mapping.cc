#include "issuance/yaml/mapping.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace hourglass::yaml {
namespace {

using std::chrono::milliseconds;

struct Unit {
  absl::string_view suffix;
  milliseconds length;
};

// `ms` before `s` and `m`, which it ends or begins with.
constexpr Unit kUnits[] = {
    {"ms", milliseconds(1)},         {"s", std::chrono::seconds(1)}, {"m", std::chrono::minutes(1)},
    {"h", std::chrono::minutes(60)}, {"d", std::chrono::hours(24)},
};

// Up to nine digits without needless zeros, so that nothing overflows and nothing reads as octal
// elsewhere.
std::optional<int> Digits(absl::string_view text) {
  if (text.empty() || text.size() > 9 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) return std::nullopt;
  int value = 0;
  if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

std::optional<milliseconds> ParseDuration(absl::string_view text) {
  for (const Unit& unit : kUnits) {
    absl::string_view number = text;
    if (!absl::ConsumeSuffix(&number, unit.suffix)) continue;
    const auto count = Digits(number);
    if (!count.has_value()) return std::nullopt;
    return *count * unit.length;
  }
  return std::nullopt;
}

}  // namespace

std::string DurationText(milliseconds duration) {
  const Unit* best = &kUnits[0];
  for (const Unit& unit : kUnits) {
    if (duration.count() != 0 && duration % unit.length == milliseconds(0)) best = &unit;
  }
  return absl::StrCat(duration / best->length, best->suffix);
}

Node* Mapping::Find(absl::string_view name) const {
  if (node_ == nullptr) return nullptr;
  for (Node& child : node_->children) {
    if (child.name == name) return &child;
  }
  return nullptr;
}

bool Mapping::HasOnly(absl::string_view name) const {
  return present() && node_->children.size() == 1 && Has(name);
}

Node* Mapping::Ask(absl::string_view name) {
  if (node_ != nullptr) node_->asked_for.insert(std::string(name));
  return Find(name);
}

void Mapping::Add(const Node& node, absl::string_view message) {
  document_->AddMistake(node.line, node.path, message);
}

const Node* Mapping::AskScalar(absl::string_view name, absl::string_view what) {
  const Node* node = Ask(name);
  if (node == nullptr) return nullptr;
  if (node->kind == Node::Kind::kNull ||
      (node->kind == Node::Kind::kScalar && node->text.empty())) {
    Add(*node, "is empty");
    return nullptr;
  }
  if (node->kind != Node::Kind::kScalar) {
    Add(*node, absl::StrCat("must be ", what));
    return nullptr;
  }
  return node;
}

void Mapping::RequireField(absl::string_view name) {
  if (present() && !Has(name)) Mistake(name, "is missing");
}

std::optional<std::string> Mapping::String(absl::string_view name) {
  const Node* node = AskScalar(name, "text");
  if (node == nullptr) return std::nullopt;
  return node->text;
}

std::string Mapping::RequiredString(absl::string_view name) {
  RequireField(name);
  return String(name).value_or("");
}

std::optional<std::string> Mapping::Path(absl::string_view name) {
  const Node* node = AskScalar(name, "a path");
  if (node == nullptr) return std::nullopt;
  return document_->Resolve(node->text);
}

std::string Mapping::RequiredPath(absl::string_view name) {
  RequireField(name);
  return Path(name).value_or("");
}

std::optional<bool> Mapping::Bool(absl::string_view name) {
  constexpr absl::string_view kWhat = "true or false, without quotes";
  const Node* node = AskScalar(name, kWhat);
  if (node == nullptr) return std::nullopt;
  if (!node->quoted && node->text == "true") return true;
  if (!node->quoted && node->text == "false") return false;
  Add(*node, absl::StrCat("must be ", kWhat));
  return std::nullopt;
}

std::optional<int> Mapping::Integer(absl::string_view name, int min, int max) {
  const std::string what = absl::StrCat("a whole number, ", min, " to ", max);
  const Node* node = AskScalar(name, what);
  if (node == nullptr) return std::nullopt;
  absl::string_view text = node->text;
  const bool negative = absl::ConsumePrefix(&text, "-");
  const auto digits = node->quoted ? std::nullopt : Digits(text);
  const int value = negative ? -digits.value_or(0) : digits.value_or(0);
  if (digits.has_value() && value >= min && value <= max) return value;
  Add(*node, absl::StrCat("must be ", what));
  return std::nullopt;
}

std::optional<milliseconds> Mapping::Duration(absl::string_view name, milliseconds min,
                                              milliseconds max) {
  const std::string what = absl::StrCat("a duration such as 500ms, 2s, 60m, 24h or 3d, ",
                                        DurationText(min), " to ", DurationText(max));
  const Node* node = AskScalar(name, what);
  if (node == nullptr) return std::nullopt;
  const auto value = ParseDuration(node->text);
  if (value.has_value() && *value >= min && *value <= max) return value;
  Add(*node, absl::StrCat("must be ", what));
  return std::nullopt;
}

std::optional<std::chrono::seconds> Mapping::Seconds(absl::string_view name,
                                                     std::chrono::seconds min,
                                                     std::chrono::seconds max) {
  const auto value = Duration(name, min, max);
  if (!value.has_value()) return std::nullopt;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*value);
  if (seconds == *value) return seconds;
  Mistake(name, "must be whole seconds");
  return std::nullopt;
}

std::optional<std::string> Mapping::Choice(absl::string_view name,
                                           absl::Span<const absl::string_view> choices) {
  const std::string what = absl::StrCat("one of ", absl::StrJoin(choices, ", "));
  const Node* node = AskScalar(name, what);
  if (node == nullptr) return std::nullopt;
  if (std::find(choices.begin(), choices.end(), node->text) != choices.end()) return node->text;
  Add(*node, absl::StrCat("must be ", what));
  return std::nullopt;
}

Mapping Mapping::Optional(absl::string_view name) {
  Node* node = Ask(name);
  if (node == nullptr) return Mapping(document_, nullptr);
  if (node->kind == Node::Kind::kMapping && !node->children.empty()) {
    return Mapping(document_, node);
  }
  const bool empty = node->kind == Node::Kind::kNull || node->kind == Node::Kind::kMapping;
  Add(*node, empty ? "is empty" : "must be a mapping of fields");
  return Mapping(document_, nullptr);
}

Mapping Mapping::Required(absl::string_view name) {
  RequireField(name);
  return Optional(name);
}

std::vector<std::string> Mapping::Strings(absl::string_view name) {
  std::vector<std::string> texts;
  const Node* node = Ask(name);
  if (node == nullptr) return texts;
  if (node->kind != Node::Kind::kSequence || node->children.empty()) {
    Add(*node, "must be a list with at least one value");
    return texts;
  }
  for (const Node& item : node->children) {
    if (item.kind == Node::Kind::kScalar && !item.text.empty()) {
      texts.push_back(item.text);
    } else {
      Add(item, "must be text");
    }
  }
  return texts;
}

std::vector<std::string> Mapping::Paths(absl::string_view name) {
  std::vector<std::string> paths = Strings(name);
  for (std::string& path : paths) path = document_->Resolve(path);
  return paths;
}

std::vector<Mapping> Mapping::RequiredMappings(absl::string_view name) {
  RequireField(name);
  std::vector<Mapping> mappings;
  Node* node = Ask(name);
  if (node == nullptr) return mappings;
  if (node->kind != Node::Kind::kSequence || node->children.empty()) {
    Add(*node, "must be a list with at least one mapping");
    return mappings;
  }
  for (Node& item : node->children) {
    if (item.kind == Node::Kind::kMapping && !item.children.empty()) {
      mappings.emplace_back(document_, &item);
    } else {
      Add(item, "must be a mapping of fields");
    }
  }
  return mappings;
}

std::vector<std::pair<std::string, Mapping>> Mapping::NamedMappings(absl::string_view name) {
  std::vector<std::pair<std::string, Mapping>> named;
  Mapping outer = Optional(name);
  if (!outer.present()) return named;
  for (const Node& child : outer.node_->children) {
    named.emplace_back(child.name, outer.Optional(child.name));
  }
  return named;
}

void Mapping::Mistake(absl::string_view name, absl::string_view message) {
  if (node_ == nullptr) return;
  const Node* field = Find(name);
  if (field != nullptr || name.empty()) return Add(field != nullptr ? *field : *node_, message);
  document_->AddMistake(node_->line,
                        absl::StrCat(node_->path, node_->path.empty() ? "" : ".", name), message);
}

void Mapping::ItemMistake(absl::string_view name, std::size_t index, absl::string_view message) {
  const Node* field = Find(name);
  if (field != nullptr && index < field->children.size()) Add(field->children[index], message);
}

}  // namespace hourglass::yaml
