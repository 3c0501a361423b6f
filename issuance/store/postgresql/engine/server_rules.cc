#include "issuance/store/postgresql/engine/server_rules.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance::postgresql {
namespace {

constexpr int kOldestVersion = 150000;

// The control file has the timeline only after the first checkpoint on it; the name of the segment
// that is written has it at once, but cannot be asked for in recovery.
constexpr absl::string_view kFacts = R"sql(
SELECT (SELECT system_identifier FROM pg_control_system()),
       CASE WHEN pg_is_in_recovery() THEN 0
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END,
       pg_is_in_recovery(),
       current_setting('default_transaction_read_only')::boolean,
       current_setting('synchronous_standby_names'),
       current_setting('synchronous_commit'),
       current_setting('fsync')::boolean,
       current_setting('full_page_writes')::boolean,
       current_setting('server_version_num')::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint
)sql";

absl::Status Unfit(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

absl::Status CheckIdentity(const ServerFacts& facts, const ServerDemands& demands,
                           const SeenServers& seen) {
  if (demands.system_identifier.has_value() &&
      facts.system_identifier != *demands.system_identifier) {
    return Unfit(absl::StrCat("the server is of the cluster ", facts.system_identifier,
                              ", and the configuration demands ", *demands.system_identifier));
  }
  if (seen.system_identifier.has_value() && facts.system_identifier != *seen.system_identifier) {
    return Unfit(absl::StrCat("the server is of the cluster ", facts.system_identifier,
                              ", and this process has worked with ", *seen.system_identifier,
                              ": if that is meant, restart it"));
  }
  if (facts.timeline < seen.timeline) {
    return Unfit(absl::StrCat("the server is on timeline ", facts.timeline,
                              ", and a standby was promoted to timeline ", seen.timeline,
                              ": stop the server, and make it a standby of the new one"));
  }
  return absl::OkStatus();
}

absl::Status CheckDurability(const ServerFacts& facts, const ServerDemands& demands) {
  if (!facts.fsync) return Unfit("fsync is off: a crash would lose what was released; turn it on");
  if (!facts.full_page_writes) {
    return Unfit("full_page_writes is off: a crash would damage the journal; turn it on");
  }
  if (facts.synchronous_commit != "on" && facts.synchronous_commit != "remote_apply") {
    return Unfit(absl::StrCat("synchronous_commit is ", facts.synchronous_commit,
                              " for this session, and must be on"));
  }
  if (!demands.synchronous_standby || NamesStandbys(facts.synchronous_standby_names)) {
    return absl::OkStatus();
  }
  if (facts.synchronous_standby_names.empty()) {
    return Unfit(
        "synchronous_standby_names is empty: what was released would be lost with the server; name "
        "a standby there");
  }
  return Unfit(absl::StrCat("synchronous_standby_names is ", facts.synchronous_standby_names,
                            ", which does not name the standbys: a base backup could count as one; "
                            "name them, or wait until one is there again"));
}

// Reads the list as src/backend/replication/syncrep_gram.y and syncrep_scanner.l do.
class StandbyNames {
 public:
  explicit StandbyNames(absl::string_view text) : text_(text) {}

  // A list, alone or in parentheses after how many of it there must be. False also where a name is
  // `*`.
  bool AreNames() {
    Next();
    if (kind_ == Kind::kWord &&
        (absl::EqualsIgnoreCase(token_, "any") || absl::EqualsIgnoreCase(token_, "first"))) {
      Next();
      return kind_ == Kind::kNumber && IsList(TakeNumber());
    }
    if (kind_ != Kind::kNumber) return IsRestOfNames() && kind_ == Kind::kEnd;
    const absl::string_view number = TakeNumber();
    // A number may be a name, too.
    if (kind_ == Kind::kOpen) return IsList(number);
    if (kind_ == Kind::kEnd) return true;
    if (kind_ != Kind::kComma) return false;
    Next();
    return IsRestOfNames() && kind_ == Kind::kEnd;
  }

 private:
  enum class Kind { kWord, kQuoted, kNumber, kOpen, kClose, kComma, kEnd, kOther };

  absl::string_view TakeNumber() {
    const absl::string_view number = token_;
    Next();
    return number;
  }

  bool IsList(absl::string_view number) {
    int count = 0;
    if (!absl::SimpleAtoi(number, &count) || count < 1 || kind_ != Kind::kOpen) return false;
    Next();
    if (!IsRestOfNames() || kind_ != Kind::kClose) return false;
    Next();
    return kind_ == Kind::kEnd;
  }

  bool IsRestOfNames() {
    for (;;) {
      const bool is_keyword = kind_ == Kind::kWord && (absl::EqualsIgnoreCase(token_, "any") ||
                                                       absl::EqualsIgnoreCase(token_, "first"));
      const bool is_name = kind_ == Kind::kWord || kind_ == Kind::kQuoted || kind_ == Kind::kNumber;
      // In quotes `*` means the same (SyncRepGetStandbyPriority).
      if (!is_name || is_keyword || token_ == "*") return false;
      Next();
      if (kind_ != Kind::kComma) return true;
      Next();
    }
  }

  static bool BeginsWord(char c) {
    return absl::ascii_isalpha(c) || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
  }

  void Next() {
    text_ = absl::StripLeadingAsciiWhitespace(text_);
    if (text_.empty()) return Take(Kind::kEnd, 0);
    const char first = text_.front();
    const auto length = [&](auto belongs) {
      return std::find_if_not(text_.begin(), text_.end(), belongs) - text_.begin();
    };
    if (first == '"') return TakeQuoted();
    if (first == '*') return Take(Kind::kWord, 1);
    if (first == '(') return Take(Kind::kOpen, 1);
    if (first == ')') return Take(Kind::kClose, 1);
    if (first == ',') return Take(Kind::kComma, 1);
    if (absl::ascii_isdigit(first)) {
      return Take(Kind::kNumber, length([](char c) { return absl::ascii_isdigit(c); }));
    }
    if (!BeginsWord(first)) return Take(Kind::kOther, 1);
    Take(Kind::kWord,
         length([](char c) { return BeginsWord(c) || absl::ascii_isdigit(c) || c == '$'; }));
  }

  // A doubled quote stands for one, which matters to nobody here.
  void TakeQuoted() {
    std::size_t end = 1;
    while (end < text_.size() &&
           (text_[end] != '"' || (end + 1 < text_.size() && text_[end + 1] == '"'))) {
      end += text_[end] == '"' ? 2 : 1;
    }
    if (end >= text_.size()) return Take(Kind::kOther, text_.size());
    Take(Kind::kQuoted, end + 1);
    token_ = token_.substr(1, token_.size() - 2);
  }

  void Take(Kind kind, std::size_t length) {
    kind_ = kind;
    token_ = text_.substr(0, length);
    text_.remove_prefix(length);
  }

  absl::string_view text_;  // what follows the token
  absl::string_view token_;
  Kind kind_ = Kind::kEnd;
};

}  // namespace

