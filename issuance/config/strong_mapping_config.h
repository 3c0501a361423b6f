// The part of the configuration file that says how certificates map to Windows accounts.
#ifndef HOURGLASS_ISSUANCE_CONFIG_STRONG_MAPPING_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_STRONG_MAPPING_CONFIG_H_

#include "issuance/config/issuing_config.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// `strong_mapping`, `fields`, of what a tenant issues, or all do: replaces in `config` what is
// given. Counts only if the document ends without a mistake.
void ReadStrongMapping(yaml::Mapping fields, IssuingConfig& config);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_STRONG_MAPPING_CONFIG_H_
