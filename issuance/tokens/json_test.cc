#include "issuance/tokens/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using Kind = JsonValue::Kind;

JsonValue Sound(absl::string_view text) {
  std::variant<JsonValue, JsonFault> read = ParseJson(text);
  EXPECT_TRUE(std::holds_alternative<JsonValue>(read)) << text;
  return std::holds_alternative<JsonValue>(read) ? std::get<JsonValue>(read) : JsonValue();
}

// "" where it is read.
std::string FaultOf(absl::string_view text) {
  const std::variant<JsonValue, JsonFault> read = ParseJson(text);
  if (std::holds_alternative<JsonValue>(read)) return "";
  switch (std::get<JsonFault>(read)) {
    case JsonFault::kNotUtf8:
      return "not UTF-8";
    case JsonFault::kSyntax:
      return "syntax";
    case JsonFault::kDuplicateName:
      return "duplicate";
    case JsonFault::kTooMuch:
      return "too much";
  }
  return "?";
}

TEST(JsonTest, ReadsEveryKind) {
  const JsonValue value = Sound(
      " {\"null\":null, \"yes\":true,\t\"no\":false,\n\"int\":-12,\r\"half\":0.5,"
      "\"text\":\"a\",\"list\":[1,[],{}],\"object\":{\"in\":1}} ");
  ASSERT_EQ(value.kind, Kind::kObject);
  EXPECT_EQ(value.members.size(), 8u);
  EXPECT_EQ(value.Find("null")->kind, Kind::kNull);
  EXPECT_TRUE(value.Find("yes")->boolean);
  EXPECT_EQ(value.Find("no")->kind, Kind::kBool);
  EXPECT_FALSE(value.Find("no")->boolean);
  EXPECT_EQ(value.Find("int")->integer, -12);
  EXPECT_EQ(value.Find("half")->kind, Kind::kNumber);
  EXPECT_EQ(value.Find("half")->text, "0.5");
  EXPECT_EQ(value.Find("text")->text, "a");
  EXPECT_EQ(value.Find("list")->items.size(), 3u);
  EXPECT_EQ(value.Find("object")->Find("in")->integer, 1);
  EXPECT_EQ(value.Find("in"), nullptr);
}

TEST(JsonTest, TellsWholeNumbersFromOthers) {
  EXPECT_EQ(Sound("9223372036854775807").integer, 9223372036854775807);
  EXPECT_EQ(Sound("-9223372036854775808").integer, INT64_MIN);
  EXPECT_EQ(Sound("-0").kind, Kind::kInteger);
  for (const char* other : {"9223372036854775808", "-9223372036854775809", "1.0", "1e3", "1E+3",
                            "1e-3", "0.0", "1e999", "123456789012345678901234567890"}) {
    EXPECT_EQ(Sound(other).kind, Kind::kNumber) << other;
  }
  for (const char* none : {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity",
                           "-Infinity", "1_000", "00", "--1", "- 1"}) {
    EXPECT_EQ(FaultOf(none), "syntax") << none;
  }
}

TEST(JsonTest, EscapesMeanOneThing) {
  EXPECT_EQ(Sound(R"("\"\\\/\b\f\n\r\t")").text, "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Sound(R"("\u0041\u00e4\u20AC\ud83d\ude00")").text,
            "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(Sound(R"("\u0000")").text, std::string(1, '\0'));
  EXPECT_EQ(Sound("\"\xc3\xa4\"").text, "\xc3\xa4");
  for (const char* none : {R"("\u12")", R"("\u123g")", R"("\x41")", R"("\U0041")", R"("\ud83d")",
                           R"("\ude00")", R"("\ud83d\u0041")", R"("\ud83dA")", R"("\ud83d\ud83d")",
                           "\"\\", "\"\\u", "\"a", "'a'", "\"a\nb\"", "\"\x1f\""}) {
    EXPECT_EQ(FaultOf(none), "syntax") << none;
  }
}

TEST(JsonTest, ANameStandsOnce) {
  EXPECT_EQ(FaultOf(R"({"a":1,"b":1})"), "");
  EXPECT_EQ(FaultOf(R"({"a":{"a":1}})"), "");
  EXPECT_EQ(FaultOf(R"({"a":1,"a":1})"), "duplicate");
  EXPECT_EQ(FaultOf(R"({"a":1,"b":2,"\u0061":1})"), "duplicate");
  EXPECT_EQ(FaultOf(R"({"in":{"a":1,"a":2}})"), "duplicate");
  EXPECT_EQ(FaultOf(R"([{"a":1,"a":2}])"), "duplicate");
}

TEST(JsonTest, IsOneValueAndNothingElse) {
  for (const char* none :
       {"",          " ",       "{} {}",    "{}x",   "[1,]",  "{\"a\":1,}", "[,1]",
        "{,}",       "{\"a\"}", "{\"a\":}", "{a:1}", "{1:1}", "[1 2]",      "{\"a\":1 \"b\":2}",
        "//\n1",     "/* */1",  "[",        "{",     "]",     "nul",        "True",
        "{\"a\" 1}", "1,",      "\v1",      "\f1"}) {
    EXPECT_EQ(FaultOf(none), "syntax") << none;
  }
  EXPECT_EQ(FaultOf(absl::string_view("1\0", 2)), "syntax");
  EXPECT_EQ(FaultOf("\xef\xbb\xbf{}"), "syntax");
  EXPECT_EQ(FaultOf("\"\xff\""), "not UTF-8");
  EXPECT_EQ(FaultOf("\"\xc0\x80\""), "not UTF-8");
  EXPECT_EQ(FaultOf("\"\xed\xa0\x80\""), "not UTF-8");
}

TEST(JsonTest, IsBounded) {
  const auto nested = [](int depth) {
    return absl::StrCat(std::string(depth, '['), "1", std::string(depth, ']'));
  };
  EXPECT_EQ(FaultOf(nested(8)), "");
  EXPECT_EQ(FaultOf(nested(9)), "too much");
  EXPECT_EQ(FaultOf(nested(100'000)), "too much");
  const auto members = [](int count) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) absl::StrAppend(&text, i > 0 ? "," : "", "\"m", i, "\":1");
    return text + "}";
  };
  EXPECT_EQ(FaultOf(members(128)), "");
  EXPECT_EQ(FaultOf(members(129)), "too much");
  const auto items = [](int count) {
    std::string text = "[1";
    for (int i = 1; i < count; ++i) text += ",1";
    return text + "]";
  };
  EXPECT_EQ(FaultOf(items(4095)), "");
  EXPECT_EQ(FaultOf(items(4096)), "too much");
}

// Another reader has the same texts, but for what it lets pass by design.
TEST(JsonTest, AgreesWithAnotherReader) {
  for (const char* text :
       {"{\"a\":[1,2.5,-3,true,null,\"\\u00e4\"]}", "[]", "\"\"", "[1,]", "{\"a\":tru}", "01",
        "\"\\ud800\"", "\"\xff\"", "[[[[1]]]]", "-", "1e5", "{\"\":{}}", "\"\\q\"", "\t[\n]\r"}) {
    const std::variant<JsonValue, JsonFault> ours = ParseJson(text);
    EXPECT_EQ(std::holds_alternative<JsonValue>(ours), nlohmann::json::accept(text)) << text;
  }
}

}  // namespace
}  // namespace hourglass::issuance
