// Complete records for tests of what stores them. The octets in them are no certificates.
#ifndef HOURGLASS_ISSUANCE_STORE_TESTING_SAMPLE_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_TESTING_SAMPLE_RECORDS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "issuance/store/access_records.h"
#include "issuance/store/records.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

inline constexpr absl::string_view kSampleTenant = "contoso";
inline constexpr absl::string_view kSampleRoot = "root-1";

// Quotes, a statement's end, wildcards, several scripts, a right-to-left mark.
inline constexpr char kUnusualText[] =
    "o'b\"r`; DROP TABLE roots; -- %_\\ \xc3\xa9\xe6\xbc\xa2\xf0\x9f\x94\x91\xe2\x80\x8f";

// Each octet once, 0 first.
std::string AllOctets();

// 2026-01-02 03:04:05.000006 UTC plus `seconds`.
Timestamp SampleTime(int seconds = 0);

TenantRecord SampleTenant(absl::string_view tenant_id = kSampleTenant);
// STAGED; `root-1` has generation 1.
RootRecord SampleRoot(int generation, absl::string_view tenant_id = kSampleTenant);
// What the store says of a root that has a key.
RootOfKey AsRootOfKey(const RootRecord& root, ca::RootState state);
// Of root-1 under epoch 1, as AddSamplePrimary leaves them. Its serial number is a function of the
// request id.
Intent SampleIntent(absl::string_view request_id, absl::string_view tenant_id = kSampleTenant);
// Of root-1 under epoch 1, not released. Its serial number is a function of `number`.
IntermediateRecord SampleIntermediate(int number, absl::string_view tenant_id = kSampleTenant);
Release ReleaseOf(const Intent& intent);
DeviceRecord SampleDevice(absl::string_view device_id, absl::string_view tenant_id = kSampleTenant);
// Registered at SampleTime(-2), has acknowledged nothing; its identity is `NAME-caller`.
RelyingPartyRecord SampleRelyingParty(absl::string_view name,
                                      absl::string_view tenant_id = kSampleTenant);
// The same without an identity: an administrator attests for it.
RelyingPartyRecord SampleManualParty(absl::string_view name,
                                     absl::string_view tenant_id = kSampleTenant);
// At SampleTime(-2) by `administrator`, with a reason.
ChangeCause SampleCause();
// By SampleRelyingParty, of a document whose hash is a function of the version.
Acknowledgement SampleAcknowledgement(absl::string_view name, std::uint64_t version,
                                      absl::string_view tenant_id = kSampleTenant);
// The same for SampleManualParty.
Acknowledgement SampleAttestation(absl::string_view name, std::uint64_t version,
                                  absl::string_view tenant_id = kSampleTenant);
// Of conditional access, enabled; as SampleCause makes it, but for the revision.
PolicyRecord SamplePolicy(absl::string_view policy_id, absl::string_view tenant_id = kSampleTenant);
// `USER_ID@contoso.example` with two groups and a role, as SampleCause makes him.
DirectoryUser SampleUser(absl::string_view user_id, absl::string_view tenant_id = kSampleTenant);
// As SampleCause makes it, until it is lifted.
BlockRecord SampleBlock(BlockRecord::Kind kind, absl::string_view subject,
                        absl::string_view tenant_id = kSampleTenant);
// Pending, by an id and a public key that are functions of `name`, as SampleCause enrols it: it has
// no reason yet.
DeviceKeyRecord SampleDeviceKey(absl::string_view name, absl::string_view device_id,
                                absl::string_view tenant_id = kSampleTenant);

// Of SampleIntent's user and device at SampleTime(), without a sequence.
RefusalRecord SampleRefusal(absl::string_view verdict_id,
                            absl::string_view tenant_id = kSampleTenant);
// That the device was refused to SampleIntent's user at SampleTime(), without a sequence.
DecisionEvent SampleEvent(absl::string_view device_id, absl::string_view tenant_id = kSampleTenant);

// Makes the tenant with root-1 as its primary: epoch 1, revision 2.
absl::Status AddSamplePrimary(Store& store, absl::string_view tenant_id = kSampleTenant);

// After AddSamplePrimary: root-2 in root-1's place at SampleTime(9), epoch 2, revision 4.
absl::Status SwitchToSecondRoot(Store& store);

// Writes one record. The status of the write, or of the store.
absl::Status Append(Store& store, const JournalWrite& write);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TESTING_SAMPLE_RECORDS_H_
