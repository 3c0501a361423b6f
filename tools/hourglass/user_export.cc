#include "tools/hourglass/user_export.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/utf8.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/hourglass/csv_table.h"

namespace hourglass::cli {
namespace {

using Json = nlohmann::json;

// As Microsoft Graph names what is read of a user.
constexpr char kSid[] = "onPremisesSecurityIdentifier";
constexpr char kEnabled[] = "accountEnabled";
constexpr char kUserType[] = "userType";
constexpr char kAllGroups[] = "transitiveMemberOf";
constexpr char kDirectGroups[] = "memberOf";

absl::Status Mistake(absl::string_view where, absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, "", absl::StrCat(where, ": ", what));
}

const Json* Member(const Json& object, absl::string_view name) {
  for (const auto& [key, value] : object.items()) {
    if (absl::EqualsIgnoreCase(key, name)) return &value;
  }
  return nullptr;
}

std::string OfUsers(std::size_t some, std::size_t all) {
  return absl::StrCat("of ", some, " of ", all, all == 1 ? " user" : " users");
}

}  // namespace

// What a member or cell says.
struct UserExport::Value {
  bool is_absent = true;
  bool is_null = false;
  std::string text;

  bool IsGiven() const { return !is_absent && !is_null; }
};

struct UserExport::Memberships {
  bool is_absent = true;
  bool is_direct = false;  // without the groups that these are in
  bool is_cut = false;     // a first page of them
  std::size_t roles_left_out = 0;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
};

struct UserExport::User {
  std::string where;  // the file and the place in it
  Value id;
  Value upn;
  Value sid;
  Value enabled;
  Value type;
  Memberships memberships;
};

class UserExport::JsonReader {
 public:
  explicit JsonReader(const std::string& file) : file_(file) {}

  absl::StatusOr<std::vector<User>> Read(const std::string& text) {
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) return Mistake(file_, "is not JSON");
    const Json* list = &json;
    if (json.is_object()) {
      has_next_ = Member(json, "@odata.nextLink") != nullptr;
      list = Member(json, "value");
    }
    std::vector<User> users;
    if (list == nullptr) {
      ASSIGN_OR_RETURN(User user, UserOf(json, file_));
      users.push_back(std::move(user));
      return users;
    }
    if (!list->is_array()) return Mistake(file_, "has no list of users");
    for (std::size_t i = 0; i < list->size(); ++i) {
      ASSIGN_OR_RETURN(User user, UserOf((*list)[i], absl::StrCat(file_, ": user ", i + 1)));
      users.push_back(std::move(user));
    }
    return users;
  }

  bool has_next() const { return has_next_; }

 private:
  static absl::StatusOr<User> UserOf(const Json& json, const std::string& where) {
    if (!json.is_object()) return Mistake(where, "is no object");
    if (Member(json, "@removed") != nullptr) {
      return Mistake(where, "is of a delta query: export all users instead");
    }
    User user;
    user.where = where;
    ASSIGN_OR_RETURN(user.id, ValueOf(json, "id", where));
    ASSIGN_OR_RETURN(user.upn, ValueOf(json, "userPrincipalName", where));
    ASSIGN_OR_RETURN(user.sid, ValueOf(json, kSid, where));
    ASSIGN_OR_RETURN(user.enabled, ValueOf(json, kEnabled, where));
    ASSIGN_OR_RETURN(user.type, ValueOf(json, kUserType, where));
    RETURN_IF_ERROR(ReadMemberships(json, where, user.memberships));
    return user;
  }

  static absl::StatusOr<Value> ValueOf(const Json& json, absl::string_view name,
                                       absl::string_view where) {
    Value value;
    const Json* const member = Member(json, name);
    if (member == nullptr) return value;
    value.is_absent = false;
    value.is_null = member->is_null();
    if (value.is_null) return value;
    if (member->is_boolean()) {
      value.text = member->get<bool>() ? "true" : "false";
    } else if (member->is_string()) {
      value.text = member->get<std::string>();
    } else {
      return Mistake(where, absl::StrCat("`", name, "` is neither text nor true nor false"));
    }
    return value;
  }

  static absl::Status ReadMemberships(const Json& json, absl::string_view where,
                                      Memberships& memberships) {
    const char* name = kAllGroups;
    const Json* list = Member(json, kAllGroups);
    // Get-MgUser has both, of which the one that was not asked for is null.
    if (list == nullptr || list->is_null()) {
      name = kDirectGroups;
      list = Member(json, kDirectGroups);
      memberships.is_direct = true;
    }
    if (list == nullptr || list->is_null()) return absl::OkStatus();
    if (!list->is_array()) return Mistake(where, absl::StrCat("`", name, "` is no list"));
    memberships.is_absent = false;
    memberships.is_cut = Member(json, absl::StrCat(name, "@odata.nextLink")) != nullptr;
    for (const Json& one : *list) RETURN_IF_ERROR(TakeMembership(one, where, memberships));
    return absl::OkStatus();
  }

  static absl::Status TakeMembership(const Json& json, absl::string_view where,
                                     Memberships& memberships) {
    if (json.is_string()) {
      memberships.groups.push_back(json.get<std::string>());
      return absl::OkStatus();
    }
    if (!json.is_object()) return Mistake(where, "has a membership that is no object");
    const std::string type = TextOf(json, "@odata.type");
    const std::string role = TextOf(json, "roleTemplateId");
    if (absl::EndsWithIgnoreCase(type, ".administrativeUnit")) return absl::OkStatus();
    if (!role.empty()) {
      memberships.roles.push_back(role);
    } else if (absl::EndsWithIgnoreCase(type, ".directoryRole")) {
      ++memberships.roles_left_out;
    } else {
      const std::string id = TextOf(json, "id");
      if (id.empty()) return Mistake(where, "has a membership without id");
      memberships.groups.push_back(id);
    }
    return absl::OkStatus();
  }

  // Get-MgUser keeps what it has no name for apart.
  static std::string TextOf(const Json& json, absl::string_view name) {
    const Json* member = Member(json, name);
    const Json* const more = Member(json, "AdditionalProperties");
    if (member == nullptr && more != nullptr && more->is_object()) member = Member(*more, name);
    return member != nullptr && member->is_string() ? member->get<std::string>() : "";
  }

  const std::string& file_;
  bool has_next_ = false;
};

