// What clients of a service experienced and what its database says of it, as plain records: what
// the history checker (tests/history/checker.h) compares. Nothing here depends on the service, so
// that a fault of the service is not repeated in its judge.
#ifndef HOURGLASS_TESTS_HISTORY_HISTORY_H_
#define HOURGLASS_TESTS_HISTORY_HISTORY_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_states.h"
#include "issuance/base/clock.h"

namespace hourglass::history {

using issuance::Timestamp;

// Of issuance::KernelTime: one clock for all processes of a machine, until that starts anew.
using Uptime = std::chrono::microseconds;

// --- What clients experienced.

// What every call has in common.
struct Call {
  std::string client;  // the log's; a client process has one log
  std::string tenant_id;
  std::string replica;  // the address that was asked, `127.0.0.1:8443`
  // Before the call was handed to gRPC, and after its outcome was there.
  Uptime sent{0};
  Uptime answered{0};
  // The client's wall clock when it was sent: for people, nothing is decided by it.
  Timestamp sent_at{};

  bool operator==(const Call&) const = default;
};

struct Received {
  std::string certificate;  // X.509, DER

  bool operator==(const Received&) const = default;
};

// The service answered with an error.
struct Refused {
  std::string code;    // of gRPC: `UNAVAILABLE`
  std::string reason;  // hourglass.v1.ErrorReason: `JOURNAL_UNAVAILABLE`; empty where it had none
  std::string message;

  bool operator==(const Refused&) const = default;
};

// Nobody knows what became of it: the connection broke, or the client's own deadline passed.
struct Unanswered {
  std::string code;  // of gRPC
  std::string message;

  bool operator==(const Unanswered&) const = default;
};

// One IssueCertificate, or one request of a stream of IssueCertificates.
struct IssueCall {
  Call call;
  std::string request_id;
  std::variant<Received, Refused, Unanswered> outcome;

  bool operator==(const IssueCall&) const = default;
};

// The calls of RootService that change something.
enum class AdministrativeMethod {
  kCreateRoot,
  kPromoteRoot,
  kRollBackRoot,
  kRetireRoot,
  kDiscardRoot
};

// The root that the service answered with.
struct Changed {
  ca::RootState state = ca::RootState::kStaged;
  Timestamp since{};  // Root.state_since: the time of the administrative action that led there

  bool operator==(const Changed&) const = default;
};

struct AdministrativeCall {
  Call call;
  AdministrativeMethod method = AdministrativeMethod::kPromoteRoot;
  std::string root_id;  // of the answer, where the method makes a root
  std::variant<Changed, Refused, Unanswered> outcome;

  bool operator==(const AdministrativeCall&) const = default;
};

// --- What the database says afterwards.

// Where a time of commit can be had, it is the database's own clock as the transaction committed
// (PostgreSQL: track_commit_timestamp, pg_xact_commit_timestamp(xmin)); it shows what no client can
// see, a write that waited until its root was primary no more.
struct RecordedCertificate {
  std::string request_id;
  std::uint64_t epoch = 0;
  std::string root_id;
  std::string serial_number;               // 16 octets
  std::string intermediate_serial_number;  // empty where the root itself issued it
  std::string to_be_signed;                // DER
  ca::Time not_after{};
  Timestamp intended_at{};
  std::optional<Timestamp> intent_committed_at;
  // All empty where it was never released.
  std::string certificate;  // DER
  std::optional<Timestamp> released_at;
  std::optional<Timestamp> release_committed_at;

  bool operator==(const RecordedCertificate&) const = default;
};

struct RecordedIntermediate {
  std::uint64_t epoch = 0;
  std::string root_id;
  std::string serial_number;
  std::string certificate;  // DER; empty where it was never released
  std::optional<Timestamp> released_at;

  bool operator==(const RecordedIntermediate&) const = default;
};

struct RecordedRoot {
  std::string root_id;
  ca::RootState state = ca::RootState::kStaged;
  std::string certificate;  // DER
  ca::Time not_after{};

  bool operator==(const RecordedRoot&) const = default;
};

// What was done to a root; those of relying parties concern nobody here.
struct RootAction {
  std::uint64_t sequence = 0;
  Timestamp at{};
  std::string action;   // `root_promoted`
  std::string root_id;  // its subject
  std::string from_state;
  std::string to_state;
  std::optional<Timestamp> committed_at;

  bool operator==(const RootAction&) const = default;
};

struct TenantHistory {
  std::string tenant_id;
  std::uint64_t epoch = 0;
  std::uint64_t revision = 0;
  std::vector<RecordedRoot> roots;
  std::vector<RootAction> actions;
  std::vector<RecordedIntermediate> intermediates;
  std::vector<RecordedCertificate> certificates;

  bool operator==(const TenantHistory&) const = default;
};

struct History {
  std::vector<IssueCall> issuing;
  std::vector<AdministrativeCall> administration;
  std::vector<TenantHistory> tenants;
  // Whether every client ended in peace: then each call that was ever made is here.
  bool logs_are_whole = false;
  // Lines that a killed client left half written.
  int torn_lines = 0;
};

// `PromoteRoot`. Lives as long as the process.
absl::string_view MethodName(AdministrativeMethod method);
std::optional<AdministrativeMethod> MethodOfName(absl::string_view name);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_HISTORY_H_
