// The roles of the PostgreSQL store that keep what decides who may connect.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_ACCESS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_ACCESS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/witnessed_pool.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// What the store is made on top of; safe to call from several threads, as Store says.
class PostgresqlAccess : public Store {
 public:
  TenantChanges& changes() override { return changes_; }

  absl::StatusOr<std::uint64_t> ChangePolicies(absl::string_view tenant_id,
                                               std::optional<std::uint64_t> expected_revision,
                                               absl::Span<const PolicyRecord> put,
                                               absl::Span<const std::string> deleted,
                                               const ChangeCause& cause) override;

  absl::StatusOr<PolicySet> ListPolicies(absl::string_view tenant_id) override;

  absl::StatusOr<Page<PolicyVersion>> ListPolicyVersions(absl::string_view tenant_id,
                                                         absl::string_view policy_id, int page_size,
                                                         absl::string_view page_token) override;

  absl::Status PutUsers(absl::string_view tenant_id, absl::Span<const DirectoryUser> users,
                        const ChangeCause& cause) override;

  absl::StatusOr<std::uint64_t> RemoveUsersNotUpdatedSince(absl::string_view tenant_id,
                                                           Timestamp cutoff,
                                                           const ChangeCause& cause) override;

  absl::Status RemoveUser(absl::string_view tenant_id, absl::string_view user_id,
                          const ChangeCause& cause) override;

  absl::StatusOr<DirectoryUser> GetUser(absl::string_view tenant_id,
                                        absl::string_view user_id) override;

  absl::StatusOr<DirectoryUser> GetUserByUpn(absl::string_view tenant_id,
                                             absl::string_view upn) override;

  absl::StatusOr<Page<DirectoryUser>> ListUsers(absl::string_view tenant_id, int page_size,
                                                absl::string_view page_token) override;

  absl::Status Block(const BlockRecord& block, const ChangeCause& cause) override;

  absl::StatusOr<BlockRecord> Unblock(absl::string_view tenant_id, BlockRecord::Kind kind,
                                      absl::string_view subject, const ChangeCause& cause) override;

  absl::StatusOr<Page<BlockRecord>> ListBlocks(absl::string_view tenant_id, int page_size,
                                               absl::string_view page_token) override;

  absl::StatusOr<DeviceKeyRecord> EnrolDeviceKey(const DeviceKeyRecord& key, Approval approval,
                                                 const ChangeCause& cause) override;

  absl::StatusOr<DeviceKeyRecord> ApproveDeviceKey(absl::string_view tenant_id,
                                                   absl::string_view key_id, bool replaces,
                                                   const ChangeCause& cause) override;

  absl::StatusOr<DeviceKeyRecord> RemoveDeviceKey(absl::string_view tenant_id,
                                                  absl::string_view key_id, bool releases,
                                                  const ChangeCause& cause) override;

  absl::StatusOr<Page<DeviceKeyRecord>> ListDeviceKeys(absl::string_view tenant_id,
                                                       const DeviceKeyFilter& filter, int page_size,
                                                       absl::string_view page_token) override;

  absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject& subject,
                                                  Timestamp now) override;

  absl::Status KeepRefusals(absl::Span<const RefusalRecord> refusals,
                            absl::Span<const UntoldEvent> events) override;

  absl::StatusOr<Page<RefusalRecord>> ListRefusals(absl::string_view tenant_id,
                                                   const RefusalFilter& filter, int page_size,
                                                   absl::string_view page_token) override;

  absl::Status PutDeviceTelling(const DeviceRecord& device, const UntoldEvent& event) override;

  absl::Status RemoveDeviceTelling(const DecisionEvent& event) override;

  absl::StatusOr<std::vector<DecisionEvent>> ListEvents(absl::string_view tenant_id,
                                                        std::uint64_t after, int limit) override;

  absl::StatusOr<std::optional<DecisionEvent>> FindEvent(absl::string_view tenant_id,
                                                         std::uint64_t sequence) override;

  absl::StatusOr<std::map<std::string, std::uint64_t>> NewestEvents() override;

  absl::Status DropDecisions(Timestamp refusals_before, Timestamp events_before) override;

 protected:
  // `pool` must outlive every call.
  explicit PostgresqlAccess(postgresql::WitnessedPool* pool) : pool_(pool) {}

  TenantChanges changes_;

 private:
  postgresql::WitnessedPool* const pool_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_POSTGRESQL_ACCESS_H_
