#include "issuance/store/sqlite/sqlite_store.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/change_news.h"
#include "issuance/store/sqlite/engine/sqlite_connections.h"
#include "issuance/store/sqlite/journal/segmented_journal.h"
#include "issuance/store/sqlite/sqlite_access.h"
#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/sqlite/tables/sqlite_devices.h"
#include "issuance/store/sqlite/tables/sqlite_intermediates.h"
#include "issuance/store/sqlite/tables/sqlite_keys.h"
#include "issuance/store/sqlite/tables/sqlite_relying_parties.h"
#include "issuance/store/sqlite/tables/sqlite_roots.h"
#include "issuance/store/sqlite/tables/sqlite_tenants.h"

namespace hourglass::issuance {
namespace {

using sqlite::Connection;

class SqliteStore final : public SqliteAccess {
 public:
  SqliteStore(std::unique_ptr<sqlite::Connections> connections,
              std::unique_ptr<sqlite::SegmentedJournal> journal)
      : SqliteAccess(connections.get()),
        connections_(std::move(connections)),
        journal_(std::move(journal)) {}

  absl::Status CreateTenant(const TenantRecord& tenant) override {
    return connections_->Write([&](Connection& c) { return sqlite::CreateTenant(c, tenant); });
  }

  absl::StatusOr<TenantRecord> GetTenant(absl::string_view tenant_id) override {
    return connections_->Read([&](Connection& c) { return sqlite::GetTenant(c, tenant_id); });
  }

  absl::StatusOr<std::vector<TenantRecord>> ListTenants() override {
    return connections_->Read([](Connection& c) { return sqlite::ListTenants(c); });
  }

