#include "issuance/tokens/json.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "ca/encoding/utf8.h"

namespace hourglass::issuance {
namespace {

// Of the claims of a token, so that they need not move.
constexpr std::size_t kUsualMembers = 32;

void AppendUtf8(std::uint32_t c, std::string* out) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr std::uint32_t kLeads[] = {0, 0xc0, 0xe0, 0xf0};
  out->push_back(static_cast<char>(kLeads[more] | c >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) {
    out->push_back(static_cast<char>(0x80 | (c >> (6 * i) & 0x3f)));
  }
}

// Whether it stands for itself in a string (RFC 8259 section 7).
bool IsPlain(char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; }

// Takes digits off the front; how many there were.
std::size_t ConsumeDigits(absl::string_view* rest) {
  std::size_t count = 0;
  while (count < rest->size() && absl::ascii_isdigit(static_cast<unsigned char>((*rest)[count]))) {
    ++count;
  }
  rest->remove_prefix(count);
  return count;
}

class JsonReader {
 public:
  JsonReader(absl::string_view text, const JsonLimits& limits) : rest_(text), limits_(limits) {}

  std::variant<JsonValue, JsonFault> Read() {
    JsonValue value;
    if (!ReadValue(0, &value)) return fault_;
    SkipSpace();
    if (!rest_.empty()) return JsonFault::kSyntax;
    return value;
  }

 private:
  bool Fail(JsonFault fault) {
    fault_ = fault;
    return false;
  }

  void SkipSpace() {
    std::size_t count = 0;
    while (count < rest_.size() && (rest_[count] == ' ' || rest_[count] == '\t' ||
                                    rest_[count] == '\n' || rest_[count] == '\r')) {
      ++count;
    }
    rest_.remove_prefix(count);
  }

  bool NextIs(char c) const { return !rest_.empty() && rest_[0] == c; }

