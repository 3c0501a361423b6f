#include "issuance/store/postgresql/postgresql_store.h"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/recurring.h"
#include "issuance/store/change_news.h"
#include "issuance/store/postgresql/change_listener.h"
#include "issuance/store/postgresql/database_time.h"
#include "issuance/store/postgresql/engine/postgresql_move_mark.h"
#include "issuance/store/postgresql/engine/schema.h"
#include "issuance/store/postgresql/journal/journal_partitions.h"
#include "issuance/store/postgresql/journal/postgresql_journal.h"
#include "issuance/store/postgresql/postgresql_access.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_devices.h"
#include "issuance/store/postgresql/tables/postgresql_intermediates.h"
#include "issuance/store/postgresql/tables/postgresql_keys.h"
#include "issuance/store/postgresql/tables/postgresql_relying_parties.h"
#include "issuance/store/postgresql/tables/postgresql_roots.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/postgresql/upkeep_reports.h"
#include "issuance/store/postgresql/witnessed_pool.h"

namespace hourglass::issuance {
namespace {

using postgresql::Connection;
using postgresql::DurableFact;

class PostgresqlStore final : public PostgresqlAccess {
 public:
  PostgresqlStore(std::unique_ptr<postgresql::WitnessedPool> pool,
                  const PostgresqlStoreOptions& options)
      : PostgresqlAccess(pool.get()),
        pool_(std::move(pool)),
        journal_(&pool_->pool(), options.partition_span),
        reports_(options.upkeep_observer) {}

  // Begins to listen, and the upkeep. Once, before anything else.
  absl::Status Start(std::chrono::hours partition_span) {
    ASSIGN_OR_RETURN(listener_, postgresql::ChangeListener::Start(
                                    [this] { return pool_->pool().Connect(); }, &changes_,
                                    [this](const absl::Status& status) {
                                      reports_.Report("listening for changes", status);
                                    }));
    upkeep_.emplace(kUpkeepPause, [this, partition_span] { KeepPartitionsAhead(partition_span); });
    return absl::OkStatus();
  }

  absl::Status CreateTenant(const TenantRecord& tenant) override {
    return pool_->Administer([&](Connection& c) { return postgresql::CreateTenant(c, tenant); });
  }

  absl::StatusOr<TenantRecord> GetTenant(absl::string_view tenant_id) override {
    return pool_->Run([&](Connection& c) { return postgresql::GetTenant(c, tenant_id); });
  }

  absl::StatusOr<std::vector<TenantRecord>> ListTenants() override {
    return pool_->Run([](Connection& c) { return postgresql::ListTenants(c); });
  }

  absl::StatusOr<int> ReserveGeneration(absl::string_view tenant_id) override {
    return pool_->Administer(
        [&](Connection& c) { return postgresql::ReserveGeneration(c, tenant_id); });
  }

  absl::Status PlanKey(const PlannedKey& key) override {
    return pool_->Administer([&](Connection& c) { return postgresql::PlanKey(c, key); });
  }

  absl::Status ForgetPlannedKey(absl::string_view key_uri,
                                std::optional<absl::string_view> public_key) override {
    return pool_->Administer(
        [&](Connection& c) { return postgresql::ForgetPlannedKey(c, key_uri, public_key); });
  }

  absl::Status CondemnPlannedKey(absl::string_view key_uri, absl::string_view public_key) override {
    return pool_->Administer(
        [&](Connection& c) { return postgresql::CondemnPlannedKey(c, key_uri, public_key); });
  }

  absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(absl::string_view tenant_id) override {
    return pool_->Run([&](Connection& c) { return postgresql::ListPlannedKeys(c, tenant_id); });
  }

  absl::Status AddRoot(const RootRecord& root) override {
    return TellOfChange(changes_, root.tenant_id, pool_->Administer([&](Connection& c) {
      return postgresql::AddRoot(c, root);
    }));
  }

  absl::StatusOr<RootRecord> GetRoot(absl::string_view tenant_id,
                                     absl::string_view root_id) override {
    return pool_->Run([&](Connection& c) { return postgresql::GetRoot(c, tenant_id, root_id); });
  }

  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    return pool_->Run([&](Connection& c) { return postgresql::ListRoots(c, tenant_id); });
  }

  absl::StatusOr<std::vector<RootOfKey>> RootsOfPublicKey(absl::string_view public_key) override {
    return pool_->Run([&](Connection& c) { return postgresql::RootsOfPublicKey(c, public_key); });
  }

  absl::StatusOr<std::vector<RootOfKey>> RootsOfKeyName(absl::string_view key_uri) override {
    return pool_->Run([&](Connection& c) { return postgresql::RootsOfKeyName(c, key_uri); });
  }

