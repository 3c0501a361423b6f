#include "tools/xml/xml_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hourglass::profiles {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(XmlTreeTest, ReadsElementsNamespacesTextAndLines) {
  const XmlReading reading = ReadXml(
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
  const XmlElement* b = reading.root->Child("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->name_space, "urn:q");
  EXPECT_EQ(b->parent, reading.root.get());
  EXPECT_EQ(b->Attribute("c")->name_space, "urn:q");
  EXPECT_EQ(b->Attribute("c")->value, "1 & 2");
  EXPECT_EQ(b->Attribute("d")->value, "\xc3\xa9");
  EXPECT_EQ(b->Attribute("x"), nullptr);
  EXPECT_EQ(reading.root->Find({"e"})->text, "x < y<z>");
  EXPECT_EQ(reading.root->Find({"e", "f"}), nullptr);
}

TEST(XmlTreeTest, SaysWhereItIsNotWellFormed) {
  const XmlReading reading = ReadXml("<a>\n<b>\n</a>", 10);
  EXPECT_EQ(reading.root, nullptr);
  ASSERT_EQ(reading.faults.size(), 1U);
  EXPECT_EQ(reading.faults[0].kind, XmlFaultKind::kMalformed);
  EXPECT_EQ(reading.faults[0].line, 12);
  EXPECT_THAT(reading.faults[0].message, HasSubstr("b line 2 and a"));
}

TEST(XmlTreeTest, GoesOnBesideAnUnboundPrefix) {
  const XmlReading reading = ReadXml("<a>\n<b i:nil='true'/></a>");
  ASSERT_NE(reading.root, nullptr);
  ASSERT_EQ(reading.faults.size(), 1U);
  EXPECT_EQ(reading.faults[0].kind, XmlFaultKind::kUnboundPrefix);
  EXPECT_EQ(reading.faults[0].line, 2);
}

TEST(XmlTreeTest, HasNoEntitiesAndNoDocumentType) {
  EXPECT_NE(ReadXml("<a>&amp;&lt;&gt;&quot;&apos;</a>").root, nullptr);
  EXPECT_EQ(ReadXml("<a>&b;</a>").faults.at(0).kind, XmlFaultKind::kMalformed);
  EXPECT_EQ(ReadXml("<a b='&b;'/>").faults.at(0).kind, XmlFaultKind::kMalformed);
  EXPECT_EQ(ReadXml("<!DOCTYPE a><a/>").faults.at(0).kind, XmlFaultKind::kDocumentType);
  EXPECT_EQ(ReadXml("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").root, nullptr);
}

}  // namespace
}  // namespace hourglass::profiles
