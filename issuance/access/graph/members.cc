#include "issuance/access/graph/members.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "hsm/base/error.h"

namespace hourglass::access {
namespace {

constexpr std::size_t kMaxMistakes = 50;

bool SaysNothing(const Json& json) {
  if (json.is_string()) return json.get_ref<const std::string&>().empty();
  return json.is_null() || (json.is_structured() && json.empty());
}

}  // namespace

void Mistakes::Add(absl::string_view path, absl::string_view message) {
  if (first_.empty()) {
    first_path_ = std::string(path);
    first_ = std::string(message);
  } else if (more_.size() < kMaxMistakes) {
    more_.push_back(absl::StrCat("\n", path, ": ", message));
  }
}

absl::Status Mistakes::Finish() const {
  if (first_.empty()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, first_path_,
               absl::StrCat(first_, absl::StrJoin(more_, "")));
}

Members::Members(const Json* object, std::string path, Mistakes* mistakes)
    : object_(object), path_(std::move(path)), mistakes_(mistakes) {
  if (object_ == nullptr || object_->is_object()) return;
  mistakes_->Add(path_, "must be an object; with PowerShell, write it by ConvertTo-Json -Depth 10");
  object_ = nullptr;
}

std::string Members::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, path_.empty() || name.empty() ? "" : ".", name);
}

void Members::Mistake(absl::string_view name, absl::string_view message) {
  mistakes_->Add(PathOf(name), message);
}

bool Members::Has(absl::string_view name) const {
  return object_ != nullptr && object_->contains(std::string(name));
}

const Json* Members::Take(absl::string_view name) {
  taken_.emplace(name);
  if (object_ == nullptr) return nullptr;
  const auto found = object_->find(std::string(name));
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

std::string Members::Text(absl::string_view name) {
  const Json* const json = Take(name);
  if (json == nullptr) return "";
  if (json->is_string()) return json->get<std::string>();
  Mistake(name, "must be a text");
  return "";
}

std::string Members::RequiredText(absl::string_view name) {
  const Json* const json = Take(name);
  if (json == nullptr || (json->is_string() && json->get_ref<const std::string&>().empty())) {
    Mistake(name, "is missing");
    return "";
  }
  return Text(name);
}

std::optional<bool> Members::Flag(absl::string_view name) {
  const Json* const json = Take(name);
  if (json == nullptr) return std::nullopt;
  if (json->is_boolean()) return json->get<bool>();
  Mistake(name, "must be true or false, without quotes");
  return std::nullopt;
}

std::optional<int> Members::Number(absl::string_view name) {
  const Json* const json = Take(name);
  if (json == nullptr) return std::nullopt;
  constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
  if (json->is_number_unsigned() && json->get<std::uint64_t>() <= kMost) return json->get<int>();
  Mistake(name, absl::StrCat("must be a whole number from 0 to ", kMost, ", without quotes"));
  return std::nullopt;
}

const Json* Members::TakeList(absl::string_view name) {
  const Json* const json = Take(name);
  if (json == nullptr || json->is_array()) return json;
  Mistake(name, "must be a list; with PowerShell, write it by ConvertTo-Json -Depth 10");
  return nullptr;
}

std::vector<std::string> Members::Texts(absl::string_view name) {
  std::vector<std::string> texts;
  const Json* const list = TakeList(name);
  if (list == nullptr) return texts;
  for (const Json& item : *list) {
    if (item.is_string()) {
      texts.push_back(item.get<std::string>());
    } else {
      Mistake(name, "must be a list of texts");
    }
  }
  return texts;
}

std::vector<std::string> Members::ListOrCommas(absl::string_view name) {
  const Json* const json = Take(name);
  const bool is_text = json != nullptr && json->is_string();
  std::vector<std::string> texts;
  for (const std::string& item :
       is_text ? std::vector<std::string>{json->get<std::string>()} : Texts(name)) {
    for (const absl::string_view part : absl::StrSplit(item, ',', absl::SkipWhitespace())) {
      texts.emplace_back(absl::StripAsciiWhitespace(part));
    }
  }
  return texts;
}

std::string Members::Time(absl::string_view name) {
  const std::string text = Text(name);
  absl::Time time;
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, text, &time, &error) ? text : "";
}

std::optional<Members> Members::Object(absl::string_view name) {
  const Json* const json = Take(name);
  if (json == nullptr) return std::nullopt;
  return Members(json, PathOf(name), mistakes_);
}

Members Members::RequiredObject(absl::string_view name) {
  const Json* const json = Take(name);
  if (json == nullptr) Mistake(name, "is missing");
  return Members(json, PathOf(name), mistakes_);
}

std::vector<Members> Members::Objects(absl::string_view name) {
  std::vector<Members> objects;
  const Json* const list = TakeList(name);
  if (list == nullptr) return objects;
  for (std::size_t i = 0; i < list->size(); ++i) {
    objects.emplace_back(&(*list)[i], absl::StrCat(PathOf(name), "[", i, "]"), mistakes_);
  }
  return objects;
}

void Members::Pass(std::initializer_list<absl::string_view> names) {
  for (const absl::string_view name : names) taken_.emplace(name);
}

OtherMembers Members::Rest() const {
  OtherMembers rest;
  if (object_ == nullptr) return rest;
  for (const auto& [name, value] : object_->items()) {
    const bool is_annotation = absl::StrContains(name, "@odata.");
    if (taken_.count(name) != 0 || is_annotation || SaysNothing(value)) continue;
    rest[name] = CompactJson(value);
  }
  return rest;
}

std::string CompactJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hourglass::access
