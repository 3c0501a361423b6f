// A page whose commands an administrator, a broker and others type beside a running hourglassd.
#ifndef HOURGLASS_TESTS_INTEGRATION_DOCUMENT_FIXTURE_H_
#define HOURGLASS_TESTS_INTEGRATION_DOCUMENT_FIXTURE_H_

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/string_view.h"
#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/subprocess.h"

namespace hourglass {

// The test's BUILD rule names the page and the programs in `data`.
class DocumentFixture : public testing::Test {
 protected:
  // `page` as `docs/policies.md`.
  explicit DocumentFixture(absl::string_view page) : page_(page) {}

  // Before the daemon starts: its tenants, and what else is to be in its file.
  void Configure(const std::string& more);
  // A configuration of this name for a caller, in the folder where commands run.
  void WriteClientConfig(const std::string& name, const char* caller);
  // The tenant `contoso` and its primary root, by the administrator of `cli.yaml`.
  void MakeTenant() const;

  // Runs lines by bash, until one fails, in the folder of hourglassd.yaml, with all programs by
  // their names.
  CommandResult Shell(const std::string& commands) const;
  // The output of lines that must not fail.
  std::string Succeed(const std::string& commands) const;
  std::string Take(const std::string& name) { return Succeed(page_.Take(name)); }

  DocumentCommands page_;
  Daemon daemon_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_INTEGRATION_DOCUMENT_FIXTURE_H_
