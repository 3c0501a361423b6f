// A store that hands everything on to another: tests override what they watch or disturb.
#ifndef HOURGLASS_ISSUANCE_STORE_TESTING_FORWARDING_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_TESTING_FORWARDING_STORE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "issuance/store/store.h"

namespace hourglass::issuance {

class ForwardingStore : public Store {
 public:
  // `store` must outlive this object.
  explicit ForwardingStore(Store* store) : store_(*store) {}

  TenantChanges& changes() override { return store_.changes(); }
  absl::Status CreateTenant(const TenantRecord& tenant) override {
    return store_.CreateTenant(tenant);
  }
  absl::StatusOr<TenantRecord> GetTenant(absl::string_view tenant_id) override {
    return store_.GetTenant(tenant_id);
  }
  absl::StatusOr<std::vector<TenantRecord>> ListTenants() override { return store_.ListTenants(); }
  absl::StatusOr<int> ReserveGeneration(absl::string_view tenant_id) override {
    return store_.ReserveGeneration(tenant_id);
  }
  absl::Status PlanKey(const PlannedKey& key) override { return store_.PlanKey(key); }
  absl::Status ForgetPlannedKey(absl::string_view key_uri,
                                std::optional<absl::string_view> public_key) override {
    return store_.ForgetPlannedKey(key_uri, public_key);
  }
  absl::Status CondemnPlannedKey(absl::string_view key_uri, absl::string_view public_key) override {
    return store_.CondemnPlannedKey(key_uri, public_key);
  }
  absl::StatusOr<std::vector<PlannedKey>> ListPlannedKeys(absl::string_view tenant_id) override {
    return store_.ListPlannedKeys(tenant_id);
  }
  absl::Status AddRoot(const RootRecord& root) override { return store_.AddRoot(root); }
  absl::StatusOr<RootRecord> GetRoot(absl::string_view tenant_id,
                                     absl::string_view root_id) override {
    return store_.GetRoot(tenant_id, root_id);
  }
  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    return store_.ListRoots(tenant_id);
  }
  absl::StatusOr<std::vector<RootOfKey>> RootsOfPublicKey(absl::string_view public_key) override {
    return store_.RootsOfPublicKey(public_key);
  }
  absl::StatusOr<std::vector<RootOfKey>> RootsOfKeyName(absl::string_view key_uri) override {
    return store_.RootsOfKeyName(key_uri);
  }
  absl::Status NoteKeyDestroyed(absl::string_view key_uri, absl::string_view public_key,
                                Timestamp now) override {
    return store_.NoteKeyDestroyed(key_uri, public_key, now);
  }
  absl::Status BindKey(const BoundKey& key) override { return store_.BindKey(key); }
  absl::StatusOr<std::vector<BoundKey>> ListBoundKeys() override { return store_.ListBoundKeys(); }
  absl::Status ChangeRootStates(absl::string_view tenant_id, std::uint64_t expected_revision,
                                absl::Span<const RootStateChange> changes,
                                const RootChangeOrder& order) override {
    return store_.ChangeRootStates(tenant_id, expected_revision, changes, order);
  }
  absl::Status AddIntermediate(const IntermediateRecord& intermediate) override {
    return store_.AddIntermediate(intermediate);
  }
  absl::Status ReleaseIntermediate(absl::string_view tenant_id, absl::string_view root_id,
                                   absl::string_view serial_number, absl::string_view certificate,
                                   Timestamp released_at) override {
    return store_.ReleaseIntermediate(tenant_id, root_id, serial_number, certificate, released_at);
  }
  absl::StatusOr<IntermediateRecord> GetIntermediate(absl::string_view tenant_id,
                                                     absl::string_view root_id,
                                                     absl::string_view serial_number) override {
    return store_.GetIntermediate(tenant_id, root_id, serial_number);
  }
  absl::StatusOr<Page<IntermediateRecord>> ListIntermediates(
      absl::string_view tenant_id, absl::string_view root_id, int page_size,
      absl::string_view page_token) override {
    return store_.ListIntermediates(tenant_id, root_id, page_size, page_token);
  }
  absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) override {
    return store_.AppendToJournal(writes);
  }
  int AppendsAtOnce() const override { return store_.AppendsAtOnce(); }
  absl::StatusOr<JournalRecord> FindByRequestId(absl::string_view tenant_id,
                                                absl::string_view request_id) override {
    return store_.FindByRequestId(tenant_id, request_id);
  }
  absl::StatusOr<JournalRecord> FindBySerialNumber(absl::string_view tenant_id,
                                                   absl::string_view serial_number) override {
    return store_.FindBySerialNumber(tenant_id, serial_number);
  }
  absl::StatusOr<Page<JournalRecord>> ListJournal(absl::string_view tenant_id,
                                                  const JournalFilter& filter, int page_size,
                                                  absl::string_view page_token) override {
    return store_.ListJournal(tenant_id, filter, page_size, page_token);
  }
  absl::Status DropJournalBefore(Timestamp before) override {
    return store_.DropJournalBefore(before);
  }
  absl::Status DeleteDroppedJournal(Timestamp now) override {
    return store_.DeleteDroppedJournal(now);
  }
  absl::Status PutDevice(const DeviceRecord& device) override { return store_.PutDevice(device); }
  absl::StatusOr<DeviceRecord> GetDevice(absl::string_view tenant_id,
                                         absl::string_view device_id) override {
    return store_.GetDevice(tenant_id, device_id);
  }
  absl::StatusOr<Page<DeviceRecord>> ListDevices(absl::string_view tenant_id, int page_size,
                                                 absl::string_view page_token) override {
    return store_.ListDevices(tenant_id, page_size, page_token);
  }
  absl::Status RemoveDevice(absl::string_view tenant_id, absl::string_view device_id) override {
    return store_.RemoveDevice(tenant_id, device_id);
  }
  absl::Status AddRelyingParty(const RelyingPartyRecord& party, const ChangeCause& cause) override {
    return store_.AddRelyingParty(party, cause);
  }
  absl::StatusOr<RelyingPartyRecord> RemoveRelyingParty(absl::string_view tenant_id,
                                                        absl::string_view name,
                                                        const ChangeCause& cause) override {
    return store_.RemoveRelyingParty(tenant_id, name, cause);
  }
  absl::StatusOr<std::vector<RelyingPartyRecord>> ListRelyingParties(
      absl::string_view tenant_id) override {
    return store_.ListRelyingParties(tenant_id);
  }
  absl::StatusOr<RelyingPartyRecord> Acknowledge(const Acknowledgement& acknowledgement,
                                                 const ChangeCause& cause) override {
    return store_.Acknowledge(acknowledgement, cause);
  }
  absl::Status NoteFetched(absl::string_view tenant_id, absl::string_view identity,
                           std::uint64_t version, Timestamp now) override {
    return store_.NoteFetched(tenant_id, identity, version, now);
  }
  absl::StatusOr<Page<AdministrativeAction>> ListAdministrativeActions(
      absl::string_view tenant_id, int page_size, absl::string_view page_token) override {
    return store_.ListAdministrativeActions(tenant_id, page_size, page_token);
  }
  absl::StatusOr<std::uint64_t> ChangePolicies(absl::string_view tenant_id,
                                               std::optional<std::uint64_t> expected_revision,
                                               absl::Span<const PolicyRecord> put,
                                               absl::Span<const std::string> deleted,
                                               const ChangeCause& cause) override {
    return store_.ChangePolicies(tenant_id, expected_revision, put, deleted, cause);
  }
  absl::StatusOr<PolicySet> ListPolicies(absl::string_view tenant_id) override {
    return store_.ListPolicies(tenant_id);
  }
  absl::StatusOr<Page<PolicyVersion>> ListPolicyVersions(absl::string_view tenant_id,
                                                         absl::string_view policy_id, int page_size,
                                                         absl::string_view page_token) override {
    return store_.ListPolicyVersions(tenant_id, policy_id, page_size, page_token);
  }
  absl::Status PutUsers(absl::string_view tenant_id, absl::Span<const DirectoryUser> users,
                        const ChangeCause& cause) override {
    return store_.PutUsers(tenant_id, users, cause);
  }
  absl::StatusOr<std::uint64_t> RemoveUsersNotUpdatedSince(absl::string_view tenant_id,
                                                           Timestamp cutoff,
                                                           const ChangeCause& cause) override {
    return store_.RemoveUsersNotUpdatedSince(tenant_id, cutoff, cause);
  }
  absl::Status RemoveUser(absl::string_view tenant_id, absl::string_view user_id,
                          const ChangeCause& cause) override {
    return store_.RemoveUser(tenant_id, user_id, cause);
  }
  absl::StatusOr<DirectoryUser> GetUser(absl::string_view tenant_id,
                                        absl::string_view user_id) override {
    return store_.GetUser(tenant_id, user_id);
  }
  absl::StatusOr<DirectoryUser> GetUserByUpn(absl::string_view tenant_id,
                                             absl::string_view upn) override {
    return store_.GetUserByUpn(tenant_id, upn);
  }
  absl::StatusOr<Page<DirectoryUser>> ListUsers(absl::string_view tenant_id, int page_size,
                                                absl::string_view page_token) override {
    return store_.ListUsers(tenant_id, page_size, page_token);
  }
  absl::Status Block(const BlockRecord& block, const ChangeCause& cause) override {
    return store_.Block(block, cause);
  }
  absl::StatusOr<BlockRecord> Unblock(absl::string_view tenant_id, BlockRecord::Kind kind,
                                      absl::string_view subject,
                                      const ChangeCause& cause) override {
    return store_.Unblock(tenant_id, kind, subject, cause);
  }
  absl::StatusOr<Page<BlockRecord>> ListBlocks(absl::string_view tenant_id, int page_size,
                                               absl::string_view page_token) override {
    return store_.ListBlocks(tenant_id, page_size, page_token);
  }
  absl::StatusOr<DeviceKeyRecord> EnrolDeviceKey(const DeviceKeyRecord& key, Approval approval,
                                                 const ChangeCause& cause) override {
    return store_.EnrolDeviceKey(key, approval, cause);
  }
  absl::StatusOr<DeviceKeyRecord> ApproveDeviceKey(absl::string_view tenant_id,
                                                   absl::string_view key_id, bool replaces,
                                                   const ChangeCause& cause) override {
    return store_.ApproveDeviceKey(tenant_id, key_id, replaces, cause);
  }
  absl::StatusOr<DeviceKeyRecord> RemoveDeviceKey(absl::string_view tenant_id,
                                                  absl::string_view key_id, bool releases,
                                                  const ChangeCause& cause) override {
    return store_.RemoveDeviceKey(tenant_id, key_id, releases, cause);
  }
  absl::StatusOr<Page<DeviceKeyRecord>> ListDeviceKeys(absl::string_view tenant_id,
                                                       const DeviceKeyFilter& filter, int page_size,
                                                       absl::string_view page_token) override {
    return store_.ListDeviceKeys(tenant_id, filter, page_size, page_token);
  }
  absl::StatusOr<DecisionFacts> ReadDecisionFacts(const DecisionSubject& subject,
                                                  Timestamp now) override {
    return store_.ReadDecisionFacts(subject, now);
  }
  absl::Status KeepRefusals(absl::Span<const RefusalRecord> refusals,
                            absl::Span<const UntoldEvent> events) override {
    return store_.KeepRefusals(refusals, events);
  }
  absl::StatusOr<Page<RefusalRecord>> ListRefusals(absl::string_view tenant_id,
                                                   const RefusalFilter& filter, int page_size,
                                                   absl::string_view page_token) override {
    return store_.ListRefusals(tenant_id, filter, page_size, page_token);
  }
  absl::Status PutDeviceTelling(const DeviceRecord& device, const UntoldEvent& event) override {
    return store_.PutDeviceTelling(device, event);
  }
  absl::Status RemoveDeviceTelling(const DecisionEvent& event) override {
    return store_.RemoveDeviceTelling(event);
  }
  absl::StatusOr<std::vector<DecisionEvent>> ListEvents(absl::string_view tenant_id,
                                                        std::uint64_t after, int limit) override {
    return store_.ListEvents(tenant_id, after, limit);
  }
  absl::StatusOr<std::optional<DecisionEvent>> FindEvent(absl::string_view tenant_id,
                                                         std::uint64_t sequence) override {
    return store_.FindEvent(tenant_id, sequence);
  }
  absl::StatusOr<std::map<std::string, std::uint64_t>> NewestEvents() override {
    return store_.NewestEvents();
  }
  absl::Status DropDecisions(Timestamp refusals_before, Timestamp events_before) override {
    return store_.DropDecisions(refusals_before, events_before);
  }

 private:
  Store& store_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TESTING_FORWARDING_STORE_H_
