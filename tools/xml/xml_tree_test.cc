#include "tools/xml/xml_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::xml {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Repeated(absl::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) absl::StrAppend(&all, text);
  return all;
}

// Why it is refused; "read" where it is not.
std::string WhyNot(absl::string_view xml, const Limits& limits = {}) {
  const auto read = ReadFile(xml, limits);
  if (read.ok()) return "read";
  EXPECT_EQ(ReasonOf(read.status()), ErrorReason::kFieldInvalid);
  return std::string(read.status().message());
}

// The one fault of what is no XML.
Fault FaultOf(absl::string_view xml, int first_line = 1) {
  const Reading reading = Read(xml, first_line);
  EXPECT_EQ(reading.root, nullptr) << xml;
  EXPECT_EQ(reading.faults.size(), 1U) << xml;
  return reading.faults.empty() ? Fault() : reading.faults.front();
}

TEST(XmlTreeTest, ReadsElementsNamespacesTextAndLines) {
  const Reading reading = Read(
      "<?xml version='1.0' encoding='utf-16'?>\n"
      "<a xmlns='urn:a' xmlns:q='urn:q'>\n"
      "  <q:b q:c='1 &amp; 2' d='&#233;'/><!-- no -->\n"
      "  <e>x &lt; y<![CDATA[<z>]]></e>\n"
      "\n"
      "  stray\n"
      "</a>");
  EXPECT_THAT(reading.faults, IsEmpty());
  ASSERT_NE(reading.root, nullptr);
  EXPECT_EQ(reading.root->name_space, "urn:a");
  EXPECT_EQ(reading.root->line, 2);
  EXPECT_EQ(reading.root->Trimmed(), "stray");
  EXPECT_EQ(reading.root->text_line, 6);
  const Element* b = reading.root->Child("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->name_space, "urn:q");
  EXPECT_EQ(b->line, 3);
  EXPECT_EQ(b->parent, reading.root.get());
  EXPECT_EQ(b->FindAttribute("c")->name_space, "urn:q");
  EXPECT_EQ(b->FindAttribute("x"), nullptr);
  EXPECT_EQ(b->AttributeOr("c", ""), "1 & 2");
  EXPECT_EQ(b->AttributeOr("d", ""), "\xc3\xa9");
  EXPECT_EQ(b->AttributeOr("x", "none"), "none");
  EXPECT_EQ(reading.root->Find({"e"})->text, "x < y<z>");
  EXPECT_EQ(reading.root->Find({"e", "f"}), nullptr);
  EXPECT_EQ(reading.root->Child("d"), nullptr);
}

TEST(XmlTreeTest, CountsLinesBehindLeadingBlanksAndOfEveryKind) {
  constexpr char kBehindBlanks[] = "\n \n<?xml version='1.0'?>\n<a>\n<b></a>";
  EXPECT_EQ(Read("\n\n<?xml version='1.0'?>\n<a/>").root->line, 4);
  EXPECT_EQ(FaultOf(kBehindBlanks).line, 5);
  EXPECT_EQ(FaultOf(kBehindBlanks, 10).line, 14);
  EXPECT_THAT(WhyNot(kBehindBlanks), HasSubstr("line 5: "));
  EXPECT_THAT(WhyNot("\r\n<a>\r\n<b></a>"), HasSubstr("line 3: "));
  EXPECT_THAT(WhyNot(absl::string_view("\xFF\xFE\n\0<\0a\0>\0", 10)), HasSubstr("line 2: "));
}

TEST(XmlTreeTest, SaysWhereItIsNotWellFormed) {
  const Fault fault = FaultOf("<a>\n<b>\n</a>", 10);
  EXPECT_EQ(fault.kind, FaultKind::kMalformed);
  EXPECT_EQ(fault.line, 12);
  EXPECT_EQ(fault.message, "an element is closed that is not the one which is open (of line 11)");
  EXPECT_THAT(FaultOf("<a b=c/>").message, HasSubstr("quotes"));
  EXPECT_THAT(FaultOf("<a b='c' b='d'/>").message, HasSubstr("twice"));
  EXPECT_THAT(FaultOf("<a>&b</a>").message, HasSubstr("not escaped"));
  EXPECT_THAT(FaultOf("<a").message, HasSubstr("no end"));
  EXPECT_THAT(FaultOf("<a>").message, HasSubstr("the file ends"));
  EXPECT_THAT(FaultOf("<a>\x01</a>").message, HasSubstr("character"));
  EXPECT_THAT(FaultOf("<!-- -->").line, 1);
}

TEST(XmlTreeTest, GoesOnBesideAnUnboundPrefix) {
  const Reading reading = Read("<a>\n<b i:nil='true'/></a>");
  ASSERT_NE(reading.root, nullptr);
  EXPECT_NE(reading.root->Child("b"), nullptr);
  ASSERT_EQ(reading.faults.size(), 1U);
  EXPECT_EQ(reading.faults[0].kind, FaultKind::kUnboundPrefix);
  EXPECT_EQ(reading.faults[0].line, 2);
  EXPECT_THAT(WhyNot("<a i:nil='true'/>"), HasSubstr("a prefix has no namespace"));
}

TEST(XmlTreeTest, HasNoEntitiesAndNoDocumentType) {
  EXPECT_EQ(WhyNot("<!-- <!DOCTYPE a> --><a>&amp;&lt;&gt;&quot;&apos;</a>"), "read");
  for (const char* xml : {"<a>&b;</a>", "<a b='&b;'/>"}) {
    EXPECT_EQ(FaultOf(xml).kind, FaultKind::kMalformed);
    EXPECT_THAT(FaultOf(xml).message, HasSubstr("entity"));
  }
  for (const char* xml : {"<!DOCTYPE a><a/>", "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a/>",
                          "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>"}) {
    EXPECT_EQ(FaultOf(xml).kind, FaultKind::kDocumentType);
    EXPECT_THAT(WhyNot(xml), HasSubstr("line 1: it has a document type"));
  }
}

TEST(XmlTreeTest, WhatTheDeclarationSaysOfTheEncodingDoesNotCount) {
  EXPECT_EQ(WhyNot("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>\xC3\xA9</a>"),
            "read");
  EXPECT_EQ(WhyNot(absl::string_view("<\0a\0/\0>\0", 8)), "read");
  EXPECT_EQ(WhyNot(absl::string_view("\xFF\xFE<\0a\0/\0>\0", 10)), "read");
  EXPECT_EQ(WhyNot(absl::string_view("\xFE\xFF\0<\0a\0/\0>", 10)), "read");
  EXPECT_THAT(WhyNot("<a>\xE9</a>"), HasSubstr("neither UTF-8 nor UTF-16"));
  EXPECT_THAT(WhyNot(absl::string_view("<a>....\0</a>", 12)),
              HasSubstr("neither UTF-8 nor UTF-16"));
}

TEST(XmlTreeTest, IsBounded) {
  const Limits few = {.mebibytes = 1, .depth = 3, .elements = 5};
  EXPECT_EQ(WhyNot("<a><b><c/></b><d/><e/></a>", few), "read");
  EXPECT_THAT(WhyNot("<a><b><c><d/></c></b></a>", few), HasSubstr("more than 3 deep"));
  EXPECT_THAT(WhyNot("<a><b><c/></b><d/><e/><f/></a>", few), HasSubstr("more than 5 elements"));
  EXPECT_THAT(WhyNot(std::string((1 << 20) + 1, 'a'), few), HasSubstr("more than 1 MiB"));
  EXPECT_EQ(Read(std::string((1 << 20) + 1, 'a'), 1, few).faults.at(0).kind, FaultKind::kTooLarge);
  EXPECT_EQ(WhyNot(Repeated("<a>", 64) + Repeated("</a>", 64)), "read");
  EXPECT_THAT(WhyNot(Repeated("<a>", 65) + Repeated("</a>", 65)), HasSubstr("64 deep"));
  EXPECT_THAT(WhyNot(Repeated("<a>", 100'000)), HasSubstr("64 deep"));
  EXPECT_THAT(WhyNot("<a>" + Repeated("<b/>", 200'000) + "</a>"),
              HasSubstr("more than 200000 elements"));
  EXPECT_THAT(WhyNot(std::string((16 << 20) + 1, 'a')), HasSubstr("more than 16 MiB"));
}

TEST(XmlTreeTest, SaysNothingOfTheFileWhereItIsDamaged) {
  for (const char* xml :
       {"<s>horse&battery;</s>", "<s>horse<battery</s>", "<s><battery></s>", "<s battery='horse>",
        "<s horse='1' horse='2'/>", "<horse:s battery:x='1'/>", "<horse", "<s xml:lang=horse/>"}) {
    EXPECT_THAT(WhyNot(xml), AllOf(HasSubstr("line 1: it is no well-formed XML: "),
                                   Not(HasSubstr("battery")), Not(HasSubstr("horse"))));
  }
}

TEST(XmlTreeTest, RefusesWhatIsNone) {
  EXPECT_EQ(WhyNot(""), "it is empty");
  EXPECT_EQ(WhyNot(" \n"), "it is empty");
  EXPECT_THAT(WhyNot("- <a/>"), HasSubstr("does not begin with `<`"));
  EXPECT_THAT(WhyNot("<# <a/> #>"), HasSubstr("a script's comment"));
  EXPECT_THAT(WhyNot("<a/><b/>"), HasSubstr("something follows"));
  EXPECT_THAT(WhyNot("<a>"), HasSubstr("ends"));
  EXPECT_THAT(WhyNot("<!-- -->"), HasSubstr("line 1"));
}

}  // namespace
}  // namespace hourglass::xml
