// hourglassd under one account and its key holders under another, as root starts them.
#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/keyholder/process/account.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using hsm::Account;
using testing::AllOf;
using testing::HasSubstr;

// Of root's rights these, as a unit of systemd would leave them.
const std::vector<std::string>& WithFewRights() {
  static const auto& prefix = *new std::vector<std::string>{
      "setpriv", "--bounding-set", "-all,+setuid,+setgid,+kill", "--no-new-privs"};
  return prefix;
}

std::string LineOf(int pid, const std::string& name) {
  const std::string status = ReadFileOrDie(absl::StrCat("/proc/", pid, "/status"));
  for (const absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::StartsWith(line, name + ":\t")) return std::string(line);
  }
  return "";
}

// Real, effective, saved and of the file system.
std::string FourOf(const char* name, unsigned id) {
  return absl::StrCat(name, ":\t", id, "\t", id, "\t", id, "\t", id);
}

void Give(const std::string& path, const Account& account) {
  ASSERT_EQ(chown(path.c_str(), account.user, account.group), 0) << path;
}

void GiveAll(const std::string& folder, const Account& account) {
  Give(folder, account);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    Give(entry.path(), account);
  }
}

constexpr int kNotBecome = 200;

// What a process that is `account`'s answers.
int AsProcessOf(const Account& account, const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(hsm::BecomeAccount(account).ok() ? work() : kNotBecome);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool IsRefused(bool failed) { return failed && (errno == EACCES || errno == EPERM); }

bool CannotOpen(const std::string& path) { return IsRefused(open(path.c_str(), O_RDONLY) < 0); }

// A bit for each way to another process that is open, of those that lead to its memory, its files
// and its end.
constexpr int kEveryWay = 127;
int WaysTo(pid_t pid) {
  const std::string process = absl::StrCat("/proc/", pid, "/");
  char octet = 0;
  const iovec place = {&octet, 1};
  int open_ways = 0;
  if (!CannotOpen(process + "mem")) open_ways |= 1;
  if (!CannotOpen(process + "environ")) open_ways |= 2;
  if (!CannotOpen(process + "maps")) open_ways |= 4;
  if (!CannotOpen(process + "fd")) open_ways |= 8;
  // At an address of this process, which may be one of the other's.
  if (!IsRefused(process_vm_readv(pid, &place, 1, &place, 1, 0) < 0)) open_ways |= 16;
  if (!IsRefused(kill(pid, 0) != 0)) open_ways |= 32;
  if (!IsRefused(ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0)) open_ways |= 64;
  return open_ways;
}

// Two accounts, and each file of whoever uses it.
class AccountsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root changes accounts";
    const auto service = hsm::FindAccount("daemon");
    const auto holders = hsm::FindAccount("backup");
    if (!service.ok() || !holders.ok()) GTEST_SKIP() << "the machine lacks daemon or backup";
    service_ = *service;
    holders_ = *holders;
    // In /tmp, which every account may pass.
    unsetenv("TEST_TMPDIR");
    daemon_ = std::make_unique<Daemon>();
    programs_ = std::make_unique<TemporaryDirectory>();
    token_folder_ = std::filesystem::path(daemon_->token().pin_file()).parent_path();
    ASSERT_EQ(chmod(programs_->path().c_str(), 0755), 0);
    for (const std::string program :
         {"tools/keyholder/hourglass-keyholder", "tools/hourglassd/hourglassd"}) {
      std::filesystem::copy_file(
          program, programs_->File(std::filesystem::path(program).filename().string()));
    }
    Configure("account: daemon\n", ", account: backup");
    Give(daemon_->directory().path(), service_);
    Give(daemon_->data_directory(), service_);
    ASSERT_EQ(chmod(daemon_->directory().path().c_str(), 0755), 0);
    GiveAll(std::filesystem::path(daemon_->directory().File("policies")), service_);
    GiveAll(std::filesystem::path(daemon_->tls().trusted_roots_file()).parent_path(), service_);
    GiveAll(token_folder_, holders_);
    ASSERT_EQ(chmod(token_folder_.c_str(), 0711), 0);
  }

  void Configure(const std::string& more, const std::string& of_keys) {
    daemon_->Configure(absl::StrCat("{tokens: [\"", daemon_->token().Uri(), "\"], keyholder: ",
                                    programs_->File("hourglass-keyholder"), of_keys, "}"),
                       daemon_->data_directory(), more);
    GiveAll(std::filesystem::path(daemon_->tls().trusted_roots_file()).parent_path(), service_);
  }

  CommandResult Check(const std::vector<std::string>& prefix = {}) {
    std::vector<std::string> command = prefix;
    command.insert(command.end(),
                   {programs_->File("hourglassd"), "--config", daemon_->config_file(), "--check"});
    return RunCommand(command);
  }

  // That the start says the same as --check, and starts nothing.
  void ExpectRefused(const std::string& why) {
    const CommandResult checked = Check();
    EXPECT_EQ(checked.exit_code, 1);
    EXPECT_THAT(checked.output, HasSubstr(why));
    EXPECT_FALSE(daemon_->Start());
    EXPECT_THAT(daemon_->Log(), HasSubstr(why));
  }

  Account service_;
  Account holders_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<TemporaryDirectory> programs_;
  std::string token_folder_;
};

