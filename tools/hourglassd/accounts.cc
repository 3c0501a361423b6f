#include "tools/hourglassd/accounts.h"

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/clock.h"
#include "issuance/yaml/file.h"

namespace hourglass {
namespace {

using hsm::Account;
using hsm::AsAccount;

// Without a look at any other file.
absl::StatusOr<issuance::Config> Parse(const std::string& config_file, issuance::Program program) {
  ASSIGN_OR_RETURN(const std::string text, yaml::ReadConfigurationFile(config_file));
  return issuance::ParseConfig(text, config_file, program);
}

absl::StatusOr<Accounts> FindAccounts(const issuance::Config& config) {
  Accounts accounts;
  if (config.account.empty()) return accounts;
  ASSIGN_OR_RETURN(accounts.service, hsm::FindAccount(config.account));
  if (config.keys.keyholder_account.empty()) return accounts;
  ASSIGN_OR_RETURN(accounts.keyholders, hsm::FindAccount(config.keys.keyholder_account));
  return accounts;
}

// What a process that is not root's cannot be asked for.
absl::Status CheckStarter(const issuance::Config& config) {
  if (config.account.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Account service, hsm::FindAccount(config.account));
  if (service.user != geteuid()) {
    return Error(ErrorReason::kConfigurationInvalid, "account",
                 absl::StrCat("is ", service.name,
                              ", which another account than root cannot become: start the service "
                              "as root or as ",
                              service.name));
  }
  if (config.keys.keyholder_account.empty()) return absl::OkStatus();
  return Error(ErrorReason::kConfigurationInvalid, "keys.account",
               absl::StrCat("takes a start as root, who then becomes ", service.name, ": as ",
                            service.name, " alone nothing can be started as ",
                            config.keys.keyholder_account, " (in a unit of systemd: no User=)"));
}

// `work` as that account, and root's again.
template <typename Work>
absl::Status As(const Account& account, const Work& work) {
  const AsAccount as_account(&account);
  if (as_account.error() != 0) {
    return Error(ErrorReason::kConfigurationInvalid, "account",
                 absl::StrCat("cannot become ", account.name, ": ", strerror(as_account.error())));
  }
  return work();
}

absl::Status BecomeTheOwnerOfTheData(const issuance::Config& config) {
  struct stat about = {};
  // Mistakes are told later.
  if (stat(config.data_directory.c_str(), &about) != 0 || about.st_uid == 0) {
    return absl::OkStatus();
  }
  Account owner{std::to_string(about.st_uid), about.st_uid, about.st_gid, {}, ""};
  const passwd* const named = getpwuid(about.st_uid);
  if (named != nullptr) {
    ASSIGN_OR_RETURN(owner, hsm::FindAccount(named->pw_name));
  }
  RETURN_IF_ERROR(hsm::BecomeAccount(owner));
  std::printf("checking as %s, who owns data_directory\n", owner.name.c_str());
  return absl::OkStatus();
}

absl::Status Become(const Accounts& accounts) {
  RETURN_IF_ERROR(hsm::BecomeAccount(*accounts.service));
  std::printf("checking as %s", accounts.service->name.c_str());
  if (accounts.keyholders.has_value()) {
    std::printf(", and as %s what its key holders use", accounts.keyholders->name.c_str());
  }
  std::printf("\n");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Loaded> LoadAsAccounts(const std::string& config_file, issuance::FileChecks checks,
                                      issuance::Program program) {
  Loaded loaded;
  const issuance::Timestamp now = issuance::SystemClock().Now();
  const bool is_root = geteuid() == 0;
  const absl::StatusOr<issuance::Config> parsed = Parse(config_file, program);
  absl::StatusOr<Accounts> accounts = parsed.ok() && is_root ? FindAccounts(*parsed) : Accounts();
  // Whatever is wrong, this says it, with the line.
  if (!parsed.ok() || !accounts.ok() || !accounts->service.has_value()) {
    ASSIGN_OR_RETURN(loaded.config, issuance::LoadConfig(config_file, checks, now, program));
    RETURN_IF_ERROR(accounts.status());
    if (!is_root) RETURN_IF_ERROR(CheckStarter(loaded.config));
    return loaded;
  }
  loaded.accounts = *std::move(accounts);
  RETURN_IF_ERROR(As(*loaded.accounts.service, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(loaded.config, issuance::LoadConfig(config_file, checks, now, program));
    return absl::OkStatus();
  }));
  if (!loaded.accounts.keyholders.has_value()) return loaded;
  ASSIGN_OR_RETURN(const std::string text, yaml::ReadConfigurationFile(config_file));
  RETURN_IF_ERROR(As(*loaded.accounts.keyholders,
                     [&] { return issuance::CheckKeyholderFiles(text, config_file, checks); }));
  return loaded;
}

absl::StatusOr<issuance::Config> LoadAndStayTheService(const std::string& config_file,
                                                       issuance::Program program) {
  const absl::StatusOr<issuance::Config> parsed = Parse(config_file, program);
  const bool is_root = geteuid() == 0;
  if (parsed.ok() && is_root && parsed->account.empty()) {
    RETURN_IF_ERROR(BecomeTheOwnerOfTheData(*parsed));
  }
  ASSIGN_OR_RETURN(Loaded loaded, LoadAsAccounts(config_file, issuance::FileChecks::kAll, program));
  if (loaded.accounts.service.has_value()) RETURN_IF_ERROR(Become(loaded.accounts));
  return std::move(loaded.config);
}

absl::Status BecomeTheServicesAccount(const std::string& config_file) {
  const absl::StatusOr<issuance::Config> config =
      Parse(config_file, issuance::Program::kHourglassd);
  // Mistakes are told later.
  if (geteuid() != 0 || !config.ok()) return absl::OkStatus();
  if (config->account.empty()) return BecomeTheOwnerOfTheData(*config);
  ASSIGN_OR_RETURN(const Accounts accounts, FindAccounts(*config));
  return Become({accounts.service, std::nullopt});
}

}  // namespace hourglass
