// The two commands of the broker.
#ifndef HOURGLASS_TOOLS_BROKER_KEEPING_H_
#define HOURGLASS_TOOLS_BROKER_KEEPING_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/agent/backoff.h"
#include "tools/agent/waiter.h"
#include "tools/broker/asking.h"
#include "tools/broker/options.h"

namespace hourglass::broker {

// Gets one certificate within `options.timeout` and puts it in place. Errors: the last one of
// AskOnce, CANCELLED when told to stop, those of OutputFiles; nothing has been written then.
absl::StatusOr<IssuedCertificate> IssueOne(const Options& options,
                                           const client::ConnectionConfig& config,
                                           agent::Waiter& waiter, const agent::Random& random);

// Keeps a certificate in place until told to stop, and tells on standard output what happens.
// Errors: those that forbid to begin: a request or a folder that cannot be used.
absl::Status KeepFresh(const Options& options, const client::ConnectionConfig& config,
                       agent::Waiter& waiter, const agent::Random& random);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_KEEPING_H_
