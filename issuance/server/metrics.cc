#include "issuance/server/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hsm/key/custodian.h"

namespace hourglass::issuance {
namespace {

using hsm::CustodianStatus;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<prometheus::ClientMetric::Label>;

constexpr CustodianStatus::State kStates[] = {
    CustodianStatus::State::kUnused, CustodianStatus::State::kHealthy,
    CustodianStatus::State::kRecovering, CustodianStatus::State::kFailed};

class Family {
 public:
  Family(const char* name, const char* help, MetricType type) {
    family_.name = name;
    family_.help = help;
    family_.type = type;
  }

  void Add(Labels labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    if (family_.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family_.metric.push_back(std::move(metric));
  }

  void Add(Labels labels, const Histogram& histogram) {
    const Histogram::Totals totals = histogram.Read();
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.histogram.sample_count = totals.count;
    metric.histogram.sample_sum = totals.sum;
    for (std::size_t i = 0; i < totals.up_to.size(); ++i) {
      metric.histogram.bucket.push_back({totals.up_to[i], histogram.bounds()[i]});
    }
    metric.histogram.bucket.push_back({totals.count, std::numeric_limits<double>::infinity()});
    family_.metric.push_back(std::move(metric));
  }

  MetricFamily Take() && { return std::move(family_); }

 private:
  MetricFamily family_;
};

// What there is to say of tokens and the TPM.
class KeyFamilies {
 public:
  void Add(const std::string& token, const CustodianStatus& status) {
    const prometheus::ClientMetric::Label of{"token", token};
    signatures_.Add({of}, static_cast<double>(status.signatures));
    for (const auto& [name, count] : status.errors) {
      errors_.Add({of, {"class", name}}, static_cast<double>(count));
    }
    sessions_.Add({of}, status.sessions);
    logins_.Add({of}, static_cast<double>(status.logins));
    processes_.Add({of}, status.workers);
    restarts_.Add({of}, static_cast<double>(status.worker_restarts));
    for (const CustodianStatus::State state : kStates) {
      state_.Add({of, {"state", std::string(hsm::CustodianStateName(state))}},
                 status.state == state ? 1 : 0);
    }
    if (status.state == CustodianStatus::State::kUnused) return;
    const std::chrono::duration<double> age = std::chrono::steady_clock::now() - status.since;
    age_.Add({of}, age.count());
  }

  std::vector<MetricFamily> Take() && {
    std::vector<MetricFamily> families;
    for (Family* family :
         {&signatures_, &errors_, &sessions_, &logins_, &processes_, &restarts_, &state_, &age_}) {
      families.push_back(std::move(*family).Take());
    }
    return families;
  }

