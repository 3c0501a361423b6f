#include "tests/history/history_in_words.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ca/encoding/digest.h"

namespace hourglass::history {
namespace {

// Enough to tell certificates apart.
constexpr std::size_t kDigestOctets = 6;

std::string InWords(const std::string& certificate) {
  if (certificate.empty()) return "no certificate";
  return absl::StrCat("certificate ",
                      absl::BytesToHexString(ca::Sha256(certificate).substr(0, kDigestOctets)));
}

std::string Seconds(Uptime time) {
  return absl::StrFormat("%.6f s", std::chrono::duration<double>(time).count());
}

std::string Micros(Timestamp time) { return absl::StrCat(time.time_since_epoch().count()); }

std::string Micros(const std::optional<Timestamp>& time) {
  return time.has_value() ? Micros(*time) : "never or unknown";
}

std::string Begin(const Call& call, absl::string_view method) {
  return absl::StrCat(call.client, " asked ", call.replica, " for ", method, " in ", call.tenant_id,
                      " from ", Seconds(call.sent), " to ", Seconds(call.answered));
}

std::string InWords(const Received& received) { return InWords(received.certificate); }
std::string InWords(const Changed& changed) {
  return absl::StrCat(ca::RootStateName(changed.state), " since ", Micros(changed.since));
}
std::string InWords(const Refused& refused) {
  return absl::StrCat(refused.code, " ", refused.reason, ": ", refused.message);
}
std::string InWords(const Unanswered& unanswered) {
  return absl::StrCat("no answer, ", unanswered.code, ": ", unanswered.message);
}

template <typename Outcome>
std::string OutcomeInWords(const Outcome& outcome) {
  return std::visit([](const auto& what) { return InWords(what); }, outcome);
}

}  // namespace

std::string Describe(const IssueCall& call) {
  return absl::StrCat(Begin(call.call, "a certificate"), ", request ", call.request_id, ": ",
                      OutcomeInWords(call.outcome));
}

std::string Describe(const AdministrativeCall& call) {
  return absl::StrCat(Begin(call.call, MethodName(call.method)), ", root ", call.root_id, ": ",
                      OutcomeInWords(call.outcome));
}

std::string Describe(const TenantHistory& tenant, const RecordedCertificate& record) {
  return absl::StrCat(
      tenant.tenant_id, " recorded request ", record.request_id, ", epoch ", record.epoch,
      ", root ", record.root_id, ", serial number ", absl::BytesToHexString(record.serial_number),
      ", intended ", Micros(record.intended_at), " (committed ", Micros(record.intent_committed_at),
      "), released ", Micros(record.released_at), " (committed ",
      Micros(record.release_committed_at), "): ", InWords(record.certificate));
}

std::string Describe(const TenantHistory& tenant, const RecordedIntermediate& record) {
  return absl::StrCat(tenant.tenant_id, " recorded an intermediate of epoch ", record.epoch,
                      ", root ", record.root_id, ", serial number ",
                      absl::BytesToHexString(record.serial_number), ": ",
                      InWords(record.certificate));
}

std::string Describe(const TenantHistory& tenant, const RecordedRoot& root) {
  return absl::StrCat(tenant.tenant_id, " has root ", root.root_id, ", ",
                      ca::RootStateName(root.state), ": ", InWords(root.certificate));
}

std::string Describe(const TenantHistory& tenant, const RootAction& action) {
  return absl::StrCat(tenant.tenant_id, " recorded action ", action.sequence, " at ",
                      Micros(action.at), " (committed ", Micros(action.committed_at),
                      "): ", action.action, " of root ", action.root_id, " from ",
                      action.from_state.empty() ? "nothing" : action.from_state, " to ",
                      action.to_state.empty() ? "nothing" : action.to_state);
}

std::string Describe(const TenantHistory& tenant) {
  return absl::StrCat(tenant.tenant_id, " has epoch ", tenant.epoch, ", revision ", tenant.revision,
                      ", ", tenant.roots.size(), " roots, ", tenant.actions.size(), " actions, ",
                      tenant.certificates.size(), " certificates");
}

}  // namespace hourglass::history
