#include "tools/gatewayd/refused_folder.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"
#include "tools/client/wording.h"

namespace hourglass::gatewayd {
namespace {

constexpr mode_t kMode = 0644;
constexpr absl::string_view kBegin = "refused by hourglass-gatewayd until ";

class RefusedFolder final : public Gateway {
 public:
  explicit RefusedFolder(RefusedFolderConfig config)
      : config_(std::move(config)), name_(absl::StrCat("refused ", config_.folder)) {}

  const std::string& name() const override { return name_; }

  Outcome End(absl::Span<const Task> tasks, const Patience&) override {
    Outcome outcome;
    outcome.status = Write(tasks);
    if (outcome.status.ok()) outcome.status = RemoveEnded();
    return outcome;
  }

 private:
  absl::Status Write(absl::Span<const Task> tasks) const {
    const absl::Time now = absl::Now();
    for (const Task& task : tasks) {
      for (const auto& [serial, end] : task.concern.certificates) {
        if (end <= now) continue;
        const std::string path = PathOf(SerialName(serial, config_.form));
        struct stat there = {};
        if (stat(path.c_str(), &there) == 0) continue;
        RETURN_IF_ERROR(
            client::ReplaceFile(path, absl::StrCat(kBegin, client::TimeForJson(end), "\n"), kMode));
      }
    }
    return absl::OkStatus();
  }

  absl::Status RemoveEnded() const {
    DIR* const folder = opendir(config_.folder.c_str());
    if (folder == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("cannot read ", config_.folder, ": ", strerror(errno)));
    }
    const absl::Cleanup close_folder = [folder] { closedir(folder); };
    std::vector<std::string> ended;
    while (const dirent* const entry = readdir(folder)) {
      if (HasEnded(PathOf(entry->d_name))) ended.push_back(entry->d_name);
    }
    for (const std::string& name : ended)
      RETURN_IF_ERROR(client::RemoveFile(PathOf(name)).status());
    return absl::OkStatus();
  }

  static bool HasEnded(const std::string& path) {
    struct stat there = {};
    if (lstat(path.c_str(), &there) != 0 || !S_ISREG(there.st_mode)) return false;
    const absl::StatusOr<std::string> text = client::ReadWholeFile(path);
    if (!text.ok()) return false;
    absl::string_view words = absl::StripAsciiWhitespace(*text);
    absl::Time end;
    return absl::ConsumePrefix(&words, kBegin) &&
           absl::ParseTime(absl::RFC3339_full, words, &end, nullptr) && end < absl::Now();
  }

  std::string PathOf(absl::string_view name) const {
    return absl::StrCat(config_.folder, "/", name);
  }

  const RefusedFolderConfig config_;
  const std::string name_;
};

}  // namespace

std::string SerialName(absl::string_view hexadecimal, SerialForm form) {
  if (form == SerialForm::kHexadecimal) return std::string(hexadecimal);
  BIGNUM* number = nullptr;
  if (BN_hex2bn(&number, std::string(hexadecimal).c_str()) == 0) return "";
  const BignumPtr owned(number);
  char* const decimal = BN_bn2dec(number);
  if (decimal == nullptr) return "";
  std::string name = decimal;
  OPENSSL_free(decimal);
  return name;
}

std::unique_ptr<Gateway> MakeRefusedFolder(RefusedFolderConfig config) {
  return std::make_unique<RefusedFolder>(std::move(config));
}

}  // namespace hourglass::gatewayd