TEST_F(AccountsTest, EachProcessIsOfItsAccountAlone) {
  ASSERT_TRUE(daemon_->Start(WithFewRights())) << daemon_->Log();
  daemon_->MakeReady();
  ASSERT_THAT(daemon_->Issue(daemon_->Request()), Succeeded());
  const std::string none = "\t0000000000000000";
  EXPECT_EQ(LineOf(daemon_->pid(), "Uid"), FourOf("Uid", service_.user));
  EXPECT_EQ(LineOf(daemon_->pid(), "Gid"), FourOf("Gid", service_.group));
  EXPECT_EQ(LineOf(daemon_->pid(), "CapPrm"), "CapPrm:" + none);
  const std::vector<int> keyholders = daemon_->Keyholders();
  ASSERT_FALSE(keyholders.empty());
  for (const int pid : keyholders) {
    EXPECT_EQ(LineOf(pid, "Uid"), FourOf("Uid", holders_.user));
    EXPECT_EQ(LineOf(pid, "Gid"), FourOf("Gid", holders_.group));
    EXPECT_EQ(LineOf(pid, "CapPrm"), "CapPrm:" + none);
    EXPECT_EQ(LineOf(pid, "CapEff"), "CapEff:" + none);
  }
  // Who starts them keeps of root's rights to change accounts and to end processes.
  const int spawner = std::atoi(LineOf(keyholders.front(), "PPid").c_str() + 6);
  EXPECT_EQ(LineOf(spawner, "Uid"), FourOf("Uid", 0));
  EXPECT_EQ(LineOf(spawner, "CapPrm"), "CapPrm:\t00000000000000e0");
}

TEST_F(AccountsTest, TheServicesAccountSeesNothingOfItsKeyHolders) {
  ASSERT_TRUE(daemon_->Start(WithFewRights())) << daemon_->Log();
  daemon_->MakeReady();
  ASSERT_THAT(daemon_->Issue(daemon_->Request()), Succeeded());
  const std::vector<int> keyholders = daemon_->Keyholders();
  ASSERT_FALSE(keyholders.empty());
  // The same account without the service's filter of calls.
  for (const int pid : keyholders) {
    EXPECT_EQ(AsProcessOf(service_, [&] { return WaysTo(pid); }), 0);
  }
  EXPECT_EQ(AsProcessOf(service_,
                        [&] {
                          if (!CannotOpen(daemon_->token().pin_file())) return 1;
                          if (!CannotOpen(daemon_->token().Folder("hourglass"))) return 2;
                          return 0;
                        }),
            0);
  // And the other way round.
  const std::filesystem::path tls =
      std::filesystem::path(daemon_->tls().trusted_roots_file()).parent_path();
  EXPECT_EQ(AsProcessOf(holders_, [&] { return WaysTo(daemon_->pid()); }), 0);
  EXPECT_EQ(AsProcessOf(holders_,
                        [&] {
                          if (!CannotOpen(daemon_->data_directory())) return 1;
                          if (!CannotOpen(tls)) return 2;
                          return 0;
                        }),
            0);
  // What is one's own is open by all these ways: it is the account that closes them.
  EXPECT_EQ(AsProcessOf(service_,
                        [] {
                          const pid_t own = fork();
                          if (own == 0) {
                            prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
                            for (;;) pause();
                          }
                          // Until it has come to that.
                          const std::string mem = absl::StrCat("/proc/", own, "/mem");
                          while (open(mem.c_str(), O_RDONLY) < 0) usleep(1000);
                          const int open_ways = WaysTo(own);
                          kill(own, SIGKILL);
                          return open_ways;
                        }),
            kEveryWay);
}

