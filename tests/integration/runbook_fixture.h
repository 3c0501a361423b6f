// The places of docs/rotation.md on one machine: the service, an administrator, a FreeRADIUS server
// that follows, and an NPS server that does not.
#ifndef HOURGLASS_TESTS_INTEGRATION_RUNBOOK_FIXTURE_H_
#define HOURGLASS_TESTS_INTEGRATION_RUNBOOK_FIXTURE_H_

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/daemon.h"
#include "tests/support/document_commands.h"
#include "tests/support/fake_clock.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// A tenant contoso with a primary r1, and hourglassd with the caller of the runbook. Commands run
// with the names of programs as they are written; only the folder of FreeRADIUS is another one, and
// `systemctl restart freeradius` copies the file, as a server that reads it when it starts.
class RunbookTest : public testing::Test {
 protected:
  // The folders in which commands run.
  enum class Place { kAdministrator, kRadius };

  RunbookTest();

  void SetUp() override;
  // Fails where a block of the runbook was run by no test, unless tests were left out.
  static void TearDownTestSuite();

  static DocumentCommands& Runbook();

  // Starts the service with more configuration before `callers`, and with `keys` (YAML, flow style)
  // instead of its token where that is not empty; stops the one that runs.
  void Restart(const std::string& more = "", const std::string& keys = "");

  // Runs the block of this name of the runbook, which must succeed; what it says.
  std::string Run(const std::string& name, Place place = Place::kAdministrator);
  // The same where it must fail.
  std::string RunRefused(const std::string& name, Place place = Place::kAdministrator);
  // Runs other commands at a place.
  CommandResult Shell(const std::string& commands, Place place = Place::kAdministrator) const;
  // What `hourglass --config cli.yaml --json WORDS` answers.
  nlohmann::json Ask(const std::string& words) const;

  // As "put relying parties on record": both are, and follow.
  void PutOnRecord();
  // The administrator copies the roots that he exported last to nps-1, and attests.
  void InstallOnNps();
  // The clocks of all programs move so far from the real time, and the service accepts it. In two
  // hours all certificates have expired.
  void Wait(const std::string& offset = "+2h");

  // A certificate that the service issues now: its file, PEM.
  std::string Leaf();
  // Whether OpenSSL accepts the certificate with the roots that FreeRADIUS has read, or NPS has.
  bool RadiusAccepts(const std::string& leaf) const;
  bool NpsAccepts(const std::string& leaf) const;

  // All roots there ever were, by id.
  std::map<std::string, std::string> States() const;
  // Each `CALLER ACTION SUBJECT`, then ` FROM>TO` where it has states, ` override`, and `: REASON`;
  // the oldest first.
  std::vector<std::string> Journal() const;
  // How often FreeRADIUS was restarted.
  int Restarts() const;
  // While it is broken, `systemctl restart freeradius` fails.
  void BreakRadius(bool broken) const;

  Daemon& daemon() { return daemon_; }
  // An absolute path there.
  std::string At(Place place, const std::string& file) const;
  // The file that hourglass-bundle writes.
  std::string RadiusFile() const { return files_.File("freeradius/roots.pem"); }

 private:
  std::string Script(const std::string& commands, Place place) const;
  bool Accepts(const std::string& roots, const std::string& leaf) const;
  void WriteClientConfig(Place place, const std::string& name, const TlsCredential& credential);

  TemporaryDirectory files_;
  FakeClock clock_;
  Daemon daemon_;
  TlsCredential radius_;
  int leaves_ = 0;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_INTEGRATION_RUNBOOK_FIXTURE_H_
