// Tokens with very many keys.
#ifndef HOURGLASS_TESTS_FAULTS_FULL_TOKEN_H_
#define HOURGLASS_TESTS_FAULTS_FULL_TOKEN_H_

#include "absl/strings/string_view.h"
#include "tests/support/softhsm_token.h"

namespace hourglass {

// Makes keys `key-FIRST` to `key-LAST`, P-256, fit as those that we make, by nothing but
// C_GenerateKeyPair: KeyStore::Generate looks each time whether the name is taken, which takes
// SoftHSM 12 us a key. In this process; fails the test where it cannot.
void MakeKeys(const SofthsmToken& softhsm, absl::string_view token, int first, int last);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAULTS_FULL_TOKEN_H_
