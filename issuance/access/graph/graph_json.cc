#include "issuance/access/graph/graph_json.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::access {
namespace {

constexpr absl::string_view kUtf8Mark = "\xef\xbb\xbf";
constexpr absl::string_view kUtf16LittleMark = "\xff\xfe";
constexpr absl::string_view kUtf16BigMark = "\xfe\xff";
constexpr absl::string_view kMore = "AdditionalProperties";

absl::Status Refuse(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, field, message);
}

void AppendUtf8(char32_t c, std::string* text) {
  const auto put = [text](char32_t octet) { text->push_back(static_cast<char>(octet)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

// Nullopt for half a unit and for surrogates that are no pair.
std::optional<std::string> FromUtf16(absl::string_view octets, bool little) {
  if (octets.size() % 2 != 0) return std::nullopt;
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(octets[i]);
    const auto second = static_cast<unsigned char>(octets[i + 1]);
    return static_cast<char32_t>(little ? second << 8 | first : first << 8 | second);
  };
  std::string text;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    char32_t c = unit(i);
    if (c >= 0xd800 && c < 0xe000) {
      i += 2;
      const char32_t low = i < octets.size() ? unit(i) : 0;
      if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000) return std::nullopt;
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    AppendUtf8(c, &text);
  }
  return text;
}

absl::StatusOr<std::string> ToUtf8(absl::string_view octets) {
  if (absl::ConsumePrefix(&octets, kUtf8Mark)) return std::string(octets);
  const bool little = absl::StartsWith(octets, kUtf16LittleMark);
  if (!little && !absl::StartsWith(octets, kUtf16BigMark)) return std::string(octets);
  std::optional<std::string> text = FromUtf16(octets.substr(2), little);
  if (!text.has_value()) return Refuse("", "is not UTF-16, although it begins as such");
  return *std::move(text);
}

// Looks at the names of members while a document is parsed, which alone sees them twice.
class NameWatch {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    depth_ = std::max(depth_, depth);
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end && !open_.empty()) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.empty() &&
        !open_.back().insert(parsed.get_ref<const std::string&>()).second && repeated_.empty()) {
      repeated_ = parsed.get_ref<const std::string&>();
    }
    return true;
  }

  int depth() const { return depth_; }
  const std::string& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> open_;
  int depth_ = 0;
  std::string repeated_;
};

std::size_t LineOf(absl::string_view text, std::size_t place) {
  const absl::string_view before = text.substr(0, place);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

absl::StatusOr<Json> Parse(const std::string& text) {
  NameWatch watch;
  Json json;
  try {
    json = Json::parse(text, [&watch](int depth, Json::parse_event_t event, Json& parsed) {
      return watch(depth, event, parsed);
    });
  } catch (const Json::parse_error& error) {
    const std::size_t place = error.byte == 0 ? 0 : error.byte - 1;
    return Refuse("", absl::StrCat("line ", LineOf(text, place), ": is not JSON"));
  } catch (const std::exception&) {
    return Refuse("", "is not JSON");
  }
  // Counted as in an answer with a list, which is what is written.
  const bool is_answer = json.is_object() && (json.contains("value") || json.contains("Value"));
  if (watch.depth() + (is_answer ? 0 : json.is_array() ? 1 : 2) > kMaxExportDepth) {
    return Refuse("", absl::StrCat("is more than ", kMaxExportDepth, " levels deep"));
  }
  if (!watch.repeated().empty()) return Refuse(watch.repeated(), "appears twice in one object");
  return json;
}

// `DisplayName` to `displayName`; `REF` and `@odata.type` stay.
std::string GraphMember(const std::string& name) {
  std::string graph = name;
  const bool is_pascal = !name.empty() && absl::ascii_isupper(name[0]) &&
                         (name.size() == 1 || absl::ascii_islower(name[1]));
  if (is_pascal) graph[0] = absl::ascii_tolower(graph[0]);
  return graph;
}

absl::StatusOr<Json> Normalized(const Json& json, const std::string& path);

absl::Status AddMembers(const Json& object, const std::string& path, Json* to) {
  for (const auto& [name, value] : object.items()) {
    if (name == kMore && value.is_object()) {
      RETURN_IF_ERROR(AddMembers(value, path, to));
      continue;
    }
    const std::string member = GraphMember(name);
    const std::string member_path = absl::StrCat(path, path.empty() ? "" : ".", member);
    ASSIGN_OR_RETURN(Json normalized, Normalized(value, member_path));
    if (to->contains(member)) return Refuse(member_path, "appears twice in one object");
    (*to)[member] = std::move(normalized);
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> Normalized(const Json& json, const std::string& path) {
  if (json.is_object()) {
    Json object = Json::object();
    RETURN_IF_ERROR(AddMembers(json, path, &object));
    return object;
  }
  if (!json.is_array()) return json;
  Json array = Json::array();
  for (std::size_t i = 0; i < json.size(); ++i) {
    ASSIGN_OR_RETURN(Json item, Normalized(json[i], absl::StrCat(path, "[", i, "]")));
    array.push_back(std::move(item));
  }
  return array;
}

}  // namespace

absl::StatusOr<Json> ReadGraphJson(absl::string_view octets) {
  if (octets.size() > kMaxExportSize) {
    return Refuse("", absl::StrCat("is larger than ", kMaxExportSize, " octets"));
  }
  ASSIGN_OR_RETURN(const std::string text, ToUtf8(octets));
  ASSIGN_OR_RETURN(const Json json, Parse(text));
  return Normalized(json, "");
}

}  // namespace hourglass::access