  bool Consume(char c) {
    if (!NextIs(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // `depth`: how many arrays and objects are around it.
  bool ReadValue(int depth, JsonValue* value) {
    if (++values_ > limits_.values) return Fail(JsonFault::kTooMuch);
    SkipSpace();
    if (NextIs('{') || NextIs('[')) {
      if (depth >= limits_.depth) return Fail(JsonFault::kTooMuch);
      return NextIs('{') ? ReadObject(depth, value) : ReadArray(depth, value);
    }
    if (NextIs('"')) {
      value->kind = JsonValue::Kind::kString;
      return ReadString(&value->text);
    }
    return ReadWord(value) || ReadNumber(value) || Fail(JsonFault::kSyntax);
  }

  bool ReadWord(JsonValue* value) {
    if (absl::ConsumePrefix(&rest_, "null")) return true;
    value->boolean = absl::ConsumePrefix(&rest_, "true");
    if (!value->boolean && !absl::ConsumePrefix(&rest_, "false")) return false;
    value->kind = JsonValue::Kind::kBool;
    return true;
  }

  bool ReadNumber(JsonValue* value) {
    const absl::string_view begin = rest_;
    Consume('-');
    const bool zero_first = NextIs('0');
    const std::size_t digits = ConsumeDigits(&rest_);
    if (digits == 0 || (zero_first && digits > 1)) return false;
    bool whole = true;
    if (Consume('.')) {
      whole = false;
      if (ConsumeDigits(&rest_) == 0) return false;
    }
    if (Consume('e') || Consume('E')) {
      whole = false;
      if (!Consume('+')) Consume('-');
      if (ConsumeDigits(&rest_) == 0) return false;
    }
    const absl::string_view written = begin.substr(0, begin.size() - rest_.size());
    if (whole && absl::SimpleAtoi(written, &value->integer)) {
      value->kind = JsonValue::Kind::kInteger;
    } else {
      value->kind = JsonValue::Kind::kNumber;
      value->text = std::string(written);
    }
    return true;
  }

  bool ReadString(std::string* text) {
    rest_.remove_prefix(1);
    while (true) {
      std::size_t plain = 0;
      while (plain < rest_.size() && IsPlain(rest_[plain])) ++plain;
      text->append(rest_.data(), plain);
      rest_.remove_prefix(plain);
      if (Consume('"')) return true;
      if (!Consume('\\') || !ReadEscape(text)) return Fail(JsonFault::kSyntax);
    }
  }

  bool ReadEscape(std::string* text) {
    if (rest_.empty()) return false;
    constexpr absl::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t which = kLetters.find(rest_[0]);
    if (which != absl::string_view::npos) {
      rest_.remove_prefix(1);
      text->push_back(kMeanings[which]);
      return true;
    }
    const std::optional<std::uint32_t> first = ReadCodeUnit();
    if (!first.has_value() || (*first & 0xfc00) == 0xdc00) return false;
    if ((*first & 0xfc00) != 0xd800) {
      AppendUtf8(*first, text);
      return true;
    }
    if (!Consume('\\')) return false;
    const std::optional<std::uint32_t> second = ReadCodeUnit();
    if (!second.has_value() || (*second & 0xfc00) != 0xdc00) return false;
    AppendUtf8(0x10000 + ((*first & 0x3ff) << 10) + (*second & 0x3ff), text);
    return true;
  }

  // `uXXXX`.
  std::optional<std::uint32_t> ReadCodeUnit() {
    if (!Consume('u') || rest_.size() < 4) return std::nullopt;
    std::uint32_t unit = 0;
    for (const char c : rest_.substr(0, 4)) {
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
      const char low = absl::ascii_tolower(static_cast<unsigned char>(c));
      unit = unit << 4 | static_cast<std::uint32_t>(low <= '9' ? low - '0' : low - 'a' + 10);
    }
    rest_.remove_prefix(4);
    return unit;
  }

  bool ReadArray(int depth, JsonValue* value) {
    value->kind = JsonValue::Kind::kArray;
    Consume('[');
    SkipSpace();
    if (Consume(']')) return true;
    while (true) {
      if (!ReadValue(depth + 1, &value->items.emplace_back())) return false;
      SkipSpace();
      if (Consume(']')) return true;
      if (!Consume(',')) return Fail(JsonFault::kSyntax);
    }
  }

  bool ReadObject(int depth, JsonValue* value) {
    value->kind = JsonValue::Kind::kObject;
    Consume('{');
    SkipSpace();
    if (Consume('}')) return true;
    value->members.reserve(kUsualMembers);
    while (true) {
      if (!ReadMember(depth, value)) return false;
      SkipSpace();
      if (Consume('}')) return true;
      if (!Consume(',')) return Fail(JsonFault::kSyntax);
    }
  }

  bool ReadMember(int depth, JsonValue* object) {
    SkipSpace();
    if (!NextIs('"')) return Fail(JsonFault::kSyntax);
    std::string name;
    if (!ReadString(&name)) return false;
    if (object->Find(name) != nullptr) return Fail(JsonFault::kDuplicateName);
    if (object->members.size() >= static_cast<std::size_t>(limits_.members)) {
      return Fail(JsonFault::kTooMuch);
    }
    SkipSpace();
    if (!Consume(':')) return Fail(JsonFault::kSyntax);
    JsonMember& member = object->members.emplace_back();
    member.name = std::move(name);
    return ReadValue(depth + 1, &member.value);
  }

  absl::string_view rest_;
  const JsonLimits limits_;
  int values_ = 0;
  JsonFault fault_ = JsonFault::kSyntax;
};

bool IsAscii(absl::string_view text) {
  // All of it, since a loop without an exit goes over many octets at once.
  unsigned char bits = 0;
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return bits < 0x80;
}

}  // namespace

const JsonValue* JsonValue::Find(absl::string_view name) const {
  for (const JsonMember& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::variant<JsonValue, JsonFault> ParseJson(absl::string_view text, const JsonLimits& limits) {
  if (!IsAscii(text) && !ca::DecodeUtf8(text).has_value()) return JsonFault::kNotUtf8;
  return JsonReader(text, limits).Read();
}

}  // namespace hourglass::issuance