  absl::Status NoteKeyDestroyed(absl::string_view key_uri, absl::string_view public_key,
                                Timestamp now) override {
    return pool_->Administer(
        [&](Connection& c) { return postgresql::NoteKeyDestroyed(c, key_uri, public_key, now); });
  }

  absl::Status BindKey(const BoundKey& key) override {
    return pool_->Administer([&](Connection& c) { return postgresql::BindKey(c, key); });
  }

  absl::StatusOr<std::vector<BoundKey>> ListBoundKeys() override {
    return pool_->Run([](Connection& c) { return postgresql::ListBoundKeys(c); });
  }

  absl::Status ChangeRootStates(absl::string_view tenant_id, std::uint64_t expected_revision,
                                absl::Span<const RootStateChange> changes,
                                const RootChangeOrder& order) override {
    DurableFact fact = {DurableFact::Kind::kRevision, std::string(tenant_id)};
    fact.revision = expected_revision + 1;
    return TellOfChange(changes_, tenant_id, pool_->Witnessed({fact}, [&] {
      return pool_->Administer([&](Connection& c) {
        return postgresql::ChangeRootStates(c, tenant_id, expected_revision, changes, order);
      });
    }));
  }

  absl::Status AddIntermediate(const IntermediateRecord& intermediate) override {
    return TellIfFenced(changes_, intermediate.tenant_id, pool_->Write([&](Connection& c) {
      return postgresql::AddIntermediate(c, intermediate);
    }));
  }

  absl::Status ReleaseIntermediate(absl::string_view tenant_id, absl::string_view root_id,
                                   absl::string_view serial_number, absl::string_view certificate,
                                   Timestamp released_at) override {
    DurableFact fact = {DurableFact::Kind::kIntermediate, std::string(tenant_id)};
    fact.root_id = std::string(root_id);
    fact.serial_number = std::string(serial_number);
    return TellIfFenced(changes_, tenant_id, pool_->Witnessed({fact}, [&] {
      return pool_->Write([&](Connection& c) {
        return postgresql::ReleaseIntermediate(c, tenant_id, root_id, serial_number, certificate,
                                               released_at);
      });
    }));
  }

  absl::StatusOr<IntermediateRecord> GetIntermediate(absl::string_view tenant_id,
                                                     absl::string_view root_id,
                                                     absl::string_view serial_number) override {
    return pool_->Run([&](Connection& c) {
      return postgresql::GetIntermediate(c, tenant_id, root_id, serial_number);
    });
  }

  absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(
      absl::string_view tenant_id, absl::string_view root_id, int page_size,
      absl::string_view page_token) override {
    return pool_->Run([&](Connection& c) {
      return postgresql::ListIntermediates(c, tenant_id, root_id, page_size, page_token);
    });
  }

  absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) override {
    RETURN_IF_ERROR(pool_->Refusal());
    const postgresql::Witness::Period period = pool_->period();
    absl::StatusOr<std::vector<absl::Status>> appended = journal_.AppendToJournal(writes);
    if (!appended.ok()) return appended;
    TellOfFenced(changes_, writes, *appended);
    RETURN_IF_ERROR(pool_->Note(period, LastReleased(writes, *appended)));
    return appended;
  }

  int AppendsAtOnce() const override { return journal_.AppendsAtOnce(); }

  absl::StatusOr<JournalRecord> FindByRequestId(absl::string_view tenant_id,
                                                absl::string_view request_id) override {
    RETURN_IF_ERROR(pool_->Refusal());
    return journal_.FindByRequestId(tenant_id, request_id);
  }

  absl::StatusOr<JournalRecord> FindBySerialNumber(absl::string_view tenant_id,
                                                   absl::string_view serial_number) override {
    RETURN_IF_ERROR(pool_->Refusal());
    return journal_.FindBySerialNumber(tenant_id, serial_number);
  }

  absl::StatusOr<Page<JournalRecord>> ListJournal(absl::string_view tenant_id,
                                                  const JournalFilter& filter, int page_size,
                                                  absl::string_view page_token) override {
    RETURN_IF_ERROR(pool_->Refusal());
    return journal_.ListJournal(tenant_id, filter, page_size, page_token);
  }

  absl::Status DropJournalBefore(Timestamp before) override {
    RETURN_IF_ERROR(pool_->Refusal());
    return journal_.DropJournalBefore(before);
  }

  absl::Status DeleteDroppedJournal(Timestamp now) override {
    RETURN_IF_ERROR(pool_->Refusal());
    return journal_.DeleteDroppedJournal(now);
  }

