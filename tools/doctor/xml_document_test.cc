#include "tools/doctor/xml_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::doctor {
namespace {

using testing::HasSubstr;

std::string Repeated(absl::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) absl::StrAppend(&all, text);
  return all;
}

// Why it is refused; "read" where it is not.
std::string FaultOf(absl::string_view xml) {
  const auto read = ParseXml(xml);
  if (read.ok()) return "read";
  EXPECT_EQ(ReasonOf(read.status()), ErrorReason::kFieldInvalid);
  return std::string(read.status().message());
}

TEST(XmlDocumentTest, ReadsNamesAttributesAndText) {
  ASSERT_OK_AND_ASSIGN(const XmlElement root,
                       ParseXml("<?xml version=\"1.0\"?>\n<a xmlns:d=\"urn:d\">\n"
                                "<b d:t=\"x &amp; y\"> 1 &lt; 2 <![CDATA[<raw>]]> </b><c/></a>"));
  EXPECT_EQ(root.name, "a");
  ASSERT_EQ(root.children.size(), 2U);
  const XmlElement& b = root.children[0];
  EXPECT_EQ(b.TrimmedText(), "1 < 2 <raw>");
  EXPECT_EQ(b.Attribute("t"), "x & y");
  EXPECT_EQ(b.Attribute("other"), "");
  EXPECT_EQ(b.line, 3);
  EXPECT_EQ(root.Child("c"), &root.children[1]);
  EXPECT_EQ(root.Child("d"), nullptr);
  EXPECT_EQ(root.Descendant({"b", "c"}), nullptr);
}

TEST(XmlDocumentTest, WhatTheDeclarationSaysOfTheEncodingDoesNotCount) {
  EXPECT_EQ(FaultOf("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-16\"?><a>\xC3\xA9</a>"),
            "read");
  EXPECT_EQ(FaultOf(absl::string_view("<\0a\0/\0>\0", 8)), "read");
  EXPECT_EQ(FaultOf(absl::string_view("\xFF\xFE<\0a\0/\0>\0", 10)), "read");
  EXPECT_EQ(FaultOf(absl::string_view("\xFE\xFF\0<\0a\0/\0>", 10)), "read");
  EXPECT_THAT(FaultOf("<a>\xE9</a>"), HasSubstr("neither UTF-8 nor UTF-16"));
}

TEST(XmlDocumentTest, NoDocumentTypeNoEntities) {
  EXPECT_EQ(FaultOf("<!-- <!DOCTYPE a> --><a>&amp;</a>"), "read");
  EXPECT_THAT(FaultOf("<!DOCTYPE a><a/>"), HasSubstr("document type"));
  EXPECT_THAT(FaultOf("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>"),
              HasSubstr("line 1: it has a document type"));
  EXPECT_THAT(FaultOf("<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a/>"),
              HasSubstr("document type"));
  EXPECT_THAT(FaultOf("<a>&b;</a>"), HasSubstr("entity"));
  EXPECT_THAT(FaultOf("<a b='&c;'/>"), HasSubstr("entity"));
}

TEST(XmlDocumentTest, IsBounded) {
  EXPECT_EQ(FaultOf(Repeated("<a>", kDeepestXml) + Repeated("</a>", kDeepestXml)), "read");
  EXPECT_THAT(FaultOf(Repeated("<a>", kDeepestXml + 1) + Repeated("</a>", kDeepestXml + 1)),
              HasSubstr("64 deep"));
  EXPECT_THAT(FaultOf(Repeated("<a>", 100'000)), HasSubstr("64 deep"));
  EXPECT_THAT(FaultOf("<a>" + Repeated("<b/>", kMostXmlElements) + "</a>"),
              HasSubstr("more than 200000 elements"));
  EXPECT_THAT(FaultOf(std::string(kLargestXml + 1, 'a')), HasSubstr("more than 16 MiB"));
}

TEST(XmlDocumentTest, SaysNothingOfTheFileWhereItIsDamaged) {
  EXPECT_THAT(FaultOf("<s>horse&battery;</s>"), testing::Not(HasSubstr("battery")));
  EXPECT_THAT(FaultOf("<s>horse<battery</s>"), testing::Not(HasSubstr("battery")));
  EXPECT_THAT(FaultOf("<a><horse></a>"),
              testing::AllOf(HasSubstr("closed"), testing::Not(HasSubstr("horse"))));
}

TEST(XmlDocumentTest, RefusesWhatIsNone) {
  EXPECT_EQ(FaultOf(""), "it is empty");
  EXPECT_EQ(FaultOf(" \n"), "it is empty");
  EXPECT_THAT(FaultOf("- <a/>"), HasSubstr("does not begin with `<`"));
  EXPECT_THAT(FaultOf("<# <a/> #>"), HasSubstr("a script's comment"));
  EXPECT_THAT(FaultOf("<a/><b/>"), HasSubstr("something follows"));
  EXPECT_THAT(FaultOf("<a>"), HasSubstr("ends"));
  EXPECT_THAT(FaultOf("<!-- -->"), HasSubstr("line 1"));
}

}  // namespace
}  // namespace hourglass::doctor
