// The built program, and a scripted service for it: what its tests have in common.
#ifndef HOURGLASS_TOOLS_BUNDLE_BUNDLE_FIXTURE_H_
#define HOURGLASS_TOOLS_BUNDLE_BUNDLE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/bundle/scripted_bundles.h"
#include "tools/client/testing/loopback_service.h"

namespace hourglass::bundle {

using Json = nlohmann::json;
using ca::RootState;

inline constexpr char kProgram[] = "tools/bundle/hourglass-bundle";

// What `openssl WORDS` says of what it gets on its standard input.
inline std::string OpensslOf(const std::string& words, const std::string& input = "") {
  const std::vector<std::string> command = absl::StrSplit("openssl " + words, ' ');
  const CommandResult result = RunCommand(command, input);
  EXPECT_EQ(result.exit_code, 0) << words << "\n" << result.output;
  return result.output;
}

inline std::string PemByOpenssl(const Root& root) {
  return OpensslOf("x509 -inform DER", root.certificate);
}

inline AcknowledgementAnswer Refuse(ErrorReason reason, absl::string_view message) {
  const grpc::Status status = issuance::ToGrpcStatus(Error(reason, "", message));
  return [status](const Acknowledgement&) { return status; };
}

class BundleTest : public testing::Test {
 protected:
  BundleTest() : one_(1), two_(2), three_(3), service_({&bundles_}) {
    service_.directory().Write("trust.pem", PemByOpenssl(one_));
    bundles_.Publish(First());
  }

  // r1 is primary; then r2 is staged beside it; promoted; and at last alone.
  v1::TrustBundle First() const {
    return Signed(BundleOf(1, {one_.In(RootState::kPrimary)}), {&one_});
  }
  v1::TrustBundle Staged() const {
    return Signed(BundleOf(2, {one_.In(RootState::kPrimary), two_.In(RootState::kStaged)}),
                  {&one_});
  }
  v1::TrustBundle Promoted() const {
    return Signed(BundleOf(3, {one_.In(RootState::kRetiring), two_.In(RootState::kPrimary)}),
                  {&two_, &one_});
  }
  v1::TrustBundle Retired() const {
    return Signed(BundleOf(4, {two_.In(RootState::kPrimary)}, {one_.Gone()}), {&two_});
  }

  std::string Out() const { return out_.File("roots"); }
  std::string State() const { return out_.File("roots.state"); }
  std::string Scratch(const std::string& name) const { return service_.directory().File(name); }

  std::vector<std::string> Command(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {kProgram,   "sync",    "--config", service_.config_file(),
                                        "--tenant", "contoso", "--trust",  Scratch("trust.pem"),
                                        "--out",    Out(),     "--json"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  CommandResult Once(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = Command(more);
    command.push_back("--once");
    return RunCommand(command);
  }

  // A hook that counts its runs in a file, and then does what follows.
  std::string Counting(const std::string& then = "true") const {
    return absl::StrCat("echo $HOURGLASS_BUNDLE_VERSION >> ", Scratch("runs"), "; ", then);
  }
  std::vector<std::string> Runs() const {
    if (!std::filesystem::exists(Scratch("runs"))) return {};
    const std::string content = ReadFileOrDie(Scratch("runs"));
    return absl::StrSplit(content, '\n', absl::SkipEmpty());
  }

  // The certificates in the file, by OpenSSL, are these in this order.
  void ExpectRoots(const std::vector<const Root*>& roots) const {
    std::string pem;
    for (const Root* root : roots) absl::StrAppend(&pem, PemByOpenssl(*root));
    EXPECT_EQ(OpensslOf("crl2pkcs7 -nocrl -certfile " + Out()),
              OpensslOf("crl2pkcs7 -nocrl -certfile /dev/stdin", pem));
  }
  std::string StageOnDisk() const {
    if (!std::filesystem::exists(State())) return "no state";
    return Json::parse(ReadFileOrDie(State()), nullptr, false)["stage"];
  }

  static std::vector<Json> Lines(const std::string& log) {
    std::vector<Json> lines;
    for (const absl::string_view line : absl::StrSplit(log, '\n', absl::SkipEmpty())) {
      lines.push_back(Json::parse(std::string(line), nullptr, false));
    }
    return lines;
  }
  static std::vector<std::string> Events(const std::string& log) {
    std::vector<std::string> events;
    for (const Json& line : Lines(log)) {
      events.push_back(line.is_object() ? line.value("event", "?") : "?");
    }
    return events;
  }

  // Waits for the end of the program with the signal of `kill -9`.
  static void ExpectKilled(BackgroundProcess& run) {
    EXPECT_FALSE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
    EXPECT_FALSE(run.Running());
    EXPECT_EQ(run.Stop(SIGKILL), 128 + SIGKILL) << run.Log();
  }

  TemporaryDirectory out_;
  const Root one_, two_, three_;
  Bundles bundles_;
  client::LoopbackService service_;
};

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_BUNDLE_FIXTURE_H_
