#include "ca/names/root_name.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "ca/encoding/utf8.h"

namespace hourglass::ca {
namespace {

TEST(RootNameTest, FitsACommonName) {
  std::string name;
  for (int i = 0; i < 64; ++i) name += "\xc3\xa9";
  const std::optional<Utf8Text> text = DecodeUtf8(RootCommonName(name, kMaxGeneration));
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->characters, 64u);
  EXPECT_EQ(RootCommonName("Contoso", 2), "Contoso VPN root CA gen 2");
}

TEST(RootNameTest, OneNameIsOneTenants) {
  const std::string key = RootNameKey("Contoso Ltd");
  EXPECT_EQ(key, "contoso ltd");
  for (const char* same : {"CONTOSO LTD", " Contoso  Ltd ", "Contoso\xc2\xa0Ltd",
                           "Con\xe2\x80\x8btoso Ltd", "\xef\xbc\xa3ontoso Ltd"}) {
    EXPECT_EQ(RootNameKey(same), key) << same;
  }
  for (const char* other : {"Contoso", "ContosoLtd", "Contoso Ltd 2", "Contos0 Ltd"}) {
    EXPECT_NE(RootNameKey(other), key) << other;
  }
}

// The name of one tenant's root is never that of another's, whatever the generations: what comes
// after the part that counts is the same in all of them, and is found from the end.
TEST(RootNameTest, AGenerationInADisplayNameIsNotTakenForOne) {
  EXPECT_NE(RootCommonName("Contoso 1", 2), RootCommonName("Contoso", 12));
  EXPECT_NE(RootCommonName("Contoso VPN root CA gen 1", 2), RootCommonName("Contoso", 1));
  EXPECT_NE(RootCommonName("Contoso VPN root CA gen 1", 2), RootCommonName("Contoso", 2));
}

TEST(RootNameTest, WhatIsCutOffDoesNotCount) {
  const std::string forty(40, 'a');
  EXPECT_EQ(RootNameKey(forty + "b"), RootNameKey(forty + "c"));
  EXPECT_EQ(RootCommonName(forty + "b", 1), RootCommonName(forty + "c", 1));
  EXPECT_NE(RootNameKey(forty.substr(1) + "b"), RootNameKey(forty.substr(1) + "c"));
  // However long the generation is.
  EXPECT_EQ(RootCommonName(forty + "b", 1).substr(0, 41), forty + " ");
  EXPECT_EQ(RootCommonName(forty + "b", kMaxGeneration).substr(0, 41), forty + " ");
}

}  // namespace
}  // namespace hourglass::ca
