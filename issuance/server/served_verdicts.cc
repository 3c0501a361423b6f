#include "issuance/server/served_verdicts.h"

#include <algorithm>
#include <cstddef>
#include <thread>

#include "issuance/calls/call_bounds.h"

namespace hourglass::issuance {
namespace {

// Questions of a hourglassd come in batches, from all of its lanes at once, and half of those that
// may wait are one caller's.
constexpr std::size_t kQuestionsPerRequest = 8;

CallPoolOptions PoolFor(const LimitsConfig& limits) {
  const auto length = static_cast<std::size_t>(limits.queue_length);
  CallPoolOptions options;
  // One caller has half of them.
  options.changing_threads =
      2 * static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
  options.changes_waiting = kQuestionsPerRequest * length;
  options.listings_waiting = 4 * length;
  return options;
}

bool WaivesStandby(const Config& config) {
  return config.store.postgresql.has_value() && !config.store.postgresql->demands_standby();
}

}  // namespace

ServedVerdicts::ServedVerdicts(const Config& config, const Subjects& subjects)
    : pool_(PoolFor(config.limits)),
      open_calls_(OpenCalls::LimitsFor(static_cast<std::size_t>(config.limits.queue_length))),
      calls_(subjects.callers, &pool_,
             CallLimitsFor(static_cast<std::size_t>(config.limits.queue_length)), &open_calls_,
             &failed_calls_, subjects.log),
      verdict_service_(&calls_, subjects.engine),
      tenant_service_(&calls_, subjects.state->store(), subjects.state->clock(), subjects.log),
      device_service_(&calls_, {.tenants = subjects.state->store(),
                                .devices = subjects.state->store(),
                                .decisions = subjects.state->store(),
                                .journal = subjects.state->store(),
                                .engine = subjects.engine,
                                .clock = subjects.state->clock(),
                                .log = subjects.log}),
      policy_service_(&calls_, {.tenants = subjects.state->store(),
                                .policies = subjects.state->store(),
                                .engine = subjects.engine,
                                .access = config.access,
                                .clock = subjects.state->clock(),
                                .log = subjects.log}),
      block_service_(&calls_, subjects.state->store(), subjects.state->store(),
                     subjects.state->clock(), subjects.log),
      directory_service_(&calls_, subjects.state->store(), subjects.state->store(),
                         subjects.state->clock(), subjects.log),
      clock_service_(&calls_, subjects.state->guard(), subjects.state->compared()),
      status_service_(&calls_, {.own = subjects.state->own(),
                                .clock = subjects.state->clock(),
                                .directory = subjects.state->replicas(),
                                .compared = subjects.state->compared(),
                                .standby_waived = WaivesStandby(config)}) {}

void ServedVerdicts::RegisterWith(grpc::ServerBuilder& builder) {
  builder.RegisterService(&verdict_service_);
  builder.RegisterService(&tenant_service_);
  builder.RegisterService(&device_service_);
  builder.RegisterService(&policy_service_);
  builder.RegisterService(&block_service_);
  builder.RegisterService(&directory_service_);
  builder.RegisterService(&clock_service_);
  builder.RegisterService(&status_service_);
}

}  // namespace hourglass::issuance
