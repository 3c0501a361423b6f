// What the answers of a RADIUS server come to: pure functions.
#ifndef HOURGLASS_TOOLS_DOCTOR_RADIUS_RADIUS_JUDGEMENT_H_
#define HOURGLASS_TOOLS_DOCTOR_RADIUS_RADIUS_JUDGEMENT_H_

#include <cstdint>
#include <vector>

#include "tools/doctor/finding_list.h"
#include "tools/doctor/radius/radius_doctor.h"

namespace hourglass::doctor {

// Adds what is wrong where no answer that counts came: unreachable, silent, false. True where one
// came. `secret_differs`: it answers a request that is not signed, and by another secret.
bool JudgeReachability(const ProbeResult& result, bool secret_differs, FindingList& findings);

// Adds what is wrong with the answer to the canary, whose certificate ends at `not_after` (seconds
// since 1970).
void JudgeCanary(const AskedProbe& probe, std::int64_t not_after, FindingList& findings);

// Adds a finding for each of `probes` that must be refused and was accepted, or one for all of them
// where all were.
void JudgeRefusals(const std::vector<AskedProbe>& probes, FindingList& findings);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_RADIUS_RADIUS_JUDGEMENT_H_
