// The accounts that hourglassd and its key holders run under.
#ifndef HOURGLASS_TOOLS_HOURGLASSD_ACCOUNTS_H_
#define HOURGLASS_TOOLS_HOURGLASSD_ACCOUNTS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/keyholder/process/account.h"
#include "issuance/config/config.h"

namespace hourglass {

// Of a process of root's; otherwise nothing.
struct Accounts {
  std::optional<hsm::Account> service;     // `account`: to be become for good
  std::optional<hsm::Account> keyholders;  // `keys.account`: never without `service`
};

struct Loaded {
  issuance::Config config;
  Accounts accounts;
};

// issuance::LoadConfig as the account that the configuration names for the service, and as the one
// that it names for key holders what these use; this process is root's again afterwards. Where it
// is not root's, also CONFIGURATION_INVALID for an account that it cannot become. Before any thread
// is made.
absl::StatusOr<Loaded> LoadAsAccounts(const std::string& config_file, issuance::FileChecks checks,
                                      issuance::Program program = issuance::Program::kHourglassd);

// The same for --check, with every check; and this process becomes the service's account for good:
// `account`, or else the owner of data_directory. What root may read and change says nothing of
// what the service may.
absl::StatusOr<issuance::Config> LoadAndStayTheService(
    const std::string& config_file, issuance::Program program = issuance::Program::kHourglassd);

// Where root asks, becomes the service's account as above, and loads nothing.
absl::Status BecomeTheServicesAccount(const std::string& config_file);

}  // namespace hourglass

#endif  // HOURGLASS_TOOLS_HOURGLASSD_ACCOUNTS_H_
