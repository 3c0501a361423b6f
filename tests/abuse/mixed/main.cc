// mixed_abuse: everything that strangers and misbehaving callers can do, at once and for a while,
// beside brokers that behave. Says what it cost, and ends with 1 where a sound caller lost a
// certificate, waited without bound, or anything was not given back.
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/abuse/mixed/floods.h"
#include "tests/abuse/mixed/footprint.h"
#include "tests/abuse/mixed/sound_load.h"
#include "tests/abuse/mixed/strangers.h"
#include "tests/support/daemon.h"
#include "tests/support/listing_flood.h"

namespace hourglass {
namespace {

using std::chrono::steady_clock;

constexpr int kBrokers = 4;
constexpr std::chrono::seconds kWarmUp(10);
// How long the service may take to give back what the abusers held: longer than a handshake may
// take.
constexpr std::chrono::seconds kCalm(60);

// Bounds. Generous, for machines that are slow and busy; what was found is printed.
constexpr std::chrono::seconds kWorstP99(10);
constexpr double kPeakMegabytes = 450;
constexpr double kMegabytesLeft = 150;
// The abusers and the sound callers have some 250 connections at a time.
constexpr int kMostSockets = 450;
// The store keeps sixteen readers of segments, each with a file and its log, and each thread that
// lists has a connection to the main file.
constexpr int kMostDataFiles = 48;

struct Plan {
  std::chrono::seconds duration;
  // Kinds of abuse; all where it is empty.
  std::vector<std::string> only;
};

class Verdicts {
 public:
  void Expect(bool holds, const char* what) {
    std::printf("%s  %s\n", holds ? "ok    " : "FAILED", what);
    if (!holds) ++failed_;
  }
  int failed() const { return failed_; }

 private:
  int failed_ = 0;
};

void Print(const char* when, const Footprint& footprint) {
  std::printf(
      "%-14s %.0f MB (peak %.0f), %d sockets, %d files of data, %d other descriptors, %d threads\n",
      when, footprint.megabytes, footprint.peak_megabytes, footprint.sockets, footprint.data_files,
      footprint.other_descriptors, footprint.threads);
}

void Print(const char* when, const std::vector<std::chrono::microseconds>& times) {
  if (times.empty()) return static_cast<void>(std::printf("%-14s no certificate\n", when));
  std::printf("%-14s %zu certificates, median %.1f ms, p99 %.1f ms, longest %.1f ms\n", when,
              times.size(), static_cast<double>(Quantile(times, 0.5).count()) / 1000,
              static_cast<double>(Quantile(times, 0.99).count()) / 1000,
              static_cast<double>(times.back().count()) / 1000);
}

// Each kind of abuse on a thread of its own, until it is stopped; where `only` is not empty, those
// kinds that it names.
class Abuse {
 public:
  explicit Abuse(const std::vector<std::string>& only) : only_(only) {}

  void Begin(std::string name, std::function<int(const std::atomic<bool>&)> act) {
    if (!only_.empty() && std::find(only_.begin(), only_.end(), name) == only_.end()) return;
    names_.push_back(std::move(name));
    counts_.push_back(
        std::async(std::launch::async, [this, act = std::move(act)] { return act(stopping_); }));
  }

  // False where `only` names what is no kind.
  bool HasAllNamed() const { return only_.empty() || names_.size() == only_.size(); }

  // False where one of them was let in that must not be.
  bool Stop() {
    stopping_ = true;
    bool held = true;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      const int count = counts_[i].get();
      std::printf("abuse          %s: %d\n", names_[i].c_str(), count);
      held = held && count >= 0;
    }
    return held;
  }

