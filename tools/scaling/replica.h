// A simulated hourglassd.
#ifndef HOURGLASS_TOOLS_SCALING_REPLICA_H_
#define HOURGLASS_TOOLS_SCALING_REPLICA_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "issuance/admission/lane_gate.h"
#include "tools/scaling/model.h"
#include "tools/scaling/simulation.h"
#include "tools/scaling/stations.h"

namespace hourglass::scaling {

// A request: the call is read, it waits for a lane, goes through its steps in a batch (everything
// up to the intent, the intent's commit, the signature, the release's commit), and is answered.
// Lanes take up what waits as the product's own LaneGate says.
class Replica {
 public:
  // Commits `writes` of one batch or more, and calls `done`.
  using Commit = std::function<void(std::int64_t writes, Done done)>;
  // Told of a request's end: whether it has a certificate, and when it was due.
  using Answered = std::function<void(bool issued, Time due)>;

  // All must outlive this object. `hsm` is null where keys are in memory.
  Replica(Simulation* simulation, const ReplicaModel& model, Commit commit, Station* hsm,
          const HsmModel& hsm_model, Answered answered);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // A request comes that is due now.
  void Arrive();

  const Station& cores() const { return cores_; }
  const GroupStation& commits() const { return commits_; }
  // Summed over all lanes.
  Time LanesInUse() const { return lanes_in_use_.Sum(); }
  int lanes() const { return lanes_; }
  std::int64_t batches() const { return batches_; }

 private:
  using Batch = std::shared_ptr<const std::vector<Time>>;  // when each was due

  void Admit(Time due);
  void TakeUp();
  bool MayTakeUp() const;
  void Serve(const Batch& batch);
  void Sign(const Batch& batch, Done done);
  void Answer(bool issued, const Batch& batch);

  Simulation* const simulation_;
  const ReplicaModel model_;
  const int lanes_;
  Station* const hsm_;
  const HsmModel hsm_model_;
  const Answered answered_;
  Station cores_;
  GroupStation commits_;
  issuance::LaneGate gate_;
  UseMeter lanes_in_use_;
  std::deque<Time> waiting_;
  std::int64_t batches_ = 0;
};

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_REPLICA_H_
