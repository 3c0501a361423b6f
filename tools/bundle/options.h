// The command line of hourglass-bundle.
#ifndef HOURGLASS_TOOLS_BUNDLE_OPTIONS_H_
#define HOURGLASS_TOOLS_BUNDLE_OPTIONS_H_

#include <string>

#include "absl/time/time.h"
#include "tools/agent/hook.h"
#include "tools/bundle/bundle_file.h"

namespace hourglass::bundle {

// What the command line asks for.
struct Options {
  std::string config_file;
  bool json = false;
  std::string tenant;
  std::string out;  // what the gateway reads
  BundleFormat format = BundleFormat::kPem;
  std::string trust;      // PEM file: what is believed before there is a state
  std::string state;      // file of FollowState
  std::string on_change;  // shell command, may be empty
  absl::Duration hook_timeout = agent::kHookLimit;
  bool once = false;
};

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_OPTIONS_H_
