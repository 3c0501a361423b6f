#include "tests/history/history_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tests/history/client_log.h"
#include "tests/history/journal_file.h"

namespace hourglass::history {
namespace {

absl::Status Invalid(const std::string& file, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, file, message);
}

std::string JournalIn(const std::string& folder) { return absl::StrCat(folder, "/", kJournalFile); }

absl::StatusOr<std::vector<std::string>> LogsIn(const std::string& folder) {
  const std::string clients = absl::StrCat(folder, "/", kClientsFolder);
  std::error_code error;
  std::vector<std::string> logs;
  for (std::filesystem::directory_iterator entry(clients, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kLogSuffix) logs.push_back(entry->path());
  }
  if (error) return Invalid(clients, error.message());
  if (logs.empty()) return Invalid(clients, "has no log of a client");
  std::sort(logs.begin(), logs.end());
  return logs;
}

class Logs {
 public:
  absl::Status Add(const std::string& file, History* history) {
    std::ifstream text(file);
    if (!text) return Invalid(file, "cannot be read");
    ASSIGN_OR_RETURN(ClientLog log, ReadClientLog(text, file));
    if (text.bad()) return Invalid(file, "cannot be read to its end");
    if (log.is_torn) ++history->torn_lines;
    history->logs_are_whole = history->logs_are_whole && log.is_whole;
    if (log.client.empty()) return absl::OkStatus();
    if (!clients_.insert(log.client).second) {
      return Invalid(file, "is of the same client as another log");
    }
    if (boot_id_.empty()) boot_id_ = log.boot_id;
    if (log.boot_id != boot_id_) {
      return Invalid(file, "is of another start of the machine than the logs before");
    }
    std::move(log.issuing.begin(), log.issuing.end(), std::back_inserter(history->issuing));
    std::move(log.administration.begin(), log.administration.end(),
              std::back_inserter(history->administration));
    return absl::OkStatus();
  }

 private:
  std::set<std::string> clients_;
  std::string boot_id_;
};

}  // namespace

absl::Status WriteJournal(const std::string& folder, absl::Span<const TenantHistory> tenants) {
  const std::string path = JournalIn(folder);
  std::ofstream file(path, std::ios::trunc);
  for (const TenantHistory& tenant : tenants) WriteTenant(tenant, file);
  file.close();
  return file ? absl::OkStatus() : Invalid(path, "cannot be written");
}

absl::StatusOr<History> ReadHistory(const std::string& folder) {
  History history;
  history.logs_are_whole = true;
  ASSIGN_OR_RETURN(const std::vector<std::string> files, LogsIn(folder));
  Logs logs;
  for (const std::string& file : files) RETURN_IF_ERROR(logs.Add(file, &history));
  const std::string path = JournalIn(folder);
  std::ifstream journal(path);
  if (!journal) return Invalid(path, "cannot be read");
  ASSIGN_OR_RETURN(history.tenants, ReadTenants(journal, path));
  if (journal.bad()) return Invalid(path, "cannot be read to its end");
  return history;
}

}  // namespace hourglass::history
