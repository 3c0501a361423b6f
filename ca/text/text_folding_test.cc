#include "ca/text/text_folding.h"

#include <gtest/gtest.h>

#include <string>

namespace hourglass::ca {
namespace {

// Expected values: NFKC_Casefold of DerivedNormalizationProps.txt, by hand.
TEST(FoldTextTest, CaseWidthAndWhatIsNotSeenTellNothingApart) {
  EXPECT_EQ(FoldText("Contoso"), "contoso");
  EXPECT_EQ(FoldText("STRASSE"), FoldText("stra\xc3\x9f"
                                          "e"));
  EXPECT_EQ(FoldText("\xef\xbc\xa3ontoso"), "contoso") << "U+FF23, a fullwidth C";
  EXPECT_EQ(FoldText("Con\xe2\x80\x8btoso"), "contoso") << "U+200B, zero width space";
  EXPECT_EQ(FoldText("Con\xc2\xadtoso"), "contoso") << "U+00AD, soft hyphen";
  EXPECT_EQ(FoldText("A\xc2\xa0"
                     "B"),
            "a b")
      << "U+00A0, no-break space";
  EXPECT_EQ(FoldText("e\xcc\x81"), FoldText("\xc3\x89")) << "composed or not";
}

TEST(FoldTextTest, OtherTextsStayApart) {
  EXPECT_NE(FoldText("contoso"), FoldText("contos0"));
  EXPECT_NE(FoldText("contoso"), FoldText("c\xd0\xbentoso")) << "U+043E, another letter";
  EXPECT_EQ(FoldText(""), "");
}

TEST(FoldTextTest, FoldingTwiceChangesNothingMore) {
  for (const std::string text : {"Contoso", "\xef\xac\x81", "\xe2\x84\xa6", "\xc4\xb0"}) {
    EXPECT_EQ(FoldText(FoldText(text)), FoldText(text)) << text;
  }
}

TEST(FoldTextTest, WhatIsNotUtf8StaysAsItIs) { EXPECT_EQ(FoldText("A\xff"), "A\xff"); }

}  // namespace
}  // namespace hourglass::ca
