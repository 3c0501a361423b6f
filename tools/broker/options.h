// The command line of hourglass-broker.
#ifndef HOURGLASS_TOOLS_BROKER_OPTIONS_H_
#define HOURGLASS_TOOLS_BROKER_OPTIONS_H_

#include <string>

#include "absl/time/time.h"
#include "hsm/key/signing_key.h"
#include "tools/broker/asking.h"
#include "tools/broker/enrolling.h"
#include "tools/broker/output_files.h"

namespace hourglass::broker {

// What the command line asks for.
struct Options {
  std::string config_file;
  bool json = false;
  Bearer bearer;
  std::string csr_file;  // empty: keys are made
  hsm::KeyType key_type = hsm::KeyType::kEcP256;
  OutputPaths out;
  // `issue`: how long it may take in all.
  absl::Duration timeout = absl::Seconds(30);
  // `run`: shell command, may be empty.
  std::string on_renew;
  // `enrol-device`.
  Enrolment enrolment;
};

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_OPTIONS_H_
