// Keys from a file that an administrator keeps.
#ifndef HOURGLASS_ISSUANCE_TOKENS_KEY_SET_FILE_H_
#define HOURGLASS_ISSUANCE_TOKENS_KEY_SET_FILE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/base/file_stamp.h"
#include "issuance/tokens/kept_key_set.h"
#include "issuance/tokens/key_set_source.h"

namespace hourglass::issuance {

// Safe to use from several threads.
class KeySetFile final : public KeySetSource {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `clock` is the machine's, which stamps of files are taken from, and must outlive this object;
  // `now` paces the looks at the file. `news` may be null. Reads the file.
  KeySetFile(std::string path, const Clock* clock, std::function<Time()> now, KeySetNews news);

  // Looks whether the file has changed, once a second at most, and reads it then. While another
  // thread reads, this one has what there was.
  std::shared_ptr<const KeySet> Get() override;

  // The file is looked at anyway.
  void KeyIsUnknown() override {}

  KeySetHealth Health() const override { return kept_.health(); }

 private:
  absl::StatusOr<FileStamp> Look() const;
  absl::StatusOr<std::string> Read() const;
  void ReadIfChanged();
  // Whether this thread is to look at the file, and then it alone until Done().
  bool BeginLook();
  void EndLook();

  const std::string path_;
  const Clock* const clock_;
  const std::function<Time()> now_;
  KeptKeySet kept_;
  std::optional<FileStamp>
      known_;  // of the text that was read last; of the thread that looks alone
  Mutex mutex_;
  bool looking_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<Time> next_look_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_KEY_SET_FILE_H_
