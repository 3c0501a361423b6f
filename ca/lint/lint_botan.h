// The second opinion: what Botan reads in a certificate must be what we meant to write. Botan's
// parser and ours share nothing.
#ifndef HOURGLASS_CA_LINT_LINT_BOTAN_H_
#define HOURGLASS_CA_LINT_LINT_BOTAN_H_

#include <vector>

#include "ca/lint/lint.h"
#include "ca/lint/lint_finding.h"

namespace hourglass::ca {

// What Botan does with the leaf's public key beside comparing its octets with the requested ones.
enum class BotanKey {
  kLoad,    // load it: a fifth of a millisecond for EC, a whole one for RSA-4096
  kCompare  // nothing: BotanLoadsKey accepted the requested octets before
};

// The rules, all named `botan_…`, where Botan reads something else than the specimen was made from;
// `botan_parses`, alone, where it refuses to read at all. Botan does not check the signature here:
// a specimen has none.
std::vector<LintFinding> LintLeafWithBotan(const LeafSpecimen& specimen,
                                           BotanKey key = BotanKey::kLoad);

// Whether Botan can make a public key of this SubjectPublicKeyInfo, DER.
bool BotanLoadsKey(absl::string_view subject_public_key_info);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_LINT_LINT_BOTAN_H_