  absl::StatusOr<int> ReserveGeneration(absl::string_view tenant_id) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::ReserveGeneration(c, tenant_id); });
  }

  absl::Status PlanKey(const PlannedKey& key) override {
    return connections_->Write([&](Connection& c) { return sqlite::PlanKey(c, key); });
  }

  absl::Status ForgetPlannedKey(absl::string_view key_uri,
                                std::optional<absl::string_view> public_key) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::ForgetPlannedKey(c, key_uri, public_key); });
  }

  absl::Status CondemnPlannedKey(absl::string_view key_uri, absl::string_view public_key) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::CondemnPlannedKey(c, key_uri, public_key); });
  }

  absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(absl::string_view tenant_id) override {
    return connections_->Read([&](Connection& c) { return sqlite::ListPlannedKeys(c, tenant_id); });
  }

  absl::Status AddRoot(const RootRecord& root) override {
    return TellOfChange(changes_, root.tenant_id, connections_->Write([&](Connection& c) {
      return sqlite::AddRoot(c, root);
    }));
  }

  absl::StatusOr<RootRecord> GetRoot(absl::string_view tenant_id,
                                     absl::string_view root_id) override {
    return journal_->GetRoot(tenant_id, root_id);
  }

  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    return journal_->ListRoots(tenant_id);
  }

  absl::StatusOr<std::vector<RootOfKey>> RootsOfPublicKey(absl::string_view public_key) override {
    return connections_->Read(
        [&](Connection& c) { return sqlite::RootsOfPublicKey(c, public_key); });
  }

  absl::StatusOr<std::vector<RootOfKey>> RootsOfKeyName(absl::string_view key_uri) override {
    return connections_->Read([&](Connection& c) { return sqlite::RootsOfKeyName(c, key_uri); });
  }

  absl::Status NoteKeyDestroyed(absl::string_view key_uri, absl::string_view public_key,
                                Timestamp now) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::NoteKeyDestroyed(c, key_uri, public_key, now); });
  }

  absl::Status BindKey(const BoundKey& key) override {
    return connections_->Write([&](Connection& c) { return sqlite::BindKey(c, key); });
  }

  absl::StatusOr<std::vector<BoundKey>> ListBoundKeys() override {
    return connections_->Read([](Connection& c) { return sqlite::ListBoundKeys(c); });
  }

  absl::Status ChangeRootStates(absl::string_view tenant_id, std::uint64_t expected_revision,
                                absl::Span<const RootStateChange> changes,
                                const RootChangeOrder& order) override {
    return TellOfChange(changes_, tenant_id, connections_->Write([&](Connection& c) {
      return sqlite::ChangeRootStates(c, tenant_id, expected_revision, changes, order);
    }));
  }

  absl::Status AddIntermediate(const IntermediateRecord& intermediate) override {
    return TellIfFenced(changes_, intermediate.tenant_id, connections_->Write([&](Connection& c) {
      return sqlite::AddIntermediate(c, intermediate);
    }));
  }

  absl::Status ReleaseIntermediate(absl::string_view tenant_id, absl::string_view root_id,
                                   absl::string_view serial_number, absl::string_view certificate,
                                   Timestamp released_at) override {
    return TellIfFenced(changes_, tenant_id, connections_->Write([&](Connection& c) {
      return sqlite::ReleaseIntermediate(c, tenant_id, root_id, serial_number, certificate,
                                         released_at);
    }));
  }

  absl::StatusOr<IntermediateRecord> GetIntermediate(absl::string_view tenant_id,
                                                     absl::string_view root_id,
                                                     absl::string_view serial_number) override {
    return connections_->Read([&](Connection& c) {
      return sqlite::GetIntermediate(c, tenant_id, root_id, serial_number);
    });
  }

  absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(
      absl::string_view tenant_id, absl::string_view root_id, int page_size,
      absl::string_view page_token) override {
    return connections_->Read([&](Connection& c) {
      return sqlite::ListIntermediates(c, tenant_id, root_id, page_size, page_token);
    });
  }

  absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) override {
    absl::StatusOr<std::vector<absl::Status>> appended = journal_->Append(writes);
    if (!appended.ok()) return appended;
    TellOfFenced(changes_, writes, *appended);
    return appended;
  }

  // The file has one writer.
  int AppendsAtOnce() const override { return 1; }

  absl::StatusOr<JournalRecord> FindByRequestId(absl::string_view tenant_id,
                                                absl::string_view request_id) override {
    return journal_->FindByRequestId(tenant_id, request_id);
  }

  absl::StatusOr<JournalRecord> FindBySerialNumber(absl::string_view tenant_id,
                                                   absl::string_view serial_number) override {
    return journal_->FindBySerialNumber(tenant_id, serial_number);
  }

  absl::StatusOr<Page<JournalRecord>> ListJournal(absl::string_view tenant_id,
                                                  const JournalFilter& filter, int page_size,
                                                  absl::string_view page_token) override {
    return journal_->List(tenant_id, filter, page_size, page_token);
  }

  absl::Status DropJournalBefore(Timestamp before) override { return journal_->DropBefore(before); }

  absl::Status DeleteDroppedJournal(Timestamp now) override { return journal_->DeleteDropped(now); }

  absl::Status PutDevice(const DeviceRecord& device) override {
    return connections_->Write([&](Connection& c) { return sqlite::PutDevice(c, device); });
  }

  absl::StatusOr<DeviceRecord> GetDevice(absl::string_view tenant_id,
                                         absl::string_view device_id) override {
    return connections_->Read(
        [&](Connection& c) { return sqlite::GetDevice(c, tenant_id, device_id); });
  }

  absl::StatusOr<Page<DeviceRecord>> ListDevices(absl::string_view tenant_id, int page_size,
                                                 absl::string_view page_token) override {
    return connections_->Read(
        [&](Connection& c) { return sqlite::ListDevices(c, tenant_id, page_size, page_token); });
  }

  absl::Status RemoveDevice(absl::string_view tenant_id, absl::string_view device_id) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::RemoveDevice(c, tenant_id, device_id); });
  }

  absl::Status AddRelyingParty(const RelyingPartyRecord& party, const ChangeCause& cause) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::AddRelyingParty(c, party, cause); });
  }

  absl::StatusOr<RelyingPartyRecord> RemoveRelyingParty(absl::string_view tenant_id,
                                                        absl::string_view name,
                                                        const ChangeCause& cause) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::RemoveRelyingParty(c, tenant_id, name, cause); });
  }

  absl::StatusOr<std::vector<RelyingPartyRecord>> ListRelyingParties(
      absl::string_view tenant_id) override {
    return connections_->Read(
        [&](Connection& c) { return sqlite::ListRelyingParties(c, tenant_id); });
  }

  absl::StatusOr<RelyingPartyRecord> Acknowledge(const Acknowledgement& acknowledgement,
                                                 const ChangeCause& cause) override {
    return connections_->Write(
        [&](Connection& c) { return sqlite::Acknowledge(c, acknowledgement, cause); });
  }

  absl::Status NoteFetched(absl::string_view tenant_id, absl::string_view identity,
                           std::uint64_t version, Timestamp now) override {
    // Gateways fetch what they have each few seconds: that must not wait for who writes.
    ASSIGN_OR_RETURN(const bool is_news, connections_->Read([&](Connection& c) {
      return sqlite::IsNewlyFetched(c, tenant_id, identity, version);
    }));
    if (!is_news) return absl::OkStatus();
    return connections_->Write(
        [&](Connection& c) { return sqlite::NoteFetched(c, tenant_id, identity, version, now); });
  }

  absl::StatusOr<Page<AdministrativeAction>> ListAdministrativeActions(
      absl::string_view tenant_id, int page_size, absl::string_view page_token) override {
    return connections_->Read([&](Connection& c) {
      return sqlite::ListAdministrativeActions(c, tenant_id, page_size, page_token);
    });
  }

 private:
  const std::unique_ptr<sqlite::Connections> connections_;
  const std::unique_ptr<sqlite::SegmentedJournal> journal_;
};

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const std::string& path,
                                                 const SqliteStoreOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Connections> connections,
                   sqlite::Connections::Open(path, options.busy_timeout));
  ASSIGN_OR_RETURN(std::unique_ptr<sqlite::SegmentedJournal> journal,
                   sqlite::SegmentedJournal::Open(connections.get(), path, options));
  RETURN_IF_ERROR(connections->Write([](Connection& c) { return sqlite::NameTenants(c); }));
  return std::unique_ptr<Store>(
      std::make_unique<SqliteStore>(std::move(connections), std::move(journal)));
}

}  // namespace

std::string SqliteStorePath(absl::string_view data_directory) {
  return absl::StrCat(data_directory, "/hourglass.sqlite");
}

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(absl::string_view path,
                                                       const SqliteStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenStore(std::string(path), options);
  if (store.ok() || absl::StrContains(store.status().message(), path)) return store;
  return Error(ReasonOf(store.status()), "", absl::StrCat(path, ": ", store.status().message()));
}

}  // namespace hourglass::issuance
