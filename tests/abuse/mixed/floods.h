// Callers of the configuration that misbehave, on HTTP/2 and in gRPC.
#ifndef HOURGLASS_TESTS_ABUSE_MIXED_FLOODS_H_
#define HOURGLASS_TESTS_ABUSE_MIXED_FLOODS_H_

#include <atomic>
#include <memory>
#include <string>

#include "hourglass/v1/issuance.grpc.pb.h"
#include "tests/support/mutual_tls.h"

namespace hourglass {

struct FloodTarget {
  std::string address;             // host:port
  std::string trusted_roots_file;  // PEM
  TlsCredential credential;        // of a broker whose tenant is not the sound callers'
};

// Each does one thing on connection after connection until `stopping`, and returns how often.
// Resets of streams just opened (CVE-2023-44487), 2000 a connection.
int FloodWithResets(const FloodTarget& target, const std::atomic<bool>& stopping);
int FloodWithPings(const FloodTarget& target, const std::atomic<bool>& stopping);
int FloodWithSettings(const FloodTarget& target, const std::atomic<bool>& stopping);
// 60 kB of a message on each of 64 streams, and no end.
int LeaveMessagesHalfSent(const FloodTarget& target, const std::atomic<bool>& stopping);
// Requests under ids of 60 kB on streams whose answers are not read.
int ReadNoAnswers(const FloodTarget& target, const std::atomic<bool>& stopping);
// Messages that are no protobuf.
int SendMalformedMessages(const FloodTarget& target, const std::atomic<bool>& stopping);
// Calls that are cancelled a millisecond after they were begun.
int CancelCalls(v1::CertificateIssuer::Stub& stub, const v1::IssueCertificateRequest& request,
                const std::atomic<bool>& stopping);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_ABUSE_MIXED_FLOODS_H_
