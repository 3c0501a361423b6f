// A device's state as an administrator gives it and reads it.
#ifndef HOURGLASS_TOOLS_HOURGLASS_DEVICE_STATE_H_
#define HOURGLASS_TOOLS_HOURGLASS_DEVICE_STATE_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hourglass/v1/devices.pb.h"
#include "tools/client/failure.h"
#include "tools/client/table.h"

namespace hourglass::cli {

// The settings given one by one on the command line.
class DeviceStateOptions {
 public:
  // Adds one option for each setting to `command`. This object must outlive it.
  void AddTo(CLI::App& command);

  // Sets in `state` what was given; times ago count from `now`. Errors: FIELD_INVALID.
  absl::Status ApplyTo(v1::DeviceState& state, absl::Time now) const;

 private:
  struct Given {
    std::string value;
    std::function<absl::Status(const std::string& value, absl::Time now, v1::DeviceState& state)>
        set;
  };
  std::vector<std::unique_ptr<Given>> settings_;
};

// DeviceState in protobuf's JSON, with names as in the .proto file or in lowerCamelCase. Errors:
// FIELD_INVALID with field `state`, also for unknown members.
absl::StatusOr<v1::DeviceState> DeviceStateFromJson(const std::string& json);

// The reverse, with names as in the .proto file; settings that are unknown are left out.
client::Json DeviceStateAsJson(const v1::DeviceState& state);

// Every setting that has an option by the name that policies use, `unknown` where it is not
// reported; of all others those that are.
client::Facts DeviceStateInWords(const v1::DeviceState& state, absl::Time now);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_DEVICE_STATE_H_
