#include "tools/hourglass/keys/module_inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/signals.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/key_uri.h"
#include "hsm/keyholder/process/confinement.h"
#include "hsm/pkcs11/token_inventory.h"
#include "tools/client/wording.h"

namespace hourglass::cli {
namespace {

using client::Json;
using Clock = std::chrono::steady_clock;

constexpr int kAnswer = 3;
// Thousands of keys fit; a process that writes on and on is stopped.
constexpr std::size_t kLongestAnswer = 16 * 1024 * 1024;

absl::Status Failed(absl::string_view message) {
  return Error(ErrorReason::kKeyUnavailable, "module-path", message);
}

// A child process and the pipe that it answers into. Killed and reaped when this object goes.
class Child {
 public:
  ~Child() {
    if (answer_ >= 0) close(answer_);
    End();
  }
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  absl::Status Start(const std::string& module_path, const std::string& token_uri) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Failed(absl::StrCat("pipe: ", strerror(errno)));
    answer_ = ends[0];
    // Above the number that it is to get: duplicating a descriptor onto itself would leave it
    // closed in the child.
    const int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, kAnswer + 1);
    close(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs, kAnswer);
    posix_spawn_file_actions_addclosefrom_np(&actions, kAnswer + 1);
    std::string words[] = {"hourglass", kInventoryArgument, module_path, token_uri};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                         nullptr};
    const int error = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(theirs);
    if (error == 0) return absl::OkStatus();
    pid_ = -1;
    return Failed(absl::StrCat("cannot start a process: ", strerror(error)));
  }

  // Everything that the child writes until it closes its end. Errors: KEY_UNAVAILABLE.
  absl::StatusOr<std::string> Read(std::chrono::milliseconds deadline) {
    const Clock::time_point until = Clock::now() + deadline;
    std::string answer;
    char part[16 * 1024];
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
      pollfd readable = {answer_, POLLIN, 0};
      const int ready = left.count() > 0 ? poll(&readable, 1, static_cast<int>(left.count())) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0 || answer.size() > kLongestAnswer) {
        return Failed(
            absl::StrCat("the module gave no answer for ", deadline.count() / 1000, " s"));
      }
      const ssize_t size = read(answer_, part, sizeof(part));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return answer;
      answer.append(part, static_cast<std::size_t>(size));
    }
  }

  // Kills it if it still runs, and says how it ended; empty: by itself, in order.
  std::string End() {
    if (pid_ < 0) return "";
    kill(pid_, SIGKILL);
    return Reap();
  }
  // Waits for the end of a child that has closed its answer.
  std::string Reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
    return ProcessEnding(status);
  }

 private:
  pid_t pid_ = -1;
  int answer_ = -1;
};

Json TokenAsJson(const hsm::TokenFacts& token) {
  Json json = {{"label", token.label},
               {"serial", token.serial},
               {"manufacturer", token.manufacturer},
               {"model", token.model},
               {"initialized", token.initialized},
               {"warnings", token.warnings},
               {"shortest_pin", token.shortest_pin},
               {"longest_pin", token.longest_pin},
               {"mechanisms", Json::array()},
               {"key_types", Json::array()}};
  for (const hsm::MechanismFacts& mechanism : token.mechanisms) {
    json["mechanisms"].push_back({{"name", mechanism.name},
                                  {"min_key_size", mechanism.min_size},
                                  {"max_key_size", mechanism.max_size}});
  }
  for (const hsm::KeyType type : token.makes) {
    json["key_types"].push_back(std::string(hsm::KeyTypeName(type)));
  }
  return json;
}

Json ModuleAsJson(const std::string& path, const hsm::ModuleFacts& facts) {
  Json slots = Json::array();
  for (const hsm::SlotFacts& slot : facts.slots) {
    Json& shown = slots.emplace_back(Json{{"slot_id", slot.id}, {"description", slot.description}});
    if (slot.token.has_value()) shown["token"] = TokenAsJson(*slot.token);
  }
  return {{"path", path},
          {"library", facts.library},
          {"manufacturer", facts.manufacturer},
          {"version", facts.version},
          {"cryptoki_version", facts.cryptoki_version},
          {"slots", slots}};
}

Json KeysAsJson(const std::vector<hsm::PrivateKeyFacts>& keys) {
  Json json = Json::array();
  for (const hsm::PrivateKeyFacts& key : keys) {
    Json attributes = Json::object();
    for (const auto& [name, value] : key.attributes) {
      attributes[name] = value.has_value() ? Json(*value) : Json(nullptr);
    }
    json.push_back({{"label", key.label}, {"id", client::Hex(key.id)}, {"attributes", attributes}});
  }
  return json;
}

absl::StatusOr<Json> ReadInventory(const std::string& module_path, const std::string& token_uri) {
  RETURN_IF_ERROR(hsm::ForbidDumps());
  ASSIGN_OR_RETURN(const hsm::ModuleFacts facts, hsm::ReadModuleFacts(module_path));
  Json inventory = {{"module", ModuleAsJson(module_path, facts)}};
  if (token_uri.empty()) return inventory;
  ASSIGN_OR_RETURN(const hsm::TokenUri token, hsm::ParseTokenUri(token_uri));
  ASSIGN_OR_RETURN(const std::vector<hsm::PrivateKeyFacts> keys, hsm::ReadPrivateKeys(token));
  inventory["keys"] = KeysAsJson(keys);
  return inventory;
}

// The reason's name is all that crosses the pipe of an error's payloads.
absl::Status ErrorFrom(const Json& error) {
  const std::string name = error.value("reason", "");
  const bool refused = name == ErrorReasonName(ErrorReason::kPinRefused);
  std::string message = error.value("message", "");
  const std::string field = error.value("field", "");
  const std::string prefix = absl::StrCat(field, ": ");
  if (!field.empty() && message.rfind(prefix, 0) == 0) message.erase(0, prefix.size());
  return Error(refused ? ErrorReason::kPinRefused : ErrorReason::kKeyUnavailable, field, message);
}

}  // namespace

absl::StatusOr<Json> TakeInventory(const std::string& module_path, const std::string& token_uri,
                                   std::chrono::milliseconds deadline) {
  Child child;
  RETURN_IF_ERROR(child.Start(module_path, token_uri));
  ASSIGN_OR_RETURN(const std::string answer, child.Read(deadline));
  const std::string ending = child.Reap();
  if (!ending.empty()) return Failed(absl::StrCat("the module ended its process: ", ending));
  Json inventory = Json::parse(answer, nullptr, false);
  if (inventory.is_discarded()) return Failed("the module ended its process before it answered");
  if (inventory.contains("error")) return ErrorFrom(inventory["error"]);
  return inventory;
}

void ServeInventory(int count, char** arguments) {
  const absl::StatusOr<Json> inventory =
      count == 2 ? ReadInventory(arguments[0], arguments[1])
                 : absl::StatusOr<Json>(absl::InvalidArgumentError("two arguments are needed"));
  const std::string answer =
      client::JsonLine(inventory.ok() ? *inventory : client::FailureAsJson(inventory.status()));
  std::size_t written = 0;
  while (written < answer.size()) {
    const ssize_t size = write(kAnswer, answer.data() + written, answer.size() - written);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) _exit(1);
    written += static_cast<std::size_t>(size);
  }
  _exit(0);
}

}  // namespace hourglass::cli
