// Users from the exports of a directory.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "hourglass/v1/directory.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/user_export.h"

namespace hourglass::cli {
namespace {

using client::Json;
using Stub = v1::DirectoryService::Stub;

// Below what the service takes at once.
constexpr std::size_t kMostUsers = 1000;
constexpr std::size_t kMostOctets = 2 * 1024 * 1024;

struct ImportOptions {
  std::string tenant;
  std::vector<std::string> files;
  bool whole = false;
  bool incomplete = false;
  bool without_groups = false;
  std::string reason;
};

// N of `users[N].upn`.
std::optional<std::size_t> IndexIn(absl::string_view field) {
  std::size_t index;
  if (absl::ConsumePrefix(&field, "users[") && absl::ConsumeSuffix(&field, "].upn") &&
      absl::SimpleAtoi(field, &index)) {
    return index;
  }
  return std::nullopt;
}

// Shows how far it is where somebody watches.
class ProgressLine {
 public:
  explicit ProgressLine(std::size_t total) : total_(total) {}
  ~ProgressLine() {
    if (is_open_) std::cerr << "\n" << std::flush;
  }
  void Show(std::size_t done) {
    if (isatty(STDERR_FILENO) != 1) return;
    std::cerr << "\r" << done << " of " << total_ << " users\x1b[K" << std::flush;
    is_open_ = true;
  }

 private:
  const std::size_t total_;
  bool is_open_ = false;
};

// One import on its way: users that are to be put, in portions.
class UserImport {
 public:
  UserImport(const ImportOptions& options, const Session& session,
             const std::vector<v1::DirectoryUser>& users)
      : options_(options), session_(session), users_(users) {
    for (std::size_t i = 0; i < users_.size(); ++i) {
      places_.emplace(users_[i].id(), i);
      waiting_.push_back(i);
    }
  }

  absl::Status PutAll() {
    ProgressLine line(users_.size());
    while (!waiting_.empty()) {
      RETURN_IF_ERROR(PutPortion());
      line.Show(put());
    }
    return absl::OkStatus();
  }

  std::size_t put() const { return users_.size() - waiting_.size(); }

  // Takes those away who are not among them.
  absl::StatusOr<std::uint64_t> RemoveOthers() {
    v1::RemoveStaleUsersRequest request;
    request.set_tenant_id(options_.tenant);
    *request.mutable_not_updated_since() = client::TimestampOf(first_put_at_);
    request.set_reason(options_.reason);
    ASSIGN_OR_RETURN(const v1::RemoveStaleUsersResponse response,
                     client::Call(session_.connection, &Stub::RemoveStaleUsers, request));
    return response.removed() + removed_;
  }

 private:
  // The first that wait, as many as the service takes at once.
  v1::PutUsersRequest PortionOfFirst() const {
    v1::PutUsersRequest request;
    request.set_tenant_id(options_.tenant);
    request.set_reason(options_.reason);
    std::size_t octets = 0;
    for (const std::size_t place : waiting_) {
      octets += users_[place].ByteSizeLong();
      const bool is_full =
          octets > kMostOctets || static_cast<std::size_t>(request.users_size()) == kMostUsers;
      if (is_full && request.users_size() > 0) break;
      *request.add_users() = users_[place];
    }
    return request;
  }

  absl::Status PutPortion() {
    absl::Status refused;
    // Each try makes room for one name.
    for (std::size_t tries = 0; tries <= kMostUsers; ++tries) {
      const v1::PutUsersRequest request = PortionOfFirst();
      const absl::StatusOr<v1::PutUsersResponse> response =
          client::Call(session_.connection, &Stub::PutUsers, request);
      if (response.ok()) {
        const absl::Time put_at = client::TimeOf(response->updated_at());
        // By the clocks of several replicas a later one may be earlier.
        first_put_at_ = std::min(first_put_at_, put_at);
        waiting_.erase(waiting_.begin(), waiting_.begin() + request.users_size());
        return absl::OkStatus();
      }
      refused = response.status();
      RETURN_IF_ERROR(MakeRoom(refused, request.users_size()));
    }
    return refused;
  }

