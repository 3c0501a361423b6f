#include "ca/names/name_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "ca/text/code_points.h"

namespace hourglass::ca {
namespace {

using testing::HasSubstr;

std::string FaultOf(std::optional<std::string> fault) { return fault.value_or("sound"); }
std::string OfUpn(absl::string_view upn) { return FaultOf(FaultInUpn(upn)); }
std::string OfName(absl::string_view name) { return FaultOf(FaultInDisplayName(name)); }

TEST(NameRulesTest, TakesTheNamesOfPeople) {
  for (const char* upn : {"alice@contoso.example",
                          "Alice.Smith@CONTOSO.example",
                          "o'brien@contoso.example",
                          "alice+vpn@contoso.example",
                          "a-b_c@contoso.example",
                          "host$@corp.contoso.example",
                          "alice_contoso.com#EXT#@fabrikam.onmicrosoft.com",
                          "a@b",
                          "r&d@contoso.example",
                          "m\u00fcller@contoso.example",
                          "M\u00dcLLER@m\u00fcnchen.example",
                          "\u017bubr@contoso.example",
                          "stra\u00dfe@stra\u00dfe.example",
                          "user@xn--mnchen-3ya.example",
                          "user@XN--MNCHEN-3YA.example",
                          "\u0438\u0432\u0430\u043d@contoso.example",
                          "\u0438\u0432\u0430\u043d@\u043f\u043e\u0447\u0442\u0430.example",
                          "\u03b1\u03bb\u03ad\u03be\u03b7\u03c2@contoso.example",
                          "\u5c71\u7530\u592a\u90ce@contoso.example",
                          "\u5c71\u7530\u30bf\u30ed\u3046ok@contoso.example",
                          "\u05d0\u05d1\u05d2@contoso.example",
                          "\u0645\u062d\u0645\u062f@contoso.example",
                          "\u0928\u092e\u0938\u094d\u0924\u0947@contoso.example",
                          "para\u006c\u00b7lel@contoso.example",
                          "nguy\u1ec5n@contoso.example"}) {
    EXPECT_EQ(OfUpn(upn), "sound") << upn;
  }
}

// Each with the character that the message must name.
TEST(NameRulesTest, RefusesWhatIsNotSeen) {
  const std::pair<const char32_t, const char*> kInvisible[] = {
      {0x20, "white space"},    {0xa0, "white space"},    {0x3000, "white space"},
      {0x2003, "white space"},  {0x1680, "white space"},  {0x2028, "a line separator"},
      {0x2029, "a line sep"},   {0x0, "a control"},       {0x7, "a control"},
      {0x1b, "a control"},      {0x7f, "a control"},      {0x85, "a control"},
      {0x9b, "a control"},      {0xad, "a format"},       {0x200b, "a format"},
      {0x200c, "a format"},     {0x200d, "a format"},     {0x200e, "a format"},
      {0x200f, "a format"},     {0x202a, "a format"},     {0x202e, "a format"},
      {0x2060, "a format"},     {0x2066, "a format"},     {0x2069, "a format"},
      {0x61c, "a format"},      {0xfeff, "a format"},     {0xe0041, "a format"},
      {0xe0001, "a format"},    {0x180e, "a format"},     {0x34f, "not seen"},
      {0x115f, "not seen"},     {0x3164, "not seen"},     {0xfe0f, "not seen"},
      {0xe0100, "not seen"},    {0x2800, "not seen"},     {0xfffe, "not a character"},
      {0xffff, "not a char"},   {0xfdd0, "not a char"},   {0x1fffe, "not a char"},
      {0x10ffff, "not a char"}, {0xe000, "private use"},  {0xf0000, "private use"},
      {0x378, "not assigned"},  {0x2fffd, "not assigned"}};
  for (const auto& [character, what] : kInvisible) {
    std::string utf8;
    if (character < 0x80) {
      utf8 = std::string(1, static_cast<char>(character));
    } else if (character < 0x800) {
      utf8 = {static_cast<char>(0xc0 | character >> 6),
              static_cast<char>(0x80 | (character & 0x3f))};
    } else if (character < 0x10000) {
      utf8 = {static_cast<char>(0xe0 | character >> 12),
              static_cast<char>(0x80 | (character >> 6 & 0x3f)),
              static_cast<char>(0x80 | (character & 0x3f))};
    } else {
      utf8 = {static_cast<char>(0xf0 | character >> 18),
              static_cast<char>(0x80 | (character >> 12 & 0x3f)),
              static_cast<char>(0x80 | (character >> 6 & 0x3f)),
              static_cast<char>(0x80 | (character & 0x3f))};
    }
    const std::string named = CodePointInWords(character);
    for (const std::string& upn : {absl::StrCat("us", utf8, "er@contoso.example"),
                                   absl::StrCat(utf8, "user@contoso.example"),
                                   absl::StrCat("user", utf8, "@contoso.example"),
                                   absl::StrCat("m\u00fcller", utf8, "@contoso.example")}) {
      EXPECT_THAT(OfUpn(upn), testing::AllOf(HasSubstr(named), HasSubstr(what)));
    }
    for (const std::string& domain :
         {absl::StrCat("con", utf8, "toso.example"), absl::StrCat("contoso.example", utf8)}) {
      EXPECT_THAT(OfUpn("user@" + domain), HasSubstr(named));
    }
    if (character == U' ') continue;
    EXPECT_THAT(OfName(absl::StrCat("Con", utf8, "toso")),
                testing::AllOf(HasSubstr(named), HasSubstr(what)));
  }
}

TEST(NameRulesTest, RefusesWhatMeansSomethingElseInLocalParts) {
  for (const char c : std::string("*()\\,\";<>:[]|/=?%`{}")) {
    EXPECT_THAT(OfUpn(absl::StrCat("al", std::string(1, c), "ice@contoso.example")),
                testing::AllOf(HasSubstr(CodePointInWords(static_cast<unsigned char>(c))),
                               HasSubstr("means something else")));
  }
  EXPECT_THAT(OfUpn("alice)(cn=*@contoso.example"), HasSubstr("U+0029 ())"));
  EXPECT_THAT(OfUpn("a@b@c"), HasSubstr("exactly one @"));
  // Wide forms of them, and symbols.
  for (const char* upn :
       {"a\uff0ab@c.example", "a\u2217b@c.example", "a\u20acb@c.example", "\U0001f600@c.example"}) {
    EXPECT_NE(OfUpn(upn), "sound") << upn;
  }
}

TEST(NameRulesTest, WantsTheNormalForm) {
  EXPECT_EQ(OfUpn("m\u00fcller@contoso.example"), "sound");
  EXPECT_THAT(OfUpn("mu\u0308ller@contoso.example"), HasSubstr("Normalization Form C"));
  EXPECT_THAT(OfUpn("\u0308uller@contoso.example"), HasSubstr("U+0308"));
  // A singleton, and compatibility forms.
  EXPECT_THAT(OfUpn("\u212bngstr\u00f6m@contoso.example"), HasSubstr("U+212B"));
  EXPECT_THAT(OfUpn("\uff41lice@contoso.example"), HasSubstr("U+FF41"));
  EXPECT_THAT(OfUpn("\ufb01n@contoso.example"), HasSubstr("U+FB01"));
  EXPECT_THAT(OfUpn("user@mu\u0308nchen.example"), HasSubstr("domain"));
}

TEST(NameRulesTest, WantsUtf8) {
  // A stray octet, an overlong form, a surrogate, a character that ends too early.
  for (const char* octets : {"\xff", "\xc1\xa1", "\xed\xa0\x80", "\xc3"}) {
    EXPECT_THAT(OfUpn(absl::StrCat("alice", octets, "@contoso.example")), HasSubstr("UTF-8"));
    EXPECT_THAT(OfName(absl::StrCat("Contoso", octets)), HasSubstr("UTF-8"));
  }
}

TEST(NameRulesTest, RefusesScriptsThatAreMixedToDeceive) {
  EXPECT_THAT(OfUpn("\u0430lice@contoso.example"), HasSubstr("several scripts"));
  EXPECT_THAT(OfUpn("al\u03b9ce@contoso.example"), HasSubstr("several scripts"));
  EXPECT_THAT(OfUpn("alice@c\u043entoso.example"), HasSubstr("several scripts"));
  // The same in disguise.
  EXPECT_THAT(OfUpn("alice@xn--cntoso-61g.example"), HasSubstr("several scripts"));
  EXPECT_THAT(OfName("C\u043entoso"), HasSubstr("several scripts"));
  EXPECT_EQ(OfName("Contoso \u0420\u043e\u0441\u0441\u0438\u044f"), "sound");
}

TEST(NameRulesTest, RefusesMixedDirectionsAndCharactersOutOfPlace) {
  EXPECT_THAT(OfUpn("\u05d0\u05d1-@contoso.example"), HasSubstr("directions"));
  EXPECT_THAT(OfUpn("1\u05d0\u05d1@contoso.example"), HasSubstr("directions"));
  EXPECT_THAT(OfUpn("\u0645\u06601@contoso.example"), HasSubstr("directions"));
  EXPECT_EQ(OfUpn("\u05d0\u05d11@contoso.example"), "sound");
  EXPECT_THAT(OfUpn("a\u00b7b@contoso.example"), HasSubstr("out of its place"));
  EXPECT_THAT(OfUpn("\u0375a@contoso.example"), testing::Not("sound"));
  EXPECT_THAT(OfUpn("\u0640\u0645@contoso.example"), HasSubstr("U+0640"));
}

TEST(NameRulesTest, IdsArePlain) {
  for (const char* id : {"", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "{6B29FC40}", "aa:bb:cc",
                         "S-1-5-21-1", "x/y+z==", "~!#$%&'.?@[]^_"}) {
    EXPECT_EQ(FaultOf(FaultInId(id)), "sound") << id;
  }
  for (const char* id : {"a b", " a", "a\t", "a\"b", "a*", "(a", "a)", "a,b", "a;b", "<a", "a>",
                         "a\\b", "a`b", "a|b", "\u00e9", "a\u202e", "a\xff"}) {
    EXPECT_NE(FaultOf(FaultInId(id)), "sound") << id;
  }
  EXPECT_THAT(FaultOf(FaultInId("a*")), HasSubstr("U+002A"));
}

TEST(NameRulesTest, DisplayNamesAreForPeople) {
  for (const char* name :
       {"Contoso", "Contoso (Berlin), Ltd.", "M\u00fcller & S\u00f6hne", "\u2605 Contoso \u20ac",
        "\u5c71\u7530\u5546\u4e8b", "\u05d0\u05d1\u05d2 123", "O'Brien \"VPN\""}) {
    EXPECT_EQ(OfName(name), "sound") << name;
  }
  EXPECT_THAT(OfName(""), HasSubstr("empty"));
  EXPECT_THAT(OfName(" Contoso"), HasSubstr("end"));
  EXPECT_THAT(OfName("Contoso "), HasSubstr("end"));
  EXPECT_THAT(OfName("Con  toso"), HasSubstr("two spaces"));
  EXPECT_THAT(OfName("Con\xff"), HasSubstr("UTF-8"));
  EXPECT_THAT(OfName("Mu\u0308ller"), HasSubstr("Normalization Form C"));
}

TEST(NameRulesTest, FoldsWhatPeopleTakeForTheSame) {
  for (const char* upn :
       {"Alice@Contoso.Example", "alice@contoso.example", " ALICE@CONTOSO.EXAMPLE ",
        "alice@contoso.example\u200e", "al\u200bice@contoso.example", "\uff41lice@contoso.example",
        "alice@contoso.example\u00a0", "\u202ealice@contoso.example"}) {
    EXPECT_EQ(FoldedUpn(upn), "alice@contoso.example") << upn;
  }
  for (const char* upn : {"M\u00dcLLER@M\u00dcNCHEN.example", "m\u00fcller@xn--mnchen-3ya.example",
                          "mu\u0308ller@mu\u0308nchen.EXAMPLE"}) {
    EXPECT_EQ(FoldedUpn(upn), "m\u00fcller@xn--mnchen-3ya.example") << upn;
  }
  EXPECT_EQ(FoldedUpn("STRASSE@a"), FoldedUpn("stra\u00dfe@a"));
  EXPECT_NE(FoldedUpn("a@STRASSE.example"), FoldedUpn("a@stra\u00dfe.example"));
  EXPECT_NE(FoldedUpn("\u0430lice@contoso.example"), FoldedUpn("alice@contoso.example"));
  // Any octets.
  EXPECT_EQ(FoldedUpn(""), "");
  EXPECT_EQ(FoldedUpn("\xff\xfe"), "\xff\xfe");
  EXPECT_EQ(FoldedUpn("A\xff@B"), "A\xff@b");
}

}  // namespace
}  // namespace hourglass::ca