 private:
  Family signatures_{"hourglass_key_signatures_total", "Signatures made.", MetricType::Counter};
  Family errors_{"hourglass_key_errors_total", "Errors, healed ones too.", MetricType::Counter};
  Family sessions_{"hourglass_key_sessions", "Sessions open now.", MetricType::Gauge};
  Family logins_{"hourglass_key_logins_total", "Logins.", MetricType::Counter};
  Family processes_{"hourglass_keyholder_processes", "hourglass-keyholder processes running now.",
                    MetricType::Gauge};
  Family restarts_{"hourglass_keyholder_restarts_total",
                   "hourglass-keyholder processes that had to be replaced.", MetricType::Counter};
  Family state_{"hourglass_key_custodian_state", "1 for the state that it is in.",
                MetricType::Gauge};
  Family age_{"hourglass_key_custodian_state_seconds", "How long it has been in its state.",
              MetricType::Gauge};
};

std::vector<MetricFamily> IssuedAndRefused(const IssuanceCounters& counters) {
  Family issued("hourglass_certificates_issued_total", "Certificates issued.", MetricType::Counter);
  Family refused("hourglass_certificates_refused_total", "Requests for certificates refused.",
                 MetricType::Counter);
  std::uint64_t issued_total = 0;
  for (const auto& [reason, count] : counters.Totals()) {
    if (reason == ErrorReason::kUnspecified) {
      issued_total = count;
    } else {
      refused.Add({{"reason", std::string(ErrorReasonName(reason))}}, static_cast<double>(count));
    }
  }
  issued.Add({}, static_cast<double>(issued_total));
  std::vector<MetricFamily> families;
  families.push_back(std::move(issued).Take());
  families.push_back(std::move(refused).Take());
  return families;
}

std::vector<MetricFamily> FailedCalls(const IssuanceCounters& failures) {
  Family failed("hourglass_calls_failed_total",
                "Calls of any method, and messages of streams, that were refused or failed.",
                MetricType::Counter);
  for (const auto& [reason, count] : failures.Totals()) {
    failed.Add({{"reason", std::string(ErrorReasonName(reason))}}, static_cast<double>(count));
  }
  std::vector<MetricFamily> families;
  families.push_back(std::move(failed).Take());
  return families;
}

std::vector<MetricFamily> LimitFamilies(const RequestLimitCounts& limited) {
  Family refused("hourglass_requests_limited_total",
                 "Requests for certificates refused because this was used up.",
                 MetricType::Counter);
  for (const RequestLimit limit :
       {RequestLimit::kDevice, RequestLimit::kCaller, RequestLimit::kTenant}) {
    refused.Add({{"limit", std::string(RequestLimitName(limit))}},
                static_cast<double>(limited.Of(limit)));
  }
  std::vector<MetricFamily> families;
  families.push_back(std::move(refused).Take());
  return families;
}

std::vector<MetricFamily> RefusalFamilies(const std::atomic<std::uint64_t>& not_kept) {
  Family family("hourglass_refusals_not_kept_total",
                "Refusals by a verdict that were over a limit, and are not in the journal of "
                "refusals.",
                MetricType::Counter);
  family.Add({}, static_cast<double>(not_kept.load()));
  std::vector<MetricFamily> families;
  families.push_back(std::move(family).Take());
  return families;
}

std::vector<MetricFamily> LoadFamilies(const IssuanceLoad& load) {
  Family waiting("hourglass_requests_waiting", "Requests for certificates that wait for a lane.",
                 MetricType::Gauge);
  waiting.Add({}, static_cast<double>(load.waiting()));
  Family sizes("hourglass_batch_size", "Requests that a lane took up together.",
               MetricType::Histogram);
  sizes.Add({}, load.batch_sizes());
  Family seconds("hourglass_batch_step_seconds", "How long a batch was in a step.",
                 MetricType::Histogram);
  for (std::size_t step = 0; step < IssuanceLoad::kStepNames.size(); ++step) {
    seconds.Add({{"step", std::string(IssuanceLoad::kStepNames[step])}},
                load.seconds(static_cast<IssuanceLoad::Step>(step)));
  }
  std::vector<MetricFamily> families;
  families.push_back(std::move(waiting).Take());
  families.push_back(std::move(sizes).Take());
  families.push_back(std::move(seconds).Take());
  return families;
}

// Of a compliance service elsewhere; by tenant only the log tells, since they may be ten thousand.
std::vector<MetricFamily> ComplianceFamilies(const ComplianceCounts* counts) {
  if (counts == nullptr) return {};
  const auto read = [](const std::atomic<std::uint64_t>& count) {
    return static_cast<double>(count.load(std::memory_order_relaxed));
  };
  Family questions("hourglass_compliance_questions_total",
                   "Questions to the compliance service, by what became of them.",
                   MetricType::Counter);
  questions.Add({{"outcome", "answered"}}, read(counts->answered));
  questions.Add({{"outcome", "failed"}}, read(counts->failed));
  questions.Add({{"outcome", "not_asked"}}, read(counts->not_asked));
  Family again("hourglass_compliance_reconnects_total",
               "Questions that waited for a connection, since there was none.",
               MetricType::Counter);
  again.Add({}, read(counts->asked_again));
  Family opened("hourglass_compliance_circuits_opened_total",
                "How often it was not asked about a tenant for a while.", MetricType::Counter);
  opened.Add({}, read(counts->opened));
  Family open("hourglass_compliance_circuits_open", "Tenants that it is not asked about now.",
              MetricType::Gauge);
  open.Add({}, read(counts->open));
  std::vector<MetricFamily> families;
  for (Family* family : {&questions, &again, &opened, &open}) {
    families.push_back(std::move(*family).Take());
  }
  return families;
}

// The first of all, for whoever reads only so far: a load balancer.
std::vector<MetricFamily> ServingFamilies(const ServiceState& state) {
  // No word of help may look like the value: load balancers search the text for it.
  Family serving("hourglass_serving",
                 "Whether certificates can be asked for: the clock is believed, and the store was "
                 "reached.",
                 MetricType::Gauge);
  serving.Add({}, state.IsServing() ? 1 : 0);
  std::vector<MetricFamily> families;
  families.push_back(std::move(serving).Take());
  return families;
}

// Of a database that replicas share.
std::vector<MetricFamily> StoreFamilies(const ServiceState& state) {
  if (state.replicas() == nullptr) return {};
  Family available("hourglass_store_available",
                   "0 while the upkeep of the database fails: listening for changes, partitions.",
                   MetricType::Gauge);
  available.Add({}, state.health()->IsAvailable() ? 1 : 0);
  Family failures("hourglass_store_failures_total",
                  "How often that began to fail, or failed in another way.", MetricType::Counter);
  failures.Add({}, static_cast<double>(state.health()->failures()));
  Family timelines("hourglass_store_timeline_changes_total", "Fail-overs of the database seen.",
                   MetricType::Counter);
  timelines.Add({}, static_cast<double>(state.health()->timeline_changes()));
  Family difference("hourglass_clock_difference_seconds",
                    "This clock less the database's, and how wrong that may be.",
                    MetricType::Gauge);
  if (const auto beside = state.compared()->BesideDatabase()) {
    difference.Add({{"of", "clock"}}, std::chrono::duration<double>(beside->ahead).count());
    difference.Add({{"of", "uncertainty"}},
                   std::chrono::duration<double>(beside->uncertainty).count());
  }
  std::vector<MetricFamily> families;
  for (Family* family : {&available, &failures, &timelines, &difference}) {
    families.push_back(std::move(*family).Take());
  }
  return families;
}

std::vector<MetricFamily> ClockFamilies(const ServiceState& state) {
  const TimeGuard& clock = *state.guard();
  Family trusted("hourglass_clock_trusted",
                 "1 while the clock is believed, 0 while nothing is "
                 "decided by it.",
                 MetricType::Gauge);
  trusted.Add({}, state.clock()->TrustedNow().ok() ? 1 : 0);
  Family doubts("hourglass_clock_doubts_total", "How often it began to be doubted, and why.",
                MetricType::Counter);
  for (const ClockDoubt doubt : {ClockDoubt::kLeapt, ClockDoubt::kBehind, ClockDoubt::kFarAhead}) {
    doubts.Add({{"why", std::string(ClockDoubtName(doubt))}},
               static_cast<double>(clock.Doubts(doubt)));
  }
  if (state.compared() != nullptr) {
    doubts.Add({{"why", "differs"}}, static_cast<double>(state.compared()->Differences()));
  }
  std::vector<MetricFamily> families;
  families.push_back(std::move(trusted).Take());
  families.push_back(std::move(doubts).Take());
  return families;
}

double SecondsOf(Timestamp time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// Of roots by state and not by tenant: tenants may be ten thousand.
std::vector<MetricFamily> EndFamilies(const CertificateEnds::Seen& seen) {
  Family own("hourglass_certificate_not_after_seconds",
             "When the service's own certificates end, in seconds since 1970.", MetricType::Gauge);
  for (const auto& [name, end] : seen.own) own.Add({{"certificate", name}}, SecondsOf(end));
  Family first("hourglass_root_not_after_seconds",
               "When the first root in this state ends, in seconds since 1970.", MetricType::Gauge);
  Family ending("hourglass_roots_ending", "Roots in this state that end within so many days.",
                MetricType::Gauge);
  for (const auto& [state, roots] : seen.roots) {
    const prometheus::ClientMetric::Label of{"state", std::string(ca::RootStateName(state))};
    if (roots.first_end != Timestamp()) first.Add({of}, SecondsOf(roots.first_end));
    for (std::size_t i = 0; i < roots.ending.size(); ++i) {
      ending.Add({of, {"within_days", absl::StrCat(CertificateEnds::kWithinDays[i])}},
                 static_cast<double>(roots.ending[i]));
    }
  }
  std::vector<MetricFamily> families;
  for (Family* family : {&own, &first, &ending}) {
    families.push_back(std::move(*family).Take());
  }
  return families;
}

// Of the issuers of access tokens, where tenants take these.
std::vector<MetricFamily> KeySetFamilies(const AccessTokens& tokens, Timestamp now) {
  Family age("hourglass_key_set_age_seconds",
             "How long ago an issuer's key set was last read, or found unchanged.",
             MetricType::Gauge);
  Family failing("hourglass_key_set_failing", "1 while the newest attempt to read it failed.",
                 MetricType::Gauge);
  Family keys("hourglass_key_set_keys", "Keys of it that can be used; 0 before it was ever read.",
              MetricType::Gauge);
  for (const auto& [source, health] : tokens.Health()) {
    if (health.read_at.has_value()) {
      age.Add({{"source", source}}, std::chrono::duration<double>(now - *health.read_at).count());
    }
    failing.Add({{"source", source}}, health.fault.empty() ? 0 : 1);
    keys.Add({{"source", source}},
             health.keys == nullptr ? 0 : static_cast<double>(health.keys->size()));
  }
  std::vector<MetricFamily> families;
  for (Family* family : {&age, &failing, &keys}) families.push_back(std::move(*family).Take());
  return families;
}

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(const Metrics::Sources& sources) : sources_(sources) {}

  std::vector<MetricFamily> Collect() const override {
    KeyFamilies keys;
    for (const auto& [token, status] : sources_.keys->Status()) keys.Add(token, status);
    std::vector<MetricFamily> families = ServingFamilies(*sources_.state);
    for (auto more :
         {std::move(keys).Take(), StoreFamilies(*sources_.state),
          IssuedAndRefused(*sources_.counters), FailedCalls(*sources_.failed_calls),
          LimitFamilies(*sources_.limited), RefusalFamilies(*sources_.refusals_not_kept),
          LoadFamilies(*sources_.load), ComplianceFamilies(sources_.compliance),
          ClockFamilies(*sources_.state), EndFamilies(sources_.ends->LastSeen()),
          KeySetFamilies(*sources_.tokens, sources_.state->clock()->Now())}) {
      std::move(more.begin(), more.end(), std::back_inserter(families));
    }
    return families;
  }

 private:
  const Metrics::Sources sources_;
};

class ServedMetrics final : public Metrics {
 public:
  ServedMetrics(const std::string& listen, std::shared_ptr<Collector> collector)
      : collector_(std::move(collector)), exposer_(listen) {
    exposer_.RegisterCollectable(collector_);
    const std::vector<int> ports = exposer_.GetListeningPorts();
    address_ =
        absl::StrCat(listen.substr(0, listen.rfind(':')), ":", ports.empty() ? 0 : ports.front());
  }

  const std::string& address() const override { return address_; }

 private:
  const std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;
  std::string address_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Metrics>> Metrics::Serve(const std::string& listen,
                                                        const Sources& sources) {
  try {
    return std::make_unique<ServedMetrics>(listen, std::make_shared<Collector>(sources));
  } catch (const std::exception&) {
    // What civetweb says of it is only that it could not.
    return absl::UnavailableError(absl::StrCat("cannot listen on ", listen,
                                               " for metrics: in use, not of this machine, or "
                                               "not permitted"));
  }
}

}  // namespace hourglass::issuance
