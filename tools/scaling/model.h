// What a cell is made of, as far as its capacity goes.
#ifndef HOURGLASS_TOOLS_SCALING_MODEL_H_
#define HOURGLASS_TOOLS_SCALING_MODEL_H_

#include <cstdint>

namespace hourglass::scaling {

// The work of a certificate, in microseconds of one core. The defaults are those of a P-256 root in
// software; docs/scaling.md says which command measures each, and which are computed.
struct CertificateCost {
  // Reading the call and sending the answer: gRPC and TLS.
  double call = 25.1;
  // In a lane, besides the signature.
  double lane = 78.0;
  double signature = 16;
  // For each batch in a lane, however many requests it has.
  double batch = 250;
  // Of a load generator that uses the same cores; 0 where there is none.
  double generator = 0;
};

struct ReplicaModel {
  int replicas = 1;
  int cores = 2;
  // Threads for batches; 0: as hourglassd has them, one more than cores, or 32 where signatures are
  // waited for.
  int lanes = 0;
  std::int64_t batch = 64;
  // Requests that may wait.
  std::int64_t queue = 1024;
  // Commits under way at once.
  int commits_at_once = 1;
  CertificateCost cost;
};

// Two transactions write a certificate, each a batch's. SQLite has no cores of its own here: what
// it computes is in the cost of the service.
struct DatabaseModel {
  // 0: what a transaction computes takes no time.
  int cores = 0;
  double microseconds_per_transaction = 0;
  double microseconds_per_certificate = 0;  // both transactions' share
  double round_trip_us = 0;
  int round_trips = 0;  // of a transaction
  double wal_octets_per_certificate = 0;
  double flush_us = 0;
  double disk_octets_per_second = 1e9;
  bool standby = false;  // that each commit waits for
  double standby_round_trip_us = 0;
};

// A token that all replicas share.
struct HsmModel {
  // Signatures a second; 0: keys are in the replicas' memory.
  double signatures_per_second = 0;
  // Under way at once, each at the same share of that rate.
  int sessions = 8;
  double round_trip_us = 0;
};

struct CellModel {
  ReplicaModel replica;
  DatabaseModel database;
  HsmModel hsm;
};

// Either so many requests a second, whatever the answers do, or so many always under way, each
// followed by the next as soon as it is answered.
struct Load {
  double per_second = 0;
  std::int64_t under_way = 0;
};

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_MODEL_H_
