// A replica of hourglassd that is killed, paused, started again.
#ifndef HOURGLASS_TESTS_CHAOS_REPLICA_H_
#define HOURGLASS_TESTS_CHAOS_REPLICA_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "hsm/base/mutex.h"
#include "tests/support/fake_clock.h"
#include "tests/support/subprocess.h"

namespace hourglass::chaos {

// One after the other it is several processes, which may have several names. Where an address is
// asked for it may be called by several threads, all else by one at a time.
class Replica {
 public:
  static constexpr char kProgram[] = "tools/hourglassd/hourglassd";
  // Where the configuration has its name.
  static constexpr char kNamePlace[] = "@REPLICA@";

  struct Options {
    std::string folder;  // takes its configuration and address
    std::string log_folder;
    std::string name;
    std::string configuration;  // without `address_file`
    std::vector<std::string> environment;
    std::string preloaded_library;  // may be empty
    bool has_fake_clock = false;
  };

  explicit Replica(Options options);

  // The one that it was first given.
  const std::string& name() const { return options_.name; }
  // `host:port` of the process that served last; empty before the first.
  std::string address() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Starts it and waits until it serves. One that ends before, since its database is away, is
  // started again, as whoever keeps it would. Errors: INTERNAL_ERROR with its log after three
  // minutes.
  absl::Status Start();
  // The same under another name, so that it does not wait until its old one is free.
  absl::Status StartAnew();
  // SIGKILL.
  void Kill();
  // SIGTERM, as whoever keeps it would before an upgrade. Errors: INTERNAL_ERROR with its log where
  // it has not ended after a minute, and is killed, or says that it failed.
  absl::Status Stop();
  // SIGSTOP and SIGCONT.
  void Pause();
  void Resume();
  bool has_fake_clock() const { return clock_ != nullptr; }
  // As FakeClock::Set.
  void SetClock(const std::string& offset) { clock_->Set(offset); }
  // Whether it ended, though it served and nobody killed it.
  bool HasEndedByItself();
  // The last lines of its log.
  std::string EndOfLog() const;

 private:
  absl::Status StartAs(const std::string& name);
  bool WaitUntilItServes();
  std::string AddressFile() const { return options_.folder + "/" + name() + ".address"; }

  Options options_;
  std::unique_ptr<FakeClock> clock_;
  std::string name_now_;
  int starts_ = 0;
  bool serves_ = false;
  std::unique_ptr<BackgroundProcess> process_;
  mutable Mutex mutex_;
  std::string address_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_REPLICA_H_