  // Where a name that is to be put is another's: one of these who waits is put together with him,
  // and one who is not in a whole import goes now instead of at its end. Else the status of the
  // portion that was refused.
  absl::Status MakeRoom(const absl::Status& refused, int portion) {
    const v1::ErrorDetail detail = client::DetailOf(refused);
    const std::optional<std::size_t> index = IndexIn(detail.field());
    if (detail.reason() != v1::USER_EXISTS || !index.has_value() || *index >= waiting_.size()) {
      return refused;
    }
    const std::size_t wanted = waiting_[*index];
    v1::GetUserRequest request;
    request.set_tenant_id(options_.tenant);
    request.set_upn(users_[wanted].upn());
    const absl::StatusOr<v1::DirectoryUser> owner =
        client::Call(session_.connection, &Stub::GetUser, request);
    if (!owner.ok()) return refused;
    const auto place = places_.find(owner->id());
    if (place == places_.end()) {
      return options_.whole ? RemoveOwner(owner->id()) : refused;
    }
    const auto waits = std::find(waiting_.begin(), waiting_.end(), place->second);
    // He was put with this very name, or was refused together with the other.
    if (waits == waiting_.end() || waits < waiting_.begin() + portion) return refused;
    waiting_.erase(waits);
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), wanted));
    waiting_.push_front(wanted);
    waiting_.push_front(place->second);
    return absl::OkStatus();
  }

  absl::Status RemoveOwner(const std::string& user_id) {
    v1::RemoveUserRequest request;
    request.set_tenant_id(options_.tenant);
    request.set_user_id(user_id);
    request.set_reason(options_.reason);
    RETURN_IF_ERROR(client::Call(session_.connection, &Stub::RemoveUser, request).status());
    ++removed_;
    return absl::OkStatus();
  }

  const ImportOptions& options_;
  const Session& session_;
  const std::vector<v1::DirectoryUser>& users_;
  absl::flat_hash_map<std::string, std::size_t> places_;
  std::deque<std::size_t> waiting_;
  absl::Time first_put_at_ = absl::InfiniteFuture();
  std::uint64_t removed_ = 0;
};

// What the export does not have would be taken from those who have it.
absl::Status CheckComplete(const UserExport& exported, const ImportOptions& options) {
  const std::vector<std::string> gaps = exported.Gaps(options.without_groups);
  if (gaps.empty() || options.incomplete) return absl::OkStatus();
  return Error(
      ErrorReason::kFieldInvalid, "",
      absl::StrCat("the export is incomplete: ", absl::StrJoin(gaps, "; "),
                   ". Nothing was put. Microsoft Graph gives these only where they are asked for: "
                   "$select=id,userPrincipalName,onPremisesSecurityIdentifier,accountEnabled,"
                   "userType and the memberships of each user; or say --without-groups or "
                   "--incomplete"));
}

// The same error, with how far it was.
absl::Status AfterSome(const absl::Status& status, std::size_t put, std::size_t all) {
  if (put == 0) return status;
  absl::Status told(status.code(), absl::StrCat(status.message(), "; ", put, " of ", all,
                                                " users had been put before: import again"));
  status.ForEachPayload([&told](absl::string_view type, const absl::Cord& payload) {
    told.SetPayload(type, payload);
  });
  return told;
}

absl::StatusOr<Answer> Import(const ImportOptions& options, const Session& session) {
  UserExport exported;
  for (const std::string& file : options.files) {
    ASSIGN_OR_RETURN(const std::string octets, client::ReadWholeFile(file));
    RETURN_IF_ERROR(exported.Add(file, octets));
  }
  if (exported.users().empty()) {
    return Error(ErrorReason::kFieldInvalid, "", "there are no users in it; nothing was changed");
  }
  RETURN_IF_ERROR(CheckComplete(exported, options));
  UserImport import(options, session, exported.users());
  if (const absl::Status put = import.PutAll(); !put.ok()) {
    return AfterSome(put, import.put(), exported.users().size());
  }
  std::vector<std::string> notices = exported.Gaps(options.without_groups);
  for (std::string& notice : exported.Notices()) notices.push_back(std::move(notice));
  Answer answer{absl::StrCat("Put ", import.put(), import.put() == 1 ? " user" : " users",
                             " of tenant ", options.tenant, ".\n"),
                {{"tenant_id", options.tenant}, {"put", import.put()}}};
  if (options.whole) {
    ASSIGN_OR_RETURN(const std::uint64_t removed, import.RemoveOthers());
    absl::StrAppend(&answer.text, "Removed ", removed,
                    removed == 1 ? " user who is" : " users who are", " not in the export.\n");
    answer.json["removed"] = removed;
  }
  answer.json["notices"] = Json::array();
  for (const std::string& notice : notices) {
    absl::StrAppend(&answer.text, "Note: ", client::Printable(notice), ".\n");
    answer.json["notices"].push_back(notice);
  }
  return answer;
}

}  // namespace

void AddUserImport(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* command = AddCommand(
      noun, line, "import", "Put users as the directory exports them: JSON of Microsoft Graph, CSV",
      options, &Import);
  AddTenantOption(*command, options->tenant);
  command->add_option("files,--file", options->files, "The files, or - ; all are read first")
      ->required()
      ->type_name("FILE");
  command->add_flag("--whole", options->whole,
                    "These are all users: remove those who are not among them");
  command->add_flag("--without-groups", options->without_groups,
                    "That nobody's memberships are exported is meant so");
  command->add_flag("--incomplete", options->incomplete,
                    "Put them although the export lacks something; it counts as empty, an account "
                    "as enabled");
  AddReasonOption(*command, options->reason);
  command->parse_complete_callback([options] {
    if (options->whole && options->incomplete) {
      throw CLI::ValidationError("--whole", "an export that is incomplete is not whole");
    }
  });
}

}  // namespace hourglass::cli
