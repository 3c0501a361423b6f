#include "issuance/yaml/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "issuance/yaml/document.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::yaml {
namespace {

std::string MessageFor(const std::string& path) {
  const auto text = ReadConfigurationFile(path);
  EXPECT_THAT(text, FailsWith(ErrorReason::kConfigurationInvalid));
  return std::string(text.status().message());
}

TEST(ReadConfigurationFileTest, ReadsRegularFilesUpToTheLimit) {
  const TemporaryDirectory directory;
  const std::string largest(kMaxDocumentSize, 'x');
  EXPECT_EQ(ReadConfigurationFile(directory.Write("f", largest)).value(), largest);
  EXPECT_EQ(ReadConfigurationFile(directory.Write("f", "")).value(), "");
  const std::string larger = directory.Write("f", largest + "x");
  EXPECT_EQ(MessageFor(larger), larger + ":1: cannot be read: larger than 262144 octets");
}

TEST(ReadConfigurationFileTest, SaysWhyNot) {
  const TemporaryDirectory directory;
  const std::string absent = directory.File("absent");
  EXPECT_EQ(MessageFor(absent), absent + ":1: cannot be read: No such file or directory");
  EXPECT_EQ(MessageFor(directory.path()),
            directory.path() + ":1: cannot be read: not a regular file");
  const std::string pipe = directory.File("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(MessageFor(pipe), pipe + ":1: cannot be read: not a regular file");
}

}  // namespace
}  // namespace hourglass::yaml