 private:
  const std::vector<std::string>& only_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::string> names_;
  std::vector<std::future<int>> counts_;
};

// The callers' connections are their own, so that none waits for another's.
std::unique_ptr<v1::CertificateIssuer::Stub> BrokerOf(Daemon& daemon, const char* caller) {
  const TlsCredential& credential = daemon.CredentialOf(caller);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFileOrDie(daemon.tls().trusted_roots_file());
  options.pem_cert_chain = ReadFileOrDie(credential.certificate_file);
  options.pem_private_key = ReadFileOrDie(credential.private_key_file);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return v1::CertificateIssuer::NewStub(
      grpc::CreateCustomChannel(daemon.address(), grpc::SslCredentials(options), arguments));
}

void BeginStrangers(const StrangerTarget& target, Abuse& abuse) {
  const auto begin = [&](const char* name,
                         int (*act)(const StrangerTarget&, const std::atomic<bool>&)) {
    abuse.Begin(name, [target, act](const auto& stopping) { return act(target, stopping); });
  };
  begin("silent connections", &ConnectInSilence);
  begin("garbage", &SendGarbage);
  begin("half handshakes", &StopInTheHandshake);
  begin("handshakes without a certificate", &ShowNoCertificate);
  begin("handshakes with an unbound certificate", &ShowAnUnboundCertificate);
}

void BeginFloods(const FloodTarget& target, Abuse& abuse) {
  const auto begin = [&](const char* name,
                         int (*act)(const FloodTarget&, const std::atomic<bool>&)) {
    abuse.Begin(name, [target, act](const auto& stopping) { return act(target, stopping); });
  };
  begin("resets", &FloodWithResets);
  begin("pings", &FloodWithPings);
  begin("settings", &FloodWithSettings);
  begin("half messages", &LeaveMessagesHalfSent);
  begin("messages whose answers nobody reads", &ReadNoAnswers);
  begin("malformed messages", &SendMalformedMessages);
}

bool JournalHoldsAll(Daemon& daemon, const SoundLoad& load) {
  std::map<std::string, std::string> recorded;
  for (const v1::JournalEntry& entry : daemon.Journal()) {
    if (entry.has_released_at()) recorded[entry.request_id()] = entry.certificate();
  }
  for (const auto& [request_id, certificate] : load.certificates()) {
    const auto entry = recorded.find(request_id);
    if (entry == recorded.end() || entry->second != certificate) {
      std::printf("request %s: its certificate is not the one in the journal\n",
                  request_id.c_str());
      return false;
    }
  }
  return true;
}

Footprint AfterCalm(Daemon& daemon, const Footprint& before) {
  const auto end = steady_clock::now() + kCalm;
  Footprint footprint = FootprintOf(daemon.pid());
  while ((footprint.sockets > before.sockets ||
          footprint.megabytes > before.megabytes + kMegabytesLeft) &&
         steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    footprint = FootprintOf(daemon.pid());
  }
  return footprint;
}

// Asks for listings of the journal, 200 at any time; how many were answered.
int ListWithoutEnd(Daemon& daemon, const std::atomic<bool>& stopping) {
  ListingFlood::Options listings;
  listings.address = daemon.address();
  listings.trusted_roots = ReadFileOrDie(daemon.tls().trusted_roots_file());
  listings.certificate_chain = ReadFileOrDie(daemon.CredentialOf(kAuditor).certificate_file);
  listings.private_key = ReadFileOrDie(daemon.CredentialOf(kAuditor).private_key_file);
  listings.tenant_id = "fabrikam";
  listings.outstanding = 200;
  listings.connections = 4;
  const ListingFlood flood(listings);
  while (!stopping) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return flood.answered();
}

// The most sockets that the service had meanwhile; tells of each minute, so that what grows is seen
// while it grows.
int SleepAndTell(const Daemon& daemon, std::chrono::seconds duration) {
  const auto begin = steady_clock::now();
  int sockets = 0;
  for (std::chrono::seconds after(1); after <= duration; ++after) {
    std::this_thread::sleep_until(begin + after);
    const Footprint footprint = FootprintOf(daemon.pid());
    sockets = std::max(sockets, footprint.sockets);
    if (after % std::chrono::minutes(1) != std::chrono::seconds(0)) continue;
    Print(absl::StrCat("after ", after / std::chrono::minutes(1), " min").c_str(), footprint);
  }
  return sockets;
}

// The abuse itself; what the sound callers' requests took meanwhile.
std::vector<std::chrono::microseconds> Suffer(Daemon& daemon, SoundLoad& load, const Plan& plan,
                                              Verdicts& verdicts) {
  Abuse abuse(plan.only);
  BeginStrangers({daemon.address(), &daemon.tls(), &daemon.CredentialOf(kStranger)}, abuse);
  BeginFloods(
      {daemon.address(), daemon.tls().trusted_roots_file(), daemon.CredentialOf(kOtherBroker)},
      abuse);
  const auto cancelling = BrokerOf(daemon, kOtherBroker);
  const v1::IssueCertificateRequest request = daemon.Request();
  abuse.Begin("cancelled calls",
              [&](const auto& stopping) { return CancelCalls(*cancelling, request, stopping); });
  abuse.Begin("listings", [&](const auto& stopping) { return ListWithoutEnd(daemon, stopping); });
  verdicts.Expect(abuse.HasAllNamed(), "every kind that was named is one");
  load.TakeTimes();
  const int sockets = SleepAndTell(daemon, plan.duration);
  std::vector<std::chrono::microseconds> times = load.TakeTimes();
  verdicts.Expect(abuse.Stop(), "no stranger was let in");
  std::printf("connections    at most %d sockets\n", sockets);
  verdicts.Expect(sockets <= kMostSockets, "connections that ended did not pile up: 450 sockets");
  return times;
}

int Run(const Plan& plan) {
  Daemon daemon;
  if (!daemon.Start()) {
    std::fprintf(stderr, "%s\n", daemon.Log().c_str());
    return 1;
  }
  daemon.MakeReady();
  daemon.CreateTenant("fabrikam");
  daemon.CreateRoot("fabrikam");
  SoundLoad::Options options;
  for (int i = 0; i < kBrokers; ++i) options.stubs.push_back(BrokerOf(daemon, kBroker));
  options.request = daemon.Request();
  SoundLoad load(std::move(options));
  std::this_thread::sleep_for(kWarmUp);
  const std::vector<std::chrono::microseconds> undisturbed = load.TakeTimes();
  const Footprint before = FootprintOf(daemon.pid());

  Verdicts verdicts;
  const std::vector<std::chrono::microseconds> disturbed = Suffer(daemon, load, plan, verdicts);
  const Footprint after = AfterCalm(daemon, before);
  load.Stop();
  Print("undisturbed", undisturbed);
  Print("under abuse", disturbed);
  Print("before", before);
  Print("afterwards", after);
  std::printf("sound callers  %d lost, %d asked again\n", load.lost(), load.asked_again());
  if (load.lost() > 0) std::printf("lost           %s\n", load.last_failure().c_str());
  verdicts.Expect(daemon.Running(), "the service runs");
  verdicts.Expect(!undisturbed.empty() && !disturbed.empty(), "certificates were issued");
  verdicts.Expect(load.lost() == 0, "sound callers lost nothing");
  verdicts.Expect(!disturbed.empty() && Quantile(disturbed, 0.99) <= kWorstP99,
                  "their p99 is bounded: 10 s");
  verdicts.Expect(after.peak_megabytes <= kPeakMegabytes, "memory stayed below 450 MB");
  verdicts.Expect(after.megabytes <= before.megabytes + kMegabytesLeft,
                  "memory is back, but for 150 MB");
  verdicts.Expect(after.sockets <= before.sockets, "no descriptor of a connection is lost");
  verdicts.Expect(after.data_files <= before.data_files + kMostDataFiles,
                  "the files of the journal that are open are bounded");
  verdicts.Expect(after.other_descriptors <= before.other_descriptors + 16,
                  "no other descriptor is lost");
  verdicts.Expect(JournalHoldsAll(daemon, load), "the journal holds every certificate, once");
  verdicts.Expect(daemon.Stop() == 0, "it stops when told");
  return verdicts.failed() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hourglass

int main(int argc, char** argv) {
  CLI::App app("Abuses a service of its own beside sound callers", "mixed_abuse");
  int minutes = 2;
  std::vector<std::string> only;
  app.add_option("--minutes", minutes, "How long")->check(CLI::Range(1, 24 * 60));
  app.add_option("--only", only, "Kinds of abuse, as its report names them, to find which it is");
  CLI11_PARSE(app, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  return hourglass::Run({std::chrono::minutes(minutes), only});
}
