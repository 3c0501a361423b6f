// The account that a process runs under.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_ACCOUNT_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_ACCOUNT_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hourglass::hsm {

struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // all of them
  std::string home;
};

// As the system's database of users has it. Errors: CONFIGURATION_INVALID where it has no such
// account, or cannot be asked.
absl::StatusOr<Account> FindAccount(const std::string& name);

// Changes this process, which must be root's, to `account` for good, groups and saved ids included.
// Errors: INTERNAL_ERROR, also where root could be had back.
absl::Status BecomeAccount(const Account& account);

// For a process of root's with one thread: from here until it goes, whatever is started is started
// under `account`, and has no way back.
class AsAccount {
 public:
  // Does nothing where `account` is null.
  explicit AsAccount(const Account* account);
  ~AsAccount();
  AsAccount(const AsAccount&) = delete;
  AsAccount& operator=(const AsAccount&) = delete;
  // An error number, or 0.
  int error() const { return error_; }

 private:
  const Account* account_;
  int error_ = 0;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_ACCOUNT_H_
