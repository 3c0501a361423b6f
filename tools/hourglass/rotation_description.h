// What the rotation of a tenant's roots is about, for people and in JSON.
#ifndef HOURGLASS_TOOLS_HOURGLASS_ROTATION_DESCRIPTION_H_
#define HOURGLASS_TOOLS_HOURGLASS_ROTATION_DESCRIPTION_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hourglass/v1/rotation.pb.h"
#include "hourglass/v1/trust_bundles.pb.h"
#include "tools/client/failure.h"

namespace hourglass::cli {

// All that is known of a relying party. Thumbprints as everywhere: lower-case hexadecimal.
client::Json RelyingPartyAsJson(const v1::RelyingParty& party);

// Who speaks for it: the name of a caller, or `an administrator`.
std::string SpeakerInWords(const v1::RelyingParty& party);
// `version 7, 2026-11-20 10:42:07 UTC (3 min ago)`, or `never`.
std::string AcknowledgementInWords(const v1::RelyingParty& party, absl::Time now);
// `version 7, 3 min ago`, or `never`; `by hand` for one that is manual and fetches nothing.
std::string FetchInWords(const v1::RelyingParty& party, absl::Time now);

// `stage a new root`, `promote r2`, `retire r1`.
std::string StepInWords(const v1::RotationStep& step);
// `{"action", "root_id", "due_at", "reason"}`, without the root where there is none.
client::Json StepAsJson(const v1::RotationStep& step);
// The command line that takes the step; a root is made as the policy says.
std::string CommandOfStep(const v1::RotationStep& step, absl::string_view tenant_id,
                          const v1::RotationPolicy& policy);

// `automatic: a root is staged 60 days …`, on one line.
std::string PolicyInWords(const v1::RotationPolicy& policy);
// As the configuration names things; durations in seconds.
client::Json PolicyAsJson(const v1::RotationPolicy& policy);

// Where the rotation is, in sentences: which root signs, which are staged, which are retiring and
// for how long.
std::string StageInWords(const v1::Rotation& rotation, absl::Time now);
// `no_primary`, else `staged` where a root is, else `retiring` where a root is, else `idle`.
std::string StageName(const v1::Rotation& rotation);

// The STAGED root of the highest generation; null where there is none. Points into `rotation`.
const v1::Root* NewestStagedRoot(const v1::Rotation& rotation);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_ROTATION_DESCRIPTION_H_
