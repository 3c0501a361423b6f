#include "ca/names/domain_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace hourglass::ca {
namespace {

using testing::HasSubstr;

std::string FaultOf(absl::string_view domain) { return FaultInDomain(domain).value_or("sound"); }

TEST(DomainNameTest, DomainsAreWhatIdnaWants) {
  for (const char* domain :
       {"contoso.example", "a", "1.2", "a-b.c-d", "m\u00fcnchen.example", "xn--mnchen-3ya.example",
        "b\u00fccher.xn--mnchen-3ya", "\u4f8b\u3048.\u30c6\u30b9\u30c8", "fa\u00df.example"}) {
    EXPECT_EQ(FaultOf(domain), "sound") << domain;
  }
  const std::string label(63, 'a');
  EXPECT_EQ(FaultOf(label), "sound");
  EXPECT_THAT(FaultOf(label + "a"), HasSubstr("63"));
  EXPECT_EQ(FaultOf(absl::StrCat(label, ".", label, ".", label, ".", std::string(61, 'a'))),
            "sound");
  EXPECT_THAT(FaultOf(absl::StrCat(label, ".", label, ".", label, ".", std::string(62, 'a'))),
              HasSubstr("253"));
  for (const char* domain :
       {"", ".", "a.", ".a", "a..b", "-", "-a", "a-", "a.-", "ab--c", "a_b", "a*b",
        "*.contoso.example", "a b", "a:b", "[1]", "xn--", "xn--a", "xn--zzzzzzzz",
        "xn--contoso-.example",
        // An A-label of what is no U-label, but a symbol.
        "xn--ls8h", "\u2603.example", "a\u3002b", "\u00ad", "m\u00fc--nchen.x-\u00fc-"}) {
    EXPECT_NE(FaultOf(domain), "sound") << domain;
  }
  // 56 letters of two octets fit into 63 octets of an A-label no more.
  std::string wide;
  for (int i = 0; i < 60; ++i) wide += i % 2 == 0 ? "\u00fc" : "\u00e4";
  EXPECT_NE(FaultOf(wide), "sound");
}

// Each refusal by its words, beside what is sound.
TEST(DomainNameTest, SaysWhatIsWrong) {
  const std::pair<std::string, const char*> domains[] = {
      {"", "has an empty label"},
      {".", "has an empty label"},
      {"a.", "has an empty label"},
      {".a", "has an empty label"},
      {"a..b", "has an empty label"},
      {std::string(64, 'a'), "has a label of more than 63 octets"},
      {"b." + std::string(64, 'a'), "has a label of more than 63 octets"},
      {"a_b", "has U+005F, which no domain may have"},
      {"a b", "has U+0020, which no domain may have"},
      {std::string("a\0b", 3), "has U+0000, which no domain may have"},
      {"a\x7f", "has U+007F, which no domain may have"},
      {"a@b", "has U+0040, which no domain may have"},
      {"-a", "has a hyphen at an end of a label"},
      {"a-.b", "has a hyphen at an end of a label"},
      {"ab--c", "has two hyphens where an A-label has them"},
      {"xm--c", "has two hyphens where an A-label has them"},
      {"xn--a", "is not what IDNA wants"},
      {"a\xff", "is not UTF-8"},
      {"\u2603.example", "has U+2603, which is neither a letter nor a digit"},
      {"a\u3002b", "has U+3002, which is neither a letter nor a digit"},
      {"\u00adb", "has U+00AD, which is a format character"},
      {"\uff41b", "has U+FF41, which is another form of a common character"},
      {"p\u0430ypal", "has a label of letters of several scripts, which look alike"},
      {"xn--pypal-4ve", "has a label of letters of several scripts, which look alike"},
      {"\u0308a", "is not what IDNA wants"},
      {"a\u05d0", "has a label of letters of several scripts, which look alike"},
      {"mu\u0308nchen", "has a label that IDNA writes in another way"},
  };
  for (const auto& [domain, fault] : domains) EXPECT_EQ(FaultOf(domain), fault) << domain;
}

TEST(DomainNameTest, LabelsOf63OctetsAndDomainsOf253) {
  const std::string label(63, 'a'), three = absl::StrCat(label, ".", label, ".", label, ".");
  EXPECT_EQ(FaultOf(three + std::string(61, 'b')), "sound");
  EXPECT_EQ(FaultOf(three + std::string(62, 'b')), "has more than 253 octets");
  EXPECT_EQ(FaultOf("a"), "sound");
  EXPECT_EQ(FaultOf("ab-c"), "sound");
  EXPECT_EQ(FaultOf("a--b"), "sound") << "second and third place";
  EXPECT_EQ(FaultOf("abc--d"), "sound") << "fourth and fifth";
  // An A-label of 63 octets, and of 64: by Python's punycode, xn--a…a-8yf and xn--a…a-t2f.
  EXPECT_EQ(FaultOf(std::string(55, 'a') + "\u00fc"), "sound");
  EXPECT_EQ(FaultOf(absl::StrCat("xn--", std::string(55, 'a'), "-8yf")), "sound");
  EXPECT_EQ(FaultOf(std::string(56, 'a') + "\u00fc"), "is not what IDNA wants");
}

// The samples of RFC 3492 section 7.1 that have letters and digits only, as A-labels.
const std::pair<const char*, const char*> kSamples[] = {
    {"\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587", "ihqwcrb4cv8a8dqg056pqjye"},
    {"\u4ed6\u5011\u7232\u4ec0\u9ebd\u4e0d\u8aaa\u4e2d\u6587", "ihqwctvzc91f659drss3x8bo0yb"},
    {"Pro\u010dprost\u011bnemluv\u00ed\u010desky", "Proprostnemluvesky-uyb24dma41a"},
    {"\u05dc\u05de\u05d4\u05d4\u05dd\u05e4\u05e9\u05d5\u05d8\u05dc\u05d0\u05de\u05d3\u05d1\u05e8"
     "\u05d9\u05dd\u05e2\u05d1\u05e8\u05d9\u05ea",
     "4dbcagdahymbxekheh6e0a7fei0b"},
    {"\u092f\u0939\u0932\u094b\u0917\u0939\u093f\u0928\u094d\u0926\u0940\u0915\u094d\u092f\u094b"
     "\u0902\u0928\u0939\u0940\u0902\u092c\u094b\u0932\u0938\u0915\u0924\u0947\u0939\u0948\u0902",
     "i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd"},
    {"\u306a\u305c\u307f\u3093\u306a\u65e5\u672c\u8a9e\u3092\u8a71\u3057\u3066\u304f\u308c\u306a"
     "\u3044\u306e\u304b",
     "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa"},
    {"\u043f\u043e\u0447\u0435\u043c\u0443\u0436\u0435\u043e\u043d\u0438\u043d\u0435\u0433\u043e"
     "\u0432\u043e\u0440\u044f\u0442\u043f\u043e\u0440\u0443\u0441\u0441\u043a\u0438",
     "b1abfaaepdrnnbgefbaDotcwatmq2g4l"},
    {"Porqu\u00e9nopuedensimplementehablarenEspa\u00f1ol",
     "PorqunopuedensimplementehablarenEspaol-fmd56a"},
    {"3\u5e74B\u7d44\u91d1\u516b\u5148\u751f", "3B-ww4c5e180e575a65lsy2b"},
    {"\u5b89\u5ba4\u5948\u7f8e\u6075-with-SUPER-MONKEYS",
     "-with-SUPER-MONKEYS-pc58ag80a8qai00g7n9n"},
    {"Hello-Another-Way-\u305d\u308c\u305e\u308c\u306e\u5834\u6240",
     "Hello-Another-Way--fc4qua05auwb3674vfr0b"},
    {"\u3072\u3068\u3064\u5c4b\u6839\u306e\u4e0b2", "2-u9tlzr9756bt3uc0v"},
    {"\u305d\u306e\u30b9\u30d4\u30fc\u30c9\u3067", "d9juau41awczczp"},
};

TEST(DomainNameTest, ULabelsAreTheALabelsOfRfc3492) {
  for (const auto& [unicode, ascii] : kSamples) {
    const std::string a_label = absl::StrCat("xn--", ascii), lower = absl::AsciiStrToLower(a_label);
    EXPECT_EQ(FaultOf(unicode), "sound") << unicode;
    EXPECT_EQ(FaultOf(a_label), "sound") << a_label;
    EXPECT_EQ(FaultOf(absl::AsciiStrToUpper(a_label)), "sound") << a_label;
    EXPECT_EQ(FoldedDomain(unicode), lower);
    EXPECT_EQ(FoldedDomain(a_label), lower);
    EXPECT_EQ(FoldedDomain(absl::StrCat("WWW.", unicode, ".Example")),
              absl::StrCat("www.", lower, ".example"));
  }
}

// UTS 46 section 7: where it is not transitional, the deviation characters stay.
TEST(DomainNameTest, DeviationsAreKept) {
  EXPECT_EQ(FoldedDomain("fa\u00df.de"), "xn--fa-hia.de");
  EXPECT_EQ(FoldedDomain("\u03b2\u03cc\u03bb\u03bf\u03c2.com"), "xn--nxasmm1c.com");
  EXPECT_EQ(FoldedDomain("FASS.de"), "fass.de");
}

TEST(DomainNameTest, FoldsWhatIsTheSame) {
  for (const char* same :
       {"m\u00fcnchen.example", "M\u00dcNCHEN.Example", "mu\u0308nchen.example",
        "xn--mnchen-3ya.example", "XN--MNCHEN-3YA.EXAMPLE", "\uff4d\u00fcnchen\u3002example",
        "m\u00fc\u00adnchen.example", " m\u00fcnchen.example\n"}) {
    EXPECT_EQ(FoldedDomain(same), "xn--mnchen-3ya.example") << same;
  }
  EXPECT_EQ(FoldedDomain("  Contoso.EXAMPLE\t"), "contoso.example");
  EXPECT_EQ(FoldedDomain(""), "");
  EXPECT_NE(FoldedDomain("munchen.example"), FoldedDomain("m\u00fcnchen.example"));
}

// What is no domain is text: case folded, without white space at its ends, and if it is no text
// even, as it is.
TEST(DomainNameTest, FoldsWhatIsNoDomain) {
  EXPECT_EQ(FoldedDomain(" A_B "), "a_b");
  EXPECT_EQ(FoldedDomain(" M\u00dcN_CHEN "), "m\u00fcn_chen");
  EXPECT_EQ(FoldedDomain(" A\xff "), "A\xff");
  for (const char* text : {"Contoso.Example", "M\u00dcN_CHEN", "-\u00dc-", "\u2603.\u00dc", "A\xff",
                           "a..b", "..\u00fc", "xn--\u00fc", "\u0308", "\u05d0a", "  \u00fc  "}) {
    const std::string folded = FoldedDomain(text);
    EXPECT_EQ(FoldedDomain(folded), folded) << "folding twice changes nothing: " << text;
  }
}

}  // namespace
}  // namespace hourglass::ca
