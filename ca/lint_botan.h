// The second opinion: what Botan reads in a certificate must be what we meant to write. Botan's
// parser and ours share nothing.
#ifndef HOURGLASS_CA_LINT_BOTAN_H_
#define HOURGLASS_CA_LINT_BOTAN_H_

#include <vector>

#include "ca/lint.h"
#include "ca/lint_finding.h"

namespace hourglass::ca {

// The rules, all named `botan_…`, where Botan reads something else than the specimen was made from;
// `botan_parses`, alone, where it refuses to read at all. Botan does not check the signature here:
// a specimen has none.
std::vector<LintFinding> LintLeafWithBotan(const LeafSpecimen& specimen);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_LINT_BOTAN_H_