class UserExport::CsvReader {
 public:
  explicit CsvReader(const std::string& file) : file_(file) {}

  absl::StatusOr<std::vector<User>> Read(absl::string_view text) {
    absl::StatusOr<CsvTable> table = ParseCsv(text);
    if (!table.ok()) return Mistake(file_, table.status().message());
    header_ = std::move(table->header);
    if (Column("id") == header_.size() && Column("objectId") == header_.size()) {
      return Mistake(file_, "is neither JSON nor CSV with a column `id`");
    }
    std::vector<User> users;
    for (std::size_t i = 0; i < table->rows.size(); ++i) {
      users.push_back(UserOf(table->rows[i], absl::StrCat(file_, ": user ", i + 1)));
    }
    return users;
  }

 private:
  using Row = std::vector<std::string>;

  std::size_t Column(absl::string_view name) const {
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(header_[i]), name)) return i;
    }
    return header_.size();
  }

  Value ValueOf(const Row& row, absl::string_view name) const {
    Value value;
    const std::size_t column = Column(name);
    if (column == header_.size()) return value;
    value.is_absent = false;
    value.text = std::string(absl::StripAsciiWhitespace(row[column]));
    value.is_null = value.text.empty();
    return value;
  }

  // The ids of a cell; false where there is no such column, or it has what Export-Csv makes of a
  // list: the name of its type.
  bool TakeIds(const Row& row, absl::string_view name, std::vector<std::string>& ids) const {
    const Value value = ValueOf(row, name);
    if (value.is_absent || absl::StartsWith(value.text, "System.") ||
        absl::StartsWith(value.text, "Microsoft.Graph.")) {
      return false;
    }
    ids = absl::StrSplit(value.text, absl::ByAnyChar("; |,\n\t"), absl::SkipEmpty());
    return true;
  }

  User UserOf(const Row& row, const std::string& where) const {
    User user;
    user.where = where;
    user.id = ValueOf(row, Column("id") == header_.size() ? "objectId" : "id");
    user.upn = ValueOf(row, "userPrincipalName");
    user.sid = ValueOf(row, kSid);
    user.enabled = ValueOf(row, kEnabled);
    user.type = ValueOf(row, kUserType);
    Memberships& memberships = user.memberships;
    memberships.is_absent = false;
    if (!TakeIds(row, kAllGroups, memberships.groups) &&
        !TakeIds(row, "groups", memberships.groups)) {
      memberships.is_direct = TakeIds(row, kDirectGroups, memberships.groups);
      memberships.is_absent = !memberships.is_direct;
    }
    TakeIds(row, "roles", memberships.roles);
    return user;
  }

  const std::string& file_;
  std::vector<std::string> header_;
};

