#include "tools/scaling/constants.h"

#include <cstdint>

#include "tools/scaling/cell.h"

namespace hourglass::scaling {
namespace {

// Figures of docs/performance.md, of one kind of key.
struct Saturation {
  const char* key;
  double service_us;
  double signature_us;  // of the service, or of the keyholders on the same cores
  double generator_us;
  std::int64_t under_way;
  double per_second;
};

// A token in software computes on the same cores: what its processes take is added to the
// service's.
constexpr Saturation kSaturations[] = {
    {"software P-256", 123, kSignatureUs, 26.5, 512, 12498},
    {"TPM-sealed P-256", 132, kSignatureUs, 29.0, 256, 11138},
    {"SoftHSM P-256", 190 + 55.6, 55.6, 31.7, 256, 7048},
    {"SoftHSM RSA-2048", 199 + 503, 503, 40.4, 256, 2668},
};

void AddSaturations(std::uint64_t seed, std::vector<Comparison>& all) {
  for (const Saturation& row : kSaturations) {
    const CellModel machine =
        MeasuredMachine(CostOf(row.service_us, row.signature_us), row.generator_us);
    const Outcome outcome = Simulate(machine, {.under_way = row.under_way}, seed);
    all.push_back({std::string(row.key) + ": rate at saturation", "certificates/s", row.per_second,
                   outcome.issued_per_second, 0.9, 1.15});
    if (&row == kSaturations) {
      all.push_back({std::string(row.key) + ": flushes per certificate", "flushes", 0.026,
                     outcome.commits_per_certificate, 0.8, 1.3});
    }
  }
}

void AddLatencies(std::uint64_t seed, std::vector<Comparison>& all) {
  const CellModel machine = MeasuredMachine(CostOf(kSaturations[0].service_us, kSignatureUs), 26.5);
  const Outcome alone = Simulate(machine, {.under_way = 1}, seed);
  all.push_back({"software P-256: median of one request at a time (fitted)", "us", 635,
                 alone.median_us, 0.97, 1.03});
  const Outcome half = Simulate(machine, {.per_second = 12498 * 0.5}, seed);
  all.push_back(
      {"software P-256: median at 50 % of saturation", "us", 2228, half.median_us, 0.7, 1.4});
  all.push_back({"software P-256: p99 at 50 % of saturation", "us", 13697, half.p99_us});
  const Outcome more = Simulate(machine, {.per_second = 12498 * 0.8}, seed);
  all.push_back({"software P-256: median at 80 % of saturation", "us", 15991, more.median_us});
  all.push_back({"software P-256: p99 at 80 % of saturation", "us", 61342, more.p99_us});
}

// On one core, without the generator.
void AddFlood(std::uint64_t seed, std::vector<Comparison>& all) {
  constexpr double kRsaRate = 3223;
  CellModel machine = MeasuredMachine(CostOf(1e6 / kRsaRate, 220), 0);
  machine.replica.cores = 1;
  const Outcome flooded = Simulate(machine, {.per_second = 9688}, seed);
  all.push_back({"flood, RSA-2048: certificates/s at three times saturation", "certificates/s",
                 2656, flooded.issued_per_second, 0.9, 1.1});
}

}  // namespace

CertificateCost CostOf(double service_us, double signature_us) {
  constexpr double kFullBatch = 64;
  return {.call = kCallUs,
          .lane = service_us - kCallUs - signature_us - kBatchUs / kFullBatch,
          .signature = signature_us,
          .batch = kBatchUs};
}

CellModel MeasuredMachine(const CertificateCost& cost, double generator_us) {
  CellModel cell;
  cell.replica.cost = cost;
  cell.replica.cost.generator = generator_us;
  cell.database.flush_us = kFlushUs;
  return cell;
}

CellModel HundredTimes() {
  CellModel cell;
  cell.replica.replicas = 8;
  cell.replica.cores = 16;
  // With as many connections as the configuration has where nothing is said of them.
  cell.replica.commits_at_once = 3;
  cell.replica.cost = CostOf(kSaturations[0].service_us, kSignatureUs);
  cell.database = {.cores = 36,
                   .microseconds_per_transaction = kTransactionUs,
                   .microseconds_per_certificate = kCertificateUsOfLargeTable,
                   .round_trip_us = 200,
                   .round_trips = 2,
                   .wal_octets_per_certificate = kWalOctetsOfLargeTable,
                   .flush_us = kFlushUs,
                   .disk_octets_per_second = 1e9,
                   .standby = true,
                   .standby_round_trip_us = 500};
  return cell;
}

std::vector<Comparison> CompareWithMeasured(std::uint64_t seed) {
  std::vector<Comparison> all;
  AddSaturations(seed, all);
  AddLatencies(seed, all);
  AddFlood(seed, all);
  return all;
}

}  // namespace hourglass::scaling
