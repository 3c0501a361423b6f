#include "issuance/server/served_calls.h"

#include <cstddef>

#include "issuance/calls/call_bounds.h"
#include "issuance/server/enrolment_tokens.h"

namespace hourglass::issuance {
namespace {

std::size_t QueueLength(const LimitsConfig& limits) {
  return static_cast<std::size_t>(limits.queue_length);
}

bool WaivesStandby(const Config& config) {
  return config.store.postgresql.has_value() && !config.store.postgresql->demands_standby();
}

}  // namespace

ServedCalls::ServedCalls(const Config& config, const Subjects& subjects)
    : pool_({.changes_waiting = QueueLength(config.limits),
             .listings_waiting = 4 * QueueLength(config.limits)}),
      open_calls_(OpenCalls::LimitsFor(QueueLength(config.limits))),
      calls_(subjects.callers, &pool_, CallLimitsFor(QueueLength(config.limits)), &open_calls_,
             &subjects.counts->failed_calls, subjects.log),
      refusals_(subjects.state->store(), subjects.state->store(), subjects.state->clock(),
                *subjects.log, &subjects.counts->refusals_not_kept),
      issuer_service_(&calls_, subjects.issuing->limits(), subjects.issuing->lanes(),
                      &subjects.counts->issued, subjects.state->clock(), subjects.log, &refusals_),
      trust_bundle_service_(&calls_, subjects.authorities->bundles(), subjects.state->store(),
                            subjects.state->store(), subjects.state->clock(), subjects.log),
      compliance_service_(&calls_, subjects.authorities->tenants(), subjects.issuing->compliance()),
      tenant_service_(&calls_, subjects.state->store(), subjects.state->clock(), subjects.log),
      root_service_(&calls_, subjects.authorities->roots(), subjects.state->store(),
                    subjects.state->store(), subjects.log),
      rotation_service_(&calls_, {.store = subjects.state->store(),
                                  .roots = subjects.authorities->roots(),
                                  .tenants = subjects.authorities->tenants(),
                                  .bundles = subjects.authorities->bundles(),
                                  .clock = subjects.state->clock(),
                                  .log = subjects.log}),
      key_service_(&calls_, subjects.authorities->keys(), subjects.state->clock(), subjects.log),
      journal_service_(&calls_, subjects.state->store(), subjects.state->store(),
                       subjects.state->store(), subjects.state->clock()),
      device_service_(&calls_, {.tenants = subjects.state->store(),
                                .devices = subjects.state->store(),
                                .decisions = subjects.state->store(),
                                .journal = subjects.state->store(),
                                .engine = subjects.issuing->engine(),
                                .clock = subjects.state->clock(),
                                .log = subjects.log}),
      policy_service_(&calls_, {.tenants = subjects.state->store(),
                                .policies = subjects.state->store(),
                                .engine = subjects.issuing->engine(),
                                .access = config.access,
                                .clock = subjects.state->clock(),
                                .log = subjects.log}),
      block_service_(&calls_, subjects.state->store(), subjects.state->store(),
                     subjects.state->clock(), subjects.log),
      device_key_service_(&calls_, subjects.state->store(), subjects.state->store(),
                          subjects.state->clock(), subjects.log, EnrolmentTokenBy(subjects.tokens)),
      directory_service_(&calls_, subjects.state->store(), subjects.state->store(),
                         subjects.state->clock(), subjects.log),
      decision_service_(&calls_,
                        {.tenants = subjects.state->store(),
                         .decisions = subjects.state->store(),
                         .journal = subjects.state->store(),
                         .clock = subjects.state->clock()},
                        subjects.issuing->engine(), *subjects.log),
      clock_service_(&calls_, subjects.state->guard(), subjects.state->compared()),
      status_service_(&calls_, {.own = subjects.state->own(),
                                .clock = subjects.state->clock(),
                                .directory = subjects.state->replicas(),
                                .compared = subjects.state->compared(),
                                .standby_waived = WaivesStandby(config),
                                .compliance_endpoint = config.compliance.endpoint,
                                .compliance = &subjects.counts->compliance}) {}

void ServedCalls::RegisterWith(grpc::ServerBuilder& builder) {
  builder.RegisterService(&issuer_service_);
  builder.RegisterService(&trust_bundle_service_);
  builder.RegisterService(&tenant_service_);
  builder.RegisterService(&root_service_);
  builder.RegisterService(&rotation_service_);
  builder.RegisterService(&key_service_);
  builder.RegisterService(&journal_service_);
  builder.RegisterService(&device_service_);
  builder.RegisterService(&policy_service_);
  builder.RegisterService(&block_service_);
  builder.RegisterService(&device_key_service_);
  builder.RegisterService(&directory_service_);
  builder.RegisterService(&decision_service_);
  builder.RegisterService(&clock_service_);
  builder.RegisterService(&status_service_);
  builder.RegisterService(&compliance_service_);
}

void ServedCalls::StopTakingCalls(std::chrono::milliseconds grace) {
  issuer_service_.StopStreams();
  trust_bundle_service_.StopWatches();
  decision_service_.StopWatches();
  calls_.StopTakingCalls(grace);
}

}  // namespace hourglass::issuance
