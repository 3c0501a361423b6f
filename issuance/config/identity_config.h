// By whose word a tenant takes users and devices for who they are: the fields `identity` and
// `access_token` of a tenant.
#ifndef HOURGLASS_ISSUANCE_CONFIG_IDENTITY_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_IDENTITY_CONFIG_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "issuance/base/clock.h"
#include "issuance/config/keys_config.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/token_uses.h"
#include "issuance/yaml/mapping.h"

namespace hourglass::issuance {

// Where the keys of the issuer are: exactly one of `file` and `url` is set.
struct KeySetLocation {
  std::string file;     // a JSON Web Key Set
  std::string url;      // https
  std::string ca_file;  // with url: PEM, the authorities of its server; empty: the system's
  std::chrono::seconds refresh = std::chrono::hours(24);  // with url: 5 min to 7 days
};

struct AccessTokenConfig {
  TokenRules rules;
  TokenUseOptions uses;
  KeySetLocation keys;
};

// Without `access_token`, the broker's word counts.
struct IdentityConfig {
  std::optional<AccessTokenConfig> access_token;
};

// The issuers of a directory in the public cloud of Entra ID, of version 2.0 and 1.0: what holds
// where the configuration names none.
std::vector<std::string> EntraIssuers(const std::string& directory_id);

// Reads the two fields of `tenant`. With `checks`, also whether the files that they name can be
// read, nobody else may change them (issuance/base/file_trust.h), and they are what they should be:
// a key set that has a key to use, authorities; with kAll also that the authorities are valid at
// `now`. Mistakes are the document's. Safe to call from several threads, each with a document of
// its own.
IdentityConfig ReadIdentity(yaml::Mapping tenant, FileChecks checks, Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_IDENTITY_CONFIG_H_
