#include "tests/history/testing/small_history.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "tests/history/expected_errors.h"
#include "tests/history/testing/sample_service.h"

namespace hourglass::history {
namespace {

constexpr int kReplica = 1;
constexpr Uptime kBeforeAnswer(500'000);

Call CallAt(const char* client, int from, int to) {
  Call call;
  call.client = client;
  call.tenant_id = kSampleTenant;
  call.replica = "127.0.0.1:8443";
  call.sent = std::chrono::seconds(from);
  call.answered = std::chrono::seconds(to);
  call.sent_at = SampleService::WallClock(kReplica, call.sent);
  return call;
}

class Builder {
 public:
  explicit Builder(bool sub_keys) : service_(1, sub_keys) {}

  void Create(const char* root_id, int from, int to) {
    const Call call = CallAt("administrator", from, to);
    const Changed made = service_.CreateRoot(kReplica, call.answered - kBeforeAnswer);
    history_.administration.push_back({call, AdministrativeMethod::kCreateRoot, root_id, made});
  }

  void Promote(const char* root_id, int from, int to) {
    const Call call = CallAt("administrator", from, to);
    const auto done =
        service_.Move(root_id, ca::RootMove::kPromote, kReplica, call.answered - kBeforeAnswer);
    history_.administration.push_back({call, AdministrativeMethod::kPromoteRoot, root_id, *done});
  }

  void Issue(const char* client, const char* request_id, int from, int to) {
    const Call call = CallAt(client, from, to);
    const Uptime done = call.answered - kBeforeAnswer;
    const auto record = service_.Intend(request_id, kReplica, done);
    if (record.has_value()) {
      const Received received{*service_.Release(*record, kReplica, done)};
      history_.issuing.push_back({call, request_id, received});
    } else {
      const Refused refused{"ABORTED", std::string(kPrimaryChanged), "ask again"};
      history_.issuing.push_back({call, request_id, refused});
    }
  }

  void IntendOnly(const char* client, const char* request_id, int from, int to) {
    const Call call = CallAt(client, from, to);
    service_.Intend(request_id, kReplica, call.answered - kBeforeAnswer);
    history_.issuing.push_back({call, request_id, Unanswered{"UNAVAILABLE", "Socket closed"}});
  }

  History Take() {
    history_.tenants.push_back(service_.Tenant());
    history_.logs_are_whole = true;
    return std::move(history_);
  }

 private:
  SampleService service_;
  History history_;
};

template <typename Record, typename Predicate>
Record& FindOrDie(std::vector<Record>& records, const Predicate& predicate) {
  const auto found = std::find_if(records.begin(), records.end(), predicate);
  if (found != records.end()) return *found;
  std::fprintf(stderr, "SmallHistory: there is no such record\n");
  std::abort();
}

}  // namespace

SmallHistory::SmallHistory(bool sub_keys) {
  Builder builder(sub_keys);
  builder.Create("r1", 1, 2);
  builder.Promote("r1", 3, 4);
  builder.Issue("broker-1", "old", 10, 12);
  builder.IntendOnly("broker-2", "unreleased", 13, 14);
  builder.Create("r2", 20, 21);
  builder.Promote("r2", 22, 24);
  builder.Issue("broker-1", "new", 30, 32);
  builder.Issue("broker-2", "new", 33, 35);
  builder.Issue("broker-2", "old", 36, 37);
  history = builder.Take();
}

IssueCall& SmallHistory::CallOf(absl::string_view request_id) {
  return FindOrDie(history.issuing,
                   [&](const IssueCall& call) { return call.request_id == request_id; });
}

RecordedCertificate& SmallHistory::RecordOf(absl::string_view request_id) {
  return FindOrDie(tenant().certificates, [&](const RecordedCertificate& record) {
    return record.request_id == request_id;
  });
}

AdministrativeCall& SmallHistory::ChangeOf(AdministrativeMethod method, absl::string_view root_id) {
  return FindOrDie(history.administration, [&](const AdministrativeCall& call) {
    return call.method == method && call.root_id == root_id;
  });
}

RootAction& SmallHistory::ActionOf(absl::string_view action, absl::string_view root_id) {
  return FindOrDie(tenant().actions, [&](const RootAction& there) {
    return there.action == action && there.root_id == root_id;
  });
}

std::string& CertificateOf(IssueCall& call) { return std::get<Received>(call.outcome).certificate; }

std::string Damaged(std::string certificate) {
  certificate.back() = static_cast<char>(certificate.back() ^ 1);
  return certificate;
}

}  // namespace hourglass::history