TEST_F(AccountsTest, AKeyHolderThatIsKilledHasASuccessorOfTheSameAccount) {
  ASSERT_TRUE(daemon_->Start(WithFewRights())) << daemon_->Log();
  daemon_->MakeReady();
  ASSERT_THAT(daemon_->Issue(daemon_->Request()), Succeeded());
  const std::vector<int> before = daemon_->Keyholders();
  ASSERT_FALSE(before.empty());
  for (const int pid : before) ASSERT_EQ(kill(pid, SIGKILL), 0);
  EXPECT_THAT(daemon_->Issue(daemon_->Request()), Succeeded());
  const std::vector<int> after = daemon_->Keyholders();
  ASSERT_FALSE(after.empty());
  for (const int pid : after) {
    EXPECT_THAT(before, testing::Not(testing::Contains(pid)));
    EXPECT_EQ(LineOf(pid, "Uid"), FourOf("Uid", holders_.user));
  }
  EXPECT_EQ(daemon_->Stop(), 0);
  EXPECT_TRUE(daemon_->Keyholders().empty());
}

TEST_F(AccountsTest, CheckLooksAsBoth) {
  const CommandResult sound = Check();
  EXPECT_EQ(sound.exit_code, 0) << sound.output;
  EXPECT_THAT(sound.output,
              HasSubstr("checking as daemon, and as backup what its key holders use"));
  // Root could read it, and the service: neither is who has to.
  const std::string& pin = daemon_->token().pin_file();
  ASSERT_EQ(chown(pin.c_str(), 0, 0), 0);
  ExpectRefused("keys.tokens[0]: pin-source cannot be read: Permission denied");
  Give(pin, service_);
  ExpectRefused(absl::StrCat("keys.tokens[0]: pin-source may be changed by others: ", pin,
                             " belongs to daemon and not to root or backup"));
  Give(pin, holders_);
  // Whoever may replace the program is whoever it runs as.
  Give(programs_->File("hourglass-keyholder"), service_);
  ExpectRefused("belongs to daemon and not to root or backup");
  ASSERT_EQ(chown(programs_->File("hourglass-keyholder").c_str(), 0, 0), 0);
  EXPECT_EQ(Check().exit_code, 0);
}

TEST_F(AccountsTest, WithoutRootThereIsNoOtherAccount) {
  const std::vector<std::string> as_service = {"setpriv", "--reuid", "daemon",
                                               "--regid", "daemon",  "--clear-groups"};
  EXPECT_THAT(Check(as_service),
              AllOf(testing::Field(&CommandResult::exit_code, 1),
                    testing::Field(&CommandResult::output,
                                   HasSubstr("keys.account: takes a start as root"))));
  // The service alone is as well off as with User= of systemd.
  Configure("account: daemon\n", "");
  GiveAll(token_folder_, service_);
  EXPECT_THAT(Check(as_service).output, HasSubstr("the configuration is valid"));
  ASSERT_TRUE(daemon_->Start(WithFewRights())) << daemon_->Log();
  daemon_->MakeReady();
  EXPECT_THAT(daemon_->Issue(daemon_->Request()), Succeeded());
  EXPECT_EQ(LineOf(daemon_->pid(), "Uid"), FourOf("Uid", service_.user));
  for (const int pid : daemon_->Keyholders()) {
    EXPECT_EQ(LineOf(pid, "Uid"), FourOf("Uid", service_.user));
  }
  EXPECT_EQ(daemon_->Stop(), 0);
  // Everything is readable to whom it is refused, so that only the account is wrong.
  Configure("account: sys\n", "");
  EXPECT_THAT(Check(as_service).output,
              HasSubstr("account: is sys, which another account than root cannot become"));
}

}  // namespace
}  // namespace hourglass
