// What the store knows of users and devices, as conditional access takes it.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_ACCESS_FACTS_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_ACCESS_FACTS_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "hourglass/v1/devices.pb.h"
#include "issuance/access/compliance/compliance_facts.h"
#include "issuance/access/facts.h"
#include "issuance/store/access_records.h"

namespace hourglass::issuance {

// Of the user that the directory has, `user`, where he is the one of `user_upn`: an empty one is
// anybody's. Where the directory has another of that name nothing is known; where it has none, the
// id that was given alone. Of who is no guest and whose UPN is not an external user's it is known
// that he is a member; of which kind guests are, the directory does not say. All are pure
// functions.
access::UserFacts UserFactsOf(const std::optional<DirectoryUser>& user, absl::string_view user_id,
                              absl::string_view user_upn);

// Of a device that was reported, but whether it is compliant. It is registered unless its report
// says that it is not.
access::DeviceFacts DeviceFactsOf(const v1::DeviceState& state, absl::string_view device_id);

access::ComplianceFacts ComplianceFactsOf(const v1::DeviceState& state, Timestamp reported_at);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_ACCESS_FACTS_H_