absl::Status UserExport::Add(const std::string& file, absl::string_view octets) {
  const std::string text = ca::AsText(octets);
  if (!ca::DecodeUtf8(text).has_value()) return Mistake(file, "is neither UTF-8 nor UTF-16");
  const absl::string_view begin = absl::StripLeadingAsciiWhitespace(text);
  ++files_;
  std::vector<User> users;
  if (absl::StartsWith(begin, "{") || absl::StartsWith(begin, "[")) {
    JsonReader reader(file);
    ASSIGN_OR_RETURN(users, reader.Read(text));
    next_links_ += reader.has_next() ? 1 : 0;
  } else {
    ASSIGN_OR_RETURN(users, CsvReader(file).Read(text));
  }
  for (const User& user : users) RETURN_IF_ERROR(Take(file, user));
  return absl::OkStatus();
}

absl::Status UserExport::Take(const std::string& file, const User& user) {
  if (!user.id.IsGiven() || user.id.text.empty()) return Mistake(user.where, "has no `id`");
  const std::string where = absl::StrCat(file, ": user ", user.id.text);
  if (!user.upn.IsGiven() || user.upn.text.empty()) {
    return Mistake(where, "has no `userPrincipalName`");
  }
  if (!ids_.insert(user.id.text).second) return Mistake(where, "is there twice");
  v1::DirectoryUser proto;
  proto.set_id(user.id.text);
  proto.set_upn(user.upn.text);
  if (absl::StartsWithIgnoreCase(user.sid.text, "S-1-12-")) {
    return Mistake(where, absl::StrCat("`", kSid, "` is a SID of the cloud, ", user.sid.text));
  }
  proto.set_onprem_sid(user.sid.text);
  if (user.sid.is_absent) ++absent_[kSid];
  // Every user has it: where it is null it was not asked for.
  if (!user.enabled.IsGiven()) {
    ++absent_[kEnabled];
  } else if (absl::EqualsIgnoreCase(user.enabled.text, "false")) {
    proto.set_disabled(true);
  } else if (!absl::EqualsIgnoreCase(user.enabled.text, "true")) {
    return Mistake(where, absl::StrCat("`", kEnabled, "` is neither true nor false"));
  }
  if (user.type.is_absent) ++absent_[kUserType];
  proto.set_guest(absl::EqualsIgnoreCase(user.type.text, "Guest"));
  const Memberships& memberships = user.memberships;
  if (memberships.is_absent) ++absent_[kAllGroups];
  proto.mutable_groups()->Assign(memberships.groups.begin(), memberships.groups.end());
  proto.mutable_roles()->Assign(memberships.roles.begin(), memberships.roles.end());
  cut_memberships_ += memberships.is_cut ? 1 : 0;
  direct_memberships_ += !memberships.is_absent && memberships.is_direct ? 1 : 0;
  roles_left_out_ += memberships.roles_left_out;
  users_.push_back(std::move(proto));
  return absl::OkStatus();
}

std::vector<std::string> UserExport::Gaps(bool without_groups) const {
  std::vector<std::string> gaps;
  for (const auto& [name, count] : absent_) {
    if (without_groups && name == kAllGroups && count == users_.size()) continue;
    gaps.push_back(absl::StrCat("`", name, "` is absent ", OfUsers(count, users_.size())));
  }
  if (cut_memberships_ > 0) {
    gaps.push_back(absl::StrCat("the memberships ", OfUsers(cut_memberships_, users_.size()),
                                " go on elsewhere (@odata.nextLink)"));
  }
  // The last page has none.
  if (next_links_ >= files_ && next_links_ > 0) {
    gaps.push_back("the list of users goes on elsewhere (@odata.nextLink)");
  }
  return gaps;
}

std::vector<std::string> UserExport::Notices() const {
  std::vector<std::string> notices;
  if (direct_memberships_ > 0) {
    notices.push_back(absl::StrCat("`", kDirectGroups, "` has no nested groups (",
                                   OfUsers(direct_memberships_, users_.size()), "): export `",
                                   kAllGroups, "` where groups are in groups"));
  }
  if (roles_left_out_ > 0) {
    notices.push_back(absl::StrCat(roles_left_out_,
                                   " memberships in roles are left out, having no "
                                   "`roleTemplateId`"));
  }
  return notices;
}

}  // namespace hourglass::cli
