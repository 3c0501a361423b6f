#include "issuance/store/postgresql/postgresql_access.h"

#include "hsm/base/status_macros.h"
#include "issuance/store/change_news.h"
#include "issuance/store/postgresql/tables/postgresql_blocks.h"
#include "issuance/store/postgresql/tables/postgresql_decisions.h"
#include "issuance/store/postgresql/tables/postgresql_device_keys.h"
#include "issuance/store/postgresql/tables/postgresql_devices.h"
#include "issuance/store/postgresql/tables/postgresql_directory.h"
#include "issuance/store/postgresql/tables/postgresql_policies.h"

namespace hourglass::issuance {

using postgresql::Connection;

absl::StatusOr<std::uint64_t> PostgresqlAccess::ChangePolicies(
    absl::string_view tenant_id, std::optional<std::uint64_t> expected_revision,
    absl::Span<const PolicyRecord> put, absl::Span<const std::string> deleted,
    const ChangeCause& cause) {
  return TellOfChange(changes_, tenant_id, pool_->Administer([&](Connection& c) {
    return postgresql::ChangePolicies(c, tenant_id, expected_revision, put, deleted, cause);
  }));
}

absl::StatusOr<PolicySet> PostgresqlAccess::ListPolicies(absl::string_view tenant_id) {
  return pool_->Run([&](Connection& c) { return postgresql::ListPolicies(c, tenant_id); });
}

absl::StatusOr<Page<PolicyVersion>> PostgresqlAccess::ListPolicyVersions(
    absl::string_view tenant_id, absl::string_view policy_id, int page_size,
    absl::string_view page_token) {
  return pool_->Run([&](Connection& c) {
    return postgresql::ListPolicyVersions(c, tenant_id, policy_id, page_size, page_token);
  });
}

absl::Status PostgresqlAccess::PutUsers(absl::string_view tenant_id,
                                        absl::Span<const DirectoryUser> users,
                                        const ChangeCause& cause) {
  return pool_->Administer(
      [&](Connection& c) { return postgresql::PutUsers(c, tenant_id, users, cause); });
}

absl::StatusOr<std::uint64_t> PostgresqlAccess::RemoveUsersNotUpdatedSince(
    absl::string_view tenant_id, Timestamp cutoff, const ChangeCause& cause) {
  return pool_->Administer([&](Connection& c) {
    return postgresql::RemoveUsersNotUpdatedSince(c, tenant_id, cutoff, cause);
  });
}

absl::Status PostgresqlAccess::RemoveUser(absl::string_view tenant_id, absl::string_view user_id,
                                          const ChangeCause& cause) {
  return pool_->Administer(
      [&](Connection& c) { return postgresql::RemoveUser(c, tenant_id, user_id, cause); });
}

absl::StatusOr<DirectoryUser> PostgresqlAccess::GetUser(absl::string_view tenant_id,
                                                        absl::string_view user_id) {
  return pool_->Run([&](Connection& c) { return postgresql::GetUser(c, tenant_id, user_id); });
}

absl::StatusOr<DirectoryUser> PostgresqlAccess::GetUserByUpn(absl::string_view tenant_id,
                                                             absl::string_view upn) {
  return pool_->Run([&](Connection& c) { return postgresql::GetUserByUpn(c, tenant_id, upn); });
}

absl::StatusOr<Page<DirectoryUser>> PostgresqlAccess::ListUsers(absl::string_view tenant_id,
                                                                int page_size,
                                                                absl::string_view page_token) {
  return pool_->Run(
      [&](Connection& c) { return postgresql::ListUsers(c, tenant_id, page_size, page_token); });
}

absl::Status PostgresqlAccess::Block(const BlockRecord& block, const ChangeCause& cause) {
  return pool_->Administer([&](Connection& c) { return postgresql::Block(c, block, cause); });
}

absl::StatusOr<BlockRecord> PostgresqlAccess::Unblock(absl::string_view tenant_id,
                                                      BlockRecord::Kind kind,
                                                      absl::string_view subject,
                                                      const ChangeCause& cause) {
  return pool_->Administer(
      [&](Connection& c) { return postgresql::Unblock(c, tenant_id, kind, subject, cause); });
}

absl::StatusOr<Page<BlockRecord>> PostgresqlAccess::ListBlocks(absl::string_view tenant_id,
                                                               int page_size,
                                                               absl::string_view page_token) {
  return pool_->Run(
      [&](Connection& c) { return postgresql::ListBlocks(c, tenant_id, page_size, page_token); });
}

absl::StatusOr<DeviceKeyRecord> PostgresqlAccess::EnrolDeviceKey(const DeviceKeyRecord& key,
                                                                 Approval approval,
                                                                 const ChangeCause& cause) {
  return pool_->Administer(
      [&](Connection& c) { return postgresql::EnrolDeviceKey(c, key, approval, cause); });
}

absl::StatusOr<DeviceKeyRecord> PostgresqlAccess::ApproveDeviceKey(absl::string_view tenant_id,
                                                                   absl::string_view key_id,
                                                                   bool replaces,
                                                                   const ChangeCause& cause) {
  return pool_->Administer([&](Connection& c) {
    return postgresql::ApproveDeviceKey(c, tenant_id, key_id, replaces, cause);
  });
}

absl::StatusOr<DeviceKeyRecord> PostgresqlAccess::RemoveDeviceKey(absl::string_view tenant_id,
                                                                  absl::string_view key_id,
                                                                  bool releases,
                                                                  const ChangeCause& cause) {
  return pool_->Administer([&](Connection& c) {
    return postgresql::RemoveDeviceKey(c, tenant_id, key_id, releases, cause);
  });
}

absl::StatusOr<Page<DeviceKeyRecord>> PostgresqlAccess::ListDeviceKeys(
    absl::string_view tenant_id, const DeviceKeyFilter& filter, int page_size,
    absl::string_view page_token) {
  return pool_->Run([&](Connection& c) {
    return postgresql::ListDeviceKeys(c, tenant_id, filter, page_size, page_token);
  });
}

absl::StatusOr<DecisionFacts> PostgresqlAccess::ReadDecisionFacts(const DecisionSubject& subject,
                                                                  Timestamp now) {
  return pool_->Run([&](Connection& c) { return postgresql::ReadDecisionFacts(c, subject, now); });
}

absl::Status PostgresqlAccess::KeepRefusals(absl::Span<const RefusalRecord> refusals,
                                            absl::Span<const UntoldEvent> events) {
  return pool_->Write(
      [&](Connection& c) { return postgresql::Decisions::KeepRefusals(c, refusals, events); });
}

absl::StatusOr<Page<RefusalRecord>> PostgresqlAccess::ListRefusals(absl::string_view tenant_id,
                                                                   const RefusalFilter& filter,
                                                                   int page_size,
                                                                   absl::string_view page_token) {
  return pool_->Run([&](Connection& c) {
    return postgresql::Decisions::ListRefusals(c, tenant_id, filter, page_size, page_token);
  });
}

absl::Status PostgresqlAccess::PutDeviceTelling(const DeviceRecord& device,
                                                const UntoldEvent& event) {
  return pool_->Write([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(postgresql::PutDevice(c, device));
    return postgresql::Decisions::AddEventIfUntold(c, event);
  });
}

absl::Status PostgresqlAccess::RemoveDeviceTelling(const DecisionEvent& event) {
  return pool_->Write([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(postgresql::RemoveDevice(c, event.tenant_id, event.device_id));
    return postgresql::Decisions::AddEvent(c, event);
  });
}

absl::StatusOr<std::vector<DecisionEvent>> PostgresqlAccess::ListEvents(absl::string_view tenant_id,
                                                                        std::uint64_t after,
                                                                        int limit) {
  return pool_->Run(
      [&](Connection& c) { return postgresql::Decisions::ListEvents(c, tenant_id, after, limit); });
}

absl::StatusOr<std::optional<DecisionEvent>> PostgresqlAccess::FindEvent(
    absl::string_view tenant_id, std::uint64_t sequence) {
  return pool_->Run(
      [&](Connection& c) { return postgresql::Decisions::FindEvent(c, tenant_id, sequence); });
}

absl::StatusOr<std::map<std::string, std::uint64_t>> PostgresqlAccess::NewestEvents() {
  return pool_->Run([&](Connection& c) { return postgresql::Decisions::NewestEvents(c); });
}

absl::Status PostgresqlAccess::DropDecisions(Timestamp refusals_before, Timestamp events_before) {
  // Nothing is written for nothing: others wait for who writes.
  ASSIGN_OR_RETURN(const bool has_old, pool_->Run([&](Connection& c) {
    return postgresql::Decisions::HasOldDecisions(c, refusals_before, events_before);
  }));
  if (!has_old) return absl::OkStatus();
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, pool_->Write([&](Connection& c) {
      return postgresql::Decisions::DropRefusals(c, refusals_before);
    }));
  }
  ASSIGN_OR_RETURN(const auto newest, NewestEvents());
  for (const auto& [tenant_id, sequence] : newest) {
    for (bool more = true; more;) {
      ASSIGN_OR_RETURN(more, pool_->Write([&, &tenant = tenant_id](Connection& c) {
        return postgresql::Decisions::DropEvents(c, tenant, events_before);
      }));
    }
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
