#include "issuance/store/sqlite/sqlite_access.h"

#include "hsm/base/status_macros.h"
#include "issuance/store/change_news.h"
#include "issuance/store/sqlite/tables/sqlite_blocks.h"
#include "issuance/store/sqlite/tables/sqlite_decisions.h"
#include "issuance/store/sqlite/tables/sqlite_device_keys.h"
#include "issuance/store/sqlite/tables/sqlite_devices.h"
#include "issuance/store/sqlite/tables/sqlite_directory.h"
#include "issuance/store/sqlite/tables/sqlite_policies.h"

namespace hourglass::issuance {

using sqlite::Connection;

absl::StatusOr<std::uint64_t> SqliteAccess::ChangePolicies(
    absl::string_view tenant_id, std::optional<std::uint64_t> expected_revision,
    absl::Span<const PolicyRecord> put, absl::Span<const std::string> deleted,
    const ChangeCause& cause) {
  return TellOfChange(changes_, tenant_id, connections_->Write([&](Connection& c) {
    return sqlite::ChangePolicies(c, tenant_id, expected_revision, put, deleted, cause);
  }));
}

absl::StatusOr<PolicySet> SqliteAccess::ListPolicies(absl::string_view tenant_id) {
  return connections_->Read([&](Connection& c) { return sqlite::ListPolicies(c, tenant_id); });
}

absl::StatusOr<Page<PolicyVersion>> SqliteAccess::ListPolicyVersions(absl::string_view tenant_id,
                                                                     absl::string_view policy_id,
                                                                     int page_size,
                                                                     absl::string_view page_token) {
  return connections_->Read([&](Connection& c) {
    return sqlite::ListPolicyVersions(c, tenant_id, policy_id, page_size, page_token);
  });
}

absl::Status SqliteAccess::PutUsers(absl::string_view tenant_id,
                                    absl::Span<const DirectoryUser> users,
                                    const ChangeCause& cause) {
  return connections_->Write(
      [&](Connection& c) { return sqlite::PutUsers(c, tenant_id, users, cause); });
}

absl::StatusOr<std::uint64_t> SqliteAccess::RemoveUsersNotUpdatedSince(absl::string_view tenant_id,
                                                                       Timestamp cutoff,
                                                                       const ChangeCause& cause) {
  return connections_->Write([&](Connection& c) {
    return sqlite::RemoveUsersNotUpdatedSince(c, tenant_id, cutoff, cause);
  });
}

absl::Status SqliteAccess::RemoveUser(absl::string_view tenant_id, absl::string_view user_id,
                                      const ChangeCause& cause) {
  return connections_->Write(
      [&](Connection& c) { return sqlite::RemoveUser(c, tenant_id, user_id, cause); });
}

absl::StatusOr<DirectoryUser> SqliteAccess::GetUser(absl::string_view tenant_id,
                                                    absl::string_view user_id) {
  return connections_->Read([&](Connection& c) { return sqlite::GetUser(c, tenant_id, user_id); });
}

absl::StatusOr<DirectoryUser> SqliteAccess::GetUserByUpn(absl::string_view tenant_id,
                                                         absl::string_view upn) {
  return connections_->Read([&](Connection& c) { return sqlite::GetUserByUpn(c, tenant_id, upn); });
}

absl::StatusOr<Page<DirectoryUser>> SqliteAccess::ListUsers(absl::string_view tenant_id,
                                                            int page_size,
                                                            absl::string_view page_token) {
  return connections_->Read(
      [&](Connection& c) { return sqlite::ListUsers(c, tenant_id, page_size, page_token); });
}

absl::Status SqliteAccess::Block(const BlockRecord& block, const ChangeCause& cause) {
  return connections_->Write([&](Connection& c) { return sqlite::Block(c, block, cause); });
}

absl::StatusOr<BlockRecord> SqliteAccess::Unblock(absl::string_view tenant_id,
                                                  BlockRecord::Kind kind, absl::string_view subject,
                                                  const ChangeCause& cause) {
  return connections_->Write(
      [&](Connection& c) { return sqlite::Unblock(c, tenant_id, kind, subject, cause); });
}

absl::StatusOr<Page<BlockRecord>> SqliteAccess::ListBlocks(absl::string_view tenant_id,
                                                           int page_size,
                                                           absl::string_view page_token) {
  return connections_->Read(
      [&](Connection& c) { return sqlite::ListBlocks(c, tenant_id, page_size, page_token); });
}

absl::StatusOr<DeviceKeyRecord> SqliteAccess::EnrolDeviceKey(const DeviceKeyRecord& key,
                                                             Approval approval,
                                                             const ChangeCause& cause) {
  return connections_->Write(
      [&](Connection& c) { return sqlite::EnrolDeviceKey(c, key, approval, cause); });
}

absl::StatusOr<DeviceKeyRecord> SqliteAccess::ApproveDeviceKey(absl::string_view tenant_id,
                                                               absl::string_view key_id,
                                                               bool replaces,
                                                               const ChangeCause& cause) {
  return connections_->Write([&](Connection& c) {
    return sqlite::ApproveDeviceKey(c, tenant_id, key_id, replaces, cause);
  });
}

absl::StatusOr<DeviceKeyRecord> SqliteAccess::RemoveDeviceKey(absl::string_view tenant_id,
                                                              absl::string_view key_id,
                                                              bool releases,
                                                              const ChangeCause& cause) {
  return connections_->Write([&](Connection& c) {
    return sqlite::RemoveDeviceKey(c, tenant_id, key_id, releases, cause);
  });
}

absl::StatusOr<Page<DeviceKeyRecord>> SqliteAccess::ListDeviceKeys(absl::string_view tenant_id,
                                                                   const DeviceKeyFilter& filter,
                                                                   int page_size,
                                                                   absl::string_view page_token) {
  return connections_->Read([&](Connection& c) {
    return sqlite::ListDeviceKeys(c, tenant_id, filter, page_size, page_token);
  });
}

absl::StatusOr<DecisionFacts> SqliteAccess::ReadDecisionFacts(const DecisionSubject& subject,
                                                              Timestamp now) {
  return connections_->Read(
      [&](Connection& c) { return sqlite::ReadDecisionFacts(c, subject, now); });
}

absl::Status SqliteAccess::KeepRefusals(absl::Span<const RefusalRecord> refusals,
                                        absl::Span<const UntoldEvent> events) {
  return connections_->Write(
      [&](Connection& c) { return sqlite::Decisions::KeepRefusals(c, refusals, events); });
}

absl::StatusOr<Page<RefusalRecord>> SqliteAccess::ListRefusals(absl::string_view tenant_id,
                                                               const RefusalFilter& filter,
                                                               int page_size,
                                                               absl::string_view page_token) {
  return connections_->Read([&](Connection& c) {
    return sqlite::Decisions::ListRefusals(c, tenant_id, filter, page_size, page_token);
  });
}

absl::Status SqliteAccess::PutDeviceTelling(const DeviceRecord& device, const UntoldEvent& event) {
  return connections_->Write([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(sqlite::PutDevice(c, device));
    return sqlite::Decisions::AddEventIfUntold(c, event);
  });
}

absl::Status SqliteAccess::RemoveDeviceTelling(const DecisionEvent& event) {
  return connections_->Write([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(sqlite::RemoveDevice(c, event.tenant_id, event.device_id));
    return sqlite::Decisions::AddEvent(c, event);
  });
}

absl::StatusOr<std::vector<DecisionEvent>> SqliteAccess::ListEvents(absl::string_view tenant_id,
                                                                    std::uint64_t after,
                                                                    int limit) {
  return connections_->Read(
      [&](Connection& c) { return sqlite::Decisions::ListEvents(c, tenant_id, after, limit); });
}

absl::StatusOr<std::optional<DecisionEvent>> SqliteAccess::FindEvent(absl::string_view tenant_id,
                                                                     std::uint64_t sequence) {
  return connections_->Read(
      [&](Connection& c) { return sqlite::Decisions::FindEvent(c, tenant_id, sequence); });
}

absl::StatusOr<std::map<std::string, std::uint64_t>> SqliteAccess::NewestEvents() {
  return connections_->Read([&](Connection& c) { return sqlite::Decisions::NewestEvents(c); });
}

absl::Status SqliteAccess::DropDecisions(Timestamp refusals_before, Timestamp events_before) {
  // Nothing is written for nothing: others wait for who writes.
  ASSIGN_OR_RETURN(const bool has_old, connections_->Read([&](Connection& c) {
    return sqlite::Decisions::HasOldDecisions(c, refusals_before, events_before);
  }));
  if (!has_old) return absl::OkStatus();
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, connections_->Write([&](Connection& c) {
      return sqlite::Decisions::DropRefusals(c, refusals_before);
    }));
  }
  ASSIGN_OR_RETURN(const auto newest, NewestEvents());
  for (const auto& [tenant_id, sequence] : newest) {
    for (bool more = true; more;) {
      ASSIGN_OR_RETURN(more, connections_->Write([&, &tenant = tenant_id](Connection& c) {
        return sqlite::Decisions::DropEvents(c, tenant, events_before);
      }));
    }
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
