#include "tools/gateways/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::gateways {
namespace {

using testing::HasSubstr;

TEST(TemplateTest, EveryPlaceIsFilled) {
  ASSERT_OK_AND_ASSIGN(const std::string filled,
                       FillTemplate("a {{x}}{{y}} {{x}} %{z} }}", {{"x", "1"}, {"y", ""}}));
  EXPECT_EQ(filled, "a 1 1 %{z} }}");
}

TEST(TemplateTest, WhatIsFilledInIsNotFilledAgain) {
  ASSERT_OK_AND_ASSIGN(const std::string filled,
                       FillTemplate("{{x}} {{y}}", {{"x", "{{y}}"}, {"y", "2"}}));
  EXPECT_EQ(filled, "{{y}} 2");
}

TEST(TemplateTest, ATemplateThatDoesNotFitIsRefused) {
  for (const auto& [text, fault] :
       {std::pair("{{x}} {{y}}", "an unknown place, y"), std::pair("nothing", "no place for x"),
        std::pair("", "no place for x"), std::pair("{{x}} {{x", "does not end")}) {
    const auto filled = FillTemplate(text, {{"x", "1"}});
    EXPECT_EQ(ReasonOf(filled.status()), ErrorReason::kInternalError) << text;
    EXPECT_THAT(filled.status().message(), HasSubstr(fault)) << text;
  }
}

}  // namespace
}  // namespace hourglass::gateways
