#include "issuance/config/strong_mapping_config.h"

namespace hourglass::issuance {

void ReadStrongMapping(yaml::Mapping fields, IssuingConfig& config) {
  StrongMapping& mapping = config.strong_mapping;
  bool& san_uri = config.profile.sid_uri;
  mapping.sid_extension = fields.Bool("sid_extension").value_or(mapping.sid_extension);
  mapping.required = fields.Bool("required").value_or(mapping.required);
  san_uri = fields.Bool("san_uri").value_or(san_uri);
  if (mapping.sid_extension) return;
  // Said for all, it is only not said for this one.
  if (fields.Bool("san_uri").value_or(false)) {
    fields.Mistake("san_uri", "does nothing while sid_extension is false");
  }
  if (fields.Bool("required").value_or(false)) {
    fields.Mistake("required", "does nothing while sid_extension is false");
  }
  mapping.required = san_uri = false;
}

}  // namespace hourglass::issuance
