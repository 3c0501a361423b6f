#include "tests/chaos/faults.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Begin = std::function<void(absl::string_view words)>;

// By which a clock may be off, and by which it must not; below the minute that counts as a leap,
// which is for other tests. Ahead: certificates of TLS that were made for this run would not be
// valid yet behind.
constexpr int kWithinSeconds = 20;
constexpr int kBeyondSeconds = 50;

std::string For(milliseconds duration) { return absl::StrCat(" for ", duration.count(), " ms"); }

// One that ended by itself is a failure, and is started again.
absl::Status KeepRunning(Replica& replica) {
  if (!replica.HasEndedByItself()) return absl::OkStatus();
  const std::string log = replica.EndOfLog();
  RETURN_IF_ERROR(replica.Start());
  return Error(ErrorReason::kInternalError, "",
               absl::StrCat(replica.name(), " ended by itself:\n", log));
}

absl::Status KillReplica(Cell& cell, Chance& chance, Ending& ending, const Begin& begin) {
  Replica& replica = cell.replica(chance.Below(kReplicas));
  const absl::Status before = KeepRunning(replica);
  const milliseconds away = chance.Between(milliseconds(0), seconds(2));
  const bool is_anew = chance.In(0.5);
  begin(absl::StrCat(replica.name(), For(away), is_anew ? ", then another name" : ""));
  replica.Kill();
  ending.Await(away);
  RETURN_IF_ERROR(is_anew ? replica.StartAnew() : replica.Start());
  return before;
}

absl::Status StopReplica(Cell& cell, Chance& chance, Ending& ending, const Begin& begin) {
  Replica& replica = cell.replica(chance.Below(kReplicas));
  const absl::Status before = KeepRunning(replica);
  const milliseconds away = chance.Between(milliseconds(0), seconds(2));
  begin(absl::StrCat(replica.name(), For(away)));
  const absl::Status stopped = replica.Stop();
  ending.Await(away);
  RETURN_IF_ERROR(replica.Start());
  return before.ok() ? stopped : before;
}

absl::Status PauseReplica(Cell& cell, Chance& chance, Ending& ending, const Begin& begin) {
  Replica& replica = cell.replica(chance.Below(kReplicas));
  const absl::Status before = KeepRunning(replica);
  const milliseconds away = chance.Between(milliseconds(300), seconds(6));
  begin(absl::StrCat(replica.name(), For(away)));
  replica.Pause();
  ending.Await(away);
  replica.Resume();
  return before;
}

absl::Status SetClockOff(Cell& cell, int by, Chance& chance, Ending& ending, const Begin& begin) {
  Replica& replica = cell.replica(kReplicas - 1);
  const absl::Status before = KeepRunning(replica);
  const milliseconds duration = chance.Between(seconds(2), seconds(7));
  begin(absl::StrCat(replica.name(), " by ", by, " s", For(duration)));
  replica.SetClock(absl::StrCat("+", by));
  ending.Await(duration);
  replica.SetClock("+0");
  return before;
}

absl::Status BreakConnections(Cell& cell, void (*harm)(Proxy&, Chance&), Chance& chance,
                              Ending& ending, const Begin& begin) {
  const int one = chance.Below(kReplicas);
  const milliseconds duration = chance.Between(milliseconds(200), seconds(5));
  begin(absl::StrCat(cell.replica(one).name(), For(duration)));
  harm(cell.proxy(one), chance);
  ending.Await(duration);
  cell.proxy(one).Heal();
  return absl::OkStatus();
}

absl::Status CrashDatabase(Cell& cell, Chance& chance, Ending& ending, const Begin& begin) {
  const milliseconds away = chance.Between(milliseconds(0), seconds(2));
  begin(For(away));
  RETURN_IF_ERROR(cell.database().Crash());
  ending.Await(away);
  return cell.database().Run();
}

absl::Status RestartDatabase(Cell& cell, Chance& chance, Ending& ending, const Begin& begin) {
  const milliseconds away = chance.Between(milliseconds(0), seconds(2));
  begin(For(away));
  RETURN_IF_ERROR(cell.database().ShutDown());
  ending.Await(away);
  return cell.database().Run();
}

absl::Status PauseDatabase(Cell& cell, Chance& chance, Ending& ending, const Begin& begin) {
  const milliseconds away = chance.Between(milliseconds(300), seconds(4));
  begin(For(away));
  cell.database().Pause();
  ending.Await(away);
  cell.database().Resume();
  return absl::OkStatus();
}

FaultLane LaneOfReplicas(Cell& cell) {
  const auto of = [&cell](auto* act) {
    return [&cell, act](Chance& chance, Ending& ending, const Begin& begin) {
      return act(cell, chance, ending, begin);
    };
  };
  const auto clock = [&cell](int by) {
    return [&cell, by](Chance& chance, Ending& ending, const Begin& begin) {
      return SetClockOff(cell, by, chance, ending, begin);
    };
  };
  return {{{kReplicaKilled, of(&KillReplica)},
           {kReplicaStopped, of(&StopReplica)},
           {kReplicaPaused, of(&PauseReplica)},
           {kReplicaPaused, of(&PauseReplica)},
           {kClockOffWithin, clock(kWithinSeconds)},
           {kClockOffBeyond, clock(kBeyondSeconds)}}};
}

FaultLane LaneOfConnections(Cell& cell) {
  const auto of = [&cell](void (*harm)(Proxy&, Chance&)) {
    return [&cell, harm](Chance& chance, Ending& ending, const Begin& begin) {
      return BreakConnections(cell, harm, chance, ending, begin);
    };
  };
  return {{
      {kConnectionsCut, of([](Proxy& proxy, Chance&) { proxy.Cut(); })},
      {kConnectionsHalfOpen, of([](Proxy& proxy, Chance&) { proxy.Silence(Direction::kBoth); })},
      {kAnswersLost, of([](Proxy& proxy, Chance&) { proxy.Silence(Direction::kAnswers); })},
      {kConnectionsHeld, of([](Proxy& proxy, Chance&) { proxy.Hold(); })},
      {kConnectionsDelayed, of([](Proxy& proxy, Chance& chance) {
         proxy.Delay(chance.Between(milliseconds(10), milliseconds(150)));
       })},
  }};
}

}  // namespace

std::vector<std::string> AllFaultKinds() {
  return {kReplicaKilled,      kReplicaStopped,      kReplicaPaused,   kClockOffWithin,
          kClockOffBeyond,     kConnectionsCut,      kAnswersLost,     kConnectionsHeld,
          kConnectionsDelayed, kConnectionsHalfOpen, kDatabaseCrashed, kDatabaseRestarted,
          kDatabasePaused};
}

std::vector<FaultLane> FaultLanesOfReplicas(Cell& cell) {
  return {LaneOfReplicas(cell), LaneOfConnections(cell)};
}

FaultLane FaultLaneOfDatabase(Cell& cell) {
  const auto of = [&cell](auto* act) {
    return [&cell, act](Chance& chance, Ending& ending, const Begin& begin) {
      return act(cell, chance, ending, begin);
    };
  };
  // All are without it: so that something else happens as well, seldom.
  return {{{kDatabaseCrashed, of(&CrashDatabase)},
           {kDatabaseRestarted, of(&RestartDatabase)},
           {kDatabasePaused, of(&PauseDatabase)}},
          seconds(5),
          seconds(15)};
}

}  // namespace hourglass::chaos
