// The part of the configuration file that says who may call.
#ifndef HOURGLASS_ISSUANCE_CONFIG_CALLERS_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_CALLERS_CONFIG_H_

#include <string>
#include <vector>

#include "issuance/config/keys_config.h"
#include "issuance/identity/caller.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// `callers` of the file's root. What it returns counts only if the document ends without a mistake.
std::vector<Caller> ReadCallers(yaml::Mapping root);

// The paths of `revocation_lists` of `tls`, none where it is not given. With kStart and kAll each
// list is read and verified with `trusted_roots_file`.
std::vector<std::string> ReadRevocationLists(yaml::Mapping tls,
                                             const std::string& trusted_roots_file,
                                             FileChecks checks);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_CALLERS_CONFIG_H_
