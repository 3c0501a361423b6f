// An administrator who changes a tenant's roots at random, through any replica.
#ifndef HOURGLASS_TESTS_CHAOS_ADMINISTRATOR_H_
#define HOURGLASS_TESTS_CHAOS_ADMINISTRATOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/mutex.h"
#include "tests/chaos/cell.h"
#include "tests/chaos/chance.h"
#include "tests/history/history.h"
#include "tests/history/recorder.h"

namespace hourglass::chaos {

// Makes roots, promotes, goes back, retires and discards. What is unanswered or refused for now is
// asked again of another replica, some of it of two at once: the second may find it done. For one
// thread.
class Administrator {
 public:
  struct Options {
    std::string tenant_id;
    bool has_sub_keys = false;
    const Cell* cell = nullptr;
    history::Recorder* recorder = nullptr;
    std::uint64_t seed = 0;
    // From one change to the next, half as long and half as much again.
    std::chrono::milliseconds pace{500};
  };

  explicit Administrator(Options options);

  // Makes the tenant, and its first root the primary. Errors: INTERNAL_ERROR, with the service's
  // words.
  absl::Status Prepare();
  void Run(Ending& ending);

  // How many changes of this kind were answered as done since Prepare. Safe to call from several
  // threads.
  int done(history::AdministrativeMethod method) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Outcome = decltype(history::AdministrativeCall::outcome);
  // A call of a stub, of which each knows its request.
  using Act = std::function<grpc::Status(v1::RootService::Stub&, grpc::ClientContext*, v1::Root*)>;

  // One change that seems possible; nothing where the replica that was asked says nothing.
  void Change();
  void ChangeOneOf(const std::vector<v1::Root>& staged, const std::vector<v1::Root>& retiring);
  std::vector<v1::Root> ListRoots();

  Outcome CreateRoot();
  Outcome Promote(const std::string& root_id);
  Outcome RollBack(const std::string& root_id);
  Outcome Retire(const std::string& root_id);
  Outcome Discard(const std::string& root_id);
  // Until it is answered for good, a few times; what came last.
  Outcome Do(history::AdministrativeMethod method, const std::string& root_id, const Act& act);
  // Safe to call from several threads.
  Outcome Call(int replica, const std::shared_ptr<grpc::Channel>& channel,
               history::AdministrativeMethod method, const std::string& root_id,
               const Act& act) const;

  const Options options_;
  Chance chance_;
  Connections connections_;
  int created_ = 0;
  mutable Mutex mutex_;
  std::map<history::AdministrativeMethod, int> done_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_ADMINISTRATOR_H_
