// Users as a directory exports them.
#ifndef HOURGLASS_TOOLS_HOURGLASS_USER_EXPORT_H_
#define HOURGLASS_TOOLS_HOURGLASS_USER_EXPORT_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/directory.pb.h"

namespace hourglass::cli {

// Gathers the users of one or several files: JSON as Microsoft Graph answers `/users` with, one
// object, a list or `{"value": […]}`, also in the spelling of Get-MgUser; or CSV with a header
// line. Names of members and columns are taken whatever the case of their letters.
//
// What a file does not have is not guessed: a member that is absent was not exported, one that is
// null (or an empty cell) says that the user has none. `securityIdentifier`, the SID of the cloud,
// is never looked at.
class UserExport {
 public:
  // `file` is its name, for messages. Errors: FIELD_INVALID without a field, naming the file and
  // the user: what is no export of users, a user without id or UPN, an id that comes twice, a value
  // of another kind. Nothing more may be added then.
  absl::Status Add(const std::string& file, absl::string_view octets);

  const std::vector<v1::DirectoryUser>& users() const { return users_; }

  // What the export lacks and would be lost by putting these users, one a line; empty where it is
  // complete. `without_groups`: that nobody's memberships are there is meant so.
  std::vector<std::string> Gaps(bool without_groups) const;
  // What people should know besides, one a line.
  std::vector<std::string> Notices() const;

 private:
  struct Value;
  struct Memberships;
  struct User;
  class JsonReader;
  class CsvReader;

  absl::Status Take(const std::string& file, const User& user);

  std::vector<v1::DirectoryUser> users_;
  absl::flat_hash_set<std::string> ids_;
  // How many users lack it, by the name of the member.
  std::map<std::string, std::size_t> absent_;
  std::size_t cut_memberships_ = 0;
  std::size_t direct_memberships_ = 0;
  std::size_t roles_left_out_ = 0;
  std::size_t files_ = 0;
  std::size_t next_links_ = 0;
};

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_USER_EXPORT_H_