  absl::Status PutDevice(const DeviceRecord& device) override {
    return pool_->Write([&](Connection& c) { return postgresql::PutDevice(c, device); });
  }

  absl::StatusOr<DeviceRecord> GetDevice(absl::string_view tenant_id,
                                         absl::string_view device_id) override {
    return pool_->Run(
        [&](Connection& c) { return postgresql::GetDevice(c, tenant_id, device_id); });
  }

  absl::StatusOr<Page<DeviceRecord>> ListDevices(absl::string_view tenant_id, int page_size,
                                                 absl::string_view page_token) override {
    return pool_->Run([&](Connection& c) {
      return postgresql::ListDevices(c, tenant_id, page_size, page_token);
    });
  }

  absl::Status RemoveDevice(absl::string_view tenant_id, absl::string_view device_id) override {
    return pool_->Write(
        [&](Connection& c) { return postgresql::RemoveDevice(c, tenant_id, device_id); });
  }

  absl::Status AddRelyingParty(const RelyingPartyRecord& party, const ChangeCause& cause) override {
    return pool_->Administer(
        [&](Connection& c) { return postgresql::AddRelyingParty(c, party, cause); });
  }

  absl::StatusOr<RelyingPartyRecord> RemoveRelyingParty(absl::string_view tenant_id,
                                                        absl::string_view name,
                                                        const ChangeCause& cause) override {
    return pool_->Administer(
        [&](Connection& c) { return postgresql::RemoveRelyingParty(c, tenant_id, name, cause); });
  }

  absl::StatusOr<std::vector<RelyingPartyRecord>> ListRelyingParties(
      absl::string_view tenant_id) override {
    return pool_->Run([&](Connection& c) { return postgresql::ListRelyingParties(c, tenant_id); });
  }

  absl::StatusOr<RelyingPartyRecord> Acknowledge(const Acknowledgement& acknowledgement,
                                                 const ChangeCause& cause) override {
    return pool_->Administer(
        [&](Connection& c) { return postgresql::Acknowledge(c, acknowledgement, cause); });
  }

  absl::Status NoteFetched(absl::string_view tenant_id, absl::string_view identity,
                           std::uint64_t version, Timestamp now) override {
    return pool_->Run([&](Connection& c) {
      return postgresql::NoteFetched(c, tenant_id, identity, version, now);
    });
  }

  absl::StatusOr<Page<AdministrativeAction>> ListAdministrativeActions(
      absl::string_view tenant_id, int page_size, absl::string_view page_token) override {
    return pool_->Run([&](Connection& c) {
      return postgresql::ListAdministrativeActions(c, tenant_id, page_size, page_token);
    });
  }

 private:
  // Looks whether a partition lacks: most times that is all.
  static constexpr std::chrono::seconds kUpkeepPause{60};

  // One, or none where no release was written.
  static std::vector<DurableFact> LastReleased(absl::Span<const JournalWrite> writes,
                                               absl::Span<const absl::Status> appended) {
    for (std::size_t i = writes.size(); i > 0; --i) {
      const auto* const release = std::get_if<Release>(&writes[i - 1]);
      if (release != nullptr && appended[i - 1].ok()) return {postgresql::FactOf(*release)};
    }
    return {};
  }

  // By the database's clock, as retention is.
  void KeepPartitionsAhead(std::chrono::hours span) {
    reports_.Report("making partitions of the journal",
                    pool_->Run([&](Connection& c) -> absl::Status {
                      ASSIGN_OR_RETURN(const Timestamp now, postgresql::DatabaseTime(c));
                      return postgresql::MakePartitionsAhead(c, now, span);
                    }));
  }

  const std::unique_ptr<postgresql::WitnessedPool> pool_;
  postgresql::PostgresqlJournal journal_;
  postgresql::UpkeepReports reports_;
  // The last: their threads use what is above.
  std::unique_ptr<postgresql::ChangeListener> listener_;
  std::optional<Recurring> upkeep_;
};

absl::Status CheckMayBeServed(Connection& connection) {
  RETURN_IF_ERROR(postgresql::CheckSchema(connection, postgresql::Migrations()));
  return postgresql::CheckNotMarked(connection);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenPostgresqlStore(const PostgresqlStoreOptions& options) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<postgresql::WitnessedPool> pool,
      postgresql::WitnessedPool::Open(options.connection, options.demands, options.pool,
                                      options.timeline_observer, CheckMayBeServed));
  RETURN_IF_ERROR(pool->Run(CheckMayBeServed));
  auto store = std::make_unique<PostgresqlStore>(std::move(pool), options);
  RETURN_IF_ERROR(store->Start(options.partition_span));
  return store;
}

}  // namespace hourglass::issuance