absl::StatusOr<ServerFacts> ReadServerFacts(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kFacts));
  if (!rows.Next()) return Unfit("the server says nothing of itself");
  ServerFacts facts;
  // As pg_controldata shows it, without a sign.
  facts.system_identifier = absl::StrCat(static_cast<std::uint64_t>(rows.TakeInteger()));
  facts.timeline = static_cast<std::uint32_t>(rows.TakeInteger());
  facts.is_in_recovery = rows.TakeBoolean();
  facts.is_read_only = rows.TakeBoolean();
  facts.synchronous_standby_names = rows.TakeOctets();
  facts.synchronous_commit = rows.TakeOctets();
  facts.fsync = rows.TakeBoolean();
  facts.full_page_writes = rows.TakeBoolean();
  facts.version = static_cast<int>(rows.TakeInteger());
  facts.now = Timestamp(std::chrono::microseconds(rows.TakeInteger()));
  facts.started_at = Timestamp(std::chrono::microseconds(rows.TakeInteger()));
  return facts;
}

absl::Status CheckServer(const ServerFacts& facts, const ServerDemands& demands,
                         const SeenServers& seen) {
  if (facts.version < kOldestVersion) {
    return Unfit(absl::StrCat("the server is PostgreSQL ", facts.version / 10000,
                              ", and 15 is the oldest that will do"));
  }
  if (facts.is_in_recovery)
    return Unfit("the server is a standby: name the one that is written to");
  if (facts.is_read_only) {
    return Unfit("the server is read-only: default_transaction_read_only is on");
  }
  RETURN_IF_ERROR(CheckIdentity(facts, demands, seen));
  return CheckDurability(facts, demands);
}

bool NamesStandbys(absl::string_view synchronous_standby_names) {
  return StandbyNames(synchronous_standby_names).AreNames();
}

}  // namespace hourglass::issuance::postgresql
