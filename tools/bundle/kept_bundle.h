// The bundle that a follower accepted last, and what has to be done with it.
#ifndef HOURGLASS_TOOLS_BUNDLE_KEPT_BUNDLE_H_
#define HOURGLASS_TOOLS_BUNDLE_KEPT_BUNDLE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/trust_bundles.pb.h"
#include "tools/agent/event_log.h"
#include "tools/agent/waiter.h"
#include "tools/bundle/acceptance.h"
#include "tools/bundle/follow_state.h"
#include "tools/bundle/options.h"
#include "tools/client/connection.h"

namespace hourglass::bundle {

// Each step is durable before the next begins: state, file, hook, state, acknowledgement, state. So
// whoever is killed between two of them goes on with the later one. What was done, and not written
// down yet, is done again: the hook after it succeeded, the acknowledgement after it arrived. A
// hook that is not the one that has succeeded with the bundle is run before anything more is
// acknowledged. For one thread.
class KeptBundle {
 public:
  // All must outlive this object.
  KeptBundle(const Options& options, const client::ConnectionConfig& config, agent::Waiter& waiter,
             const agent::EventLog& log)
      : options_(options), config_(config), waiter_(waiter), log_(log) {}

  // Reads the state, or, where there is none, what `--trust` names; looks whether both files can be
  // written, and whether a new hook is owed to the bundle. Errors: FIELD_INVALID with the option as
  // field.
  absl::Status Load();

  // Takes a bundle of the service, and tells of it; whether it is another than the one before. The
  // same once more is acknowledged once more, in case the service has forgotten. Errors: those of
  // Accept; nothing has changed then.
  absl::StatusOr<bool> Take(const v1::TrustBundle& message);

  // Whether anything is left to do.
  bool settled() const;

  // Puts the file in place where it is not what the bundle says, and runs the hook unless this one
  // has succeeded with it. Errors: FIELD_INVALID with field `--state`, `--out` or `--format`,
  // ABORTED of the hook. Nothing to do where there is no bundle.
  absl::Status SettleHere();

  // SettleHere, and then acknowledges. Where the service has a newer bundle by now, gets that one,
  // and settles it. Errors: also those of Acknowledge, GetBundle and Take.
  absl::Status Settle();

  // The event of the step that failed last: `state_failed`, `write_failed`, `hook_failed`,
  // `acknowledge_failed`, `refused`.
  const char* failed_step() const { return step_; }

 private:
  absl::Status CheckWritable() const;
  bool SameFileAs(const FollowState& next) const;
  absl::Status Save();
  void OweHook();
  absl::Status PutFileInPlace();
  absl::Status RunHook();
  absl::Status AcknowledgeIt();
  absl::StatusOr<bool> TakeNewest();

  const Options& options_;
  const client::ConnectionConfig& config_;
  agent::Waiter& waiter_;
  const agent::EventLog& log_;
  std::vector<std::string> trusted_;  // DER; only where there was no state
  std::optional<FollowState> state_;
  bool saved_ = true;               // the file says the same as state_
  bool acknowledge_again_ = false;  // though state_ says that it was
  const char* step_ = "";
};

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_KEPT_BUNDLE_H_
