#include "tests/library/public_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/library/declarations.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::library {
namespace {

using testing::ElementsAre;

std::vector<PublicHeader> TheHeaders() {
  return PublicHeadersOf(ReadFileOrDie("tools/library/public_headers"));
}

std::multiset<std::string> LinesOf(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(PublicNamesTest, TheListIsWhatTheHeadersDeclare) {
  const std::string recorded = ReadFileOrDie("tools/library/public_names");
  const std::string real = PublicNames(TheHeaders());
  ASSERT_GT(LinesOf(real).size(), 150U);
  const std::multiset<std::string> before = LinesOf(recorded), now = LinesOf(real);
  for (const std::string& line : before) {
    EXPECT_EQ(now.count(line), before.count(line))
        << "was public, and may break somebody: " << line;
  }
  for (const std::string& line : now) {
    EXPECT_EQ(before.count(line), now.count(line)) << "is public, and not in the list: " << line;
  }
  EXPECT_EQ(real, recorded) << "tools/public-names writes the list anew";
}

TEST(PublicNamesTest, DocsNameEveryHeader) {
  const std::string document = ReadFileOrDie("docs/library.md");
  for (const PublicHeader& header : TheHeaders()) {
    if (IsGenerated(header)) continue;
    EXPECT_THAT(document, testing::HasSubstr("`" + header.included_as + "`"));
  }
}

TEST(DeclarationsTest, LeavesOutWhatIsPrivateAndBodies) {
  EXPECT_THAT(DeclarationsOf(R"(// A header.
#include <string>
namespace a::b {

class Forward;

// A class.
class Box final : public Base {
 public:
  explicit Box(int size = 3) : size_(size) {}
  int size() const { return size_; }  // what ';' it holds
  std::string Text(const std::string& other = "//;{",
                   int more = {}) const;

 private:
  int size_ = 0;
  void Hidden();
};

}  // namespace a::b
)"),
              ElementsAre("a::b | class Forward", "a::b | class Box final : public Base",
                          "a::b::Box | explicit Box(int size = 3)", "a::b::Box | int size() const",
                          "a::b::Box | std::string Text(const std::string& other = \"//;{\", int "
                          "more = {}) const"));
}

TEST(DeclarationsTest, ReadsValuesEnumsAndNestedTypes) {
  EXPECT_THAT(DeclarationsOf(R"(namespace a {
inline constexpr int kAll[] = {1, 2};
enum class Kind { kOne, kTwo };
struct Outer {
  struct Inner {
    int x = 0;
  };
  std::vector<Inner> inner = {};
  virtual int Pure() const = 0;
  Outer(Outer&&) = default;
  using Number = int;
};
}
)"),
              ElementsAre("a | inline constexpr int kAll[] = {1, 2}", "a | enum class Kind",
                          "a::Kind | kOne, kTwo", "a | struct Outer", "a::Outer | struct Inner",
                          "a::Outer::Inner | int x = 0", "a::Outer | std::vector<Inner> inner = {}",
                          "a::Outer | virtual int Pure() const = 0",
                          "a::Outer | Outer(Outer&&) = default", "a::Outer | using Number = int"));
}

}  // namespace
}  // namespace hourglass::library
