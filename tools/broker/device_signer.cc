#include "tools/broker/device_signer.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/agent/hook.h"
#include "tools/client/files.h"

namespace hourglass::broker {
namespace {

constexpr std::size_t kNonceSize = 32;
constexpr std::size_t kMaxSignatureSize = 1024;
constexpr char kOption[] = "--sign-with";

absl::Status Invalid(absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, "", absl::StrCat(kOption, ": ", what));
}

// A folder that nobody else can look into.
absl::StatusOr<std::string> MakeFolder() {
  const char* const base = getenv("TMPDIR");
  std::string path = absl::StrCat(base == nullptr ? "/tmp" : base, "/hourglass-broker-XXXXXX");
  if (mkdtemp(path.data()) != nullptr) return path;
  return Invalid(absl::StrCat("cannot make a folder ", path, ": ", std::strerror(errno)));
}

absl::Status WriteStatement(const std::string& path, const std::string& octets) {
  std::ofstream file(path, std::ios::binary);
  file << octets << std::flush;
  return file ? absl::OkStatus() : Invalid(absl::StrCat("cannot write ", path));
}

absl::StatusOr<std::string> ReadSignature(const std::string& path) {
  absl::StatusOr<std::string> signature = client::ReadWholeFile(path);
  if (!signature.ok() || signature->empty()) {
    return Invalid("the command left no signature in the file that $HOURGLASS_SIGNATURE names");
  }
  if (signature->size() > kMaxSignatureSize) return Invalid("what the command left is too long");
  return signature;
}

}  // namespace

absl::StatusOr<v1::DeviceProof> SignByDevice(const std::string& command, const Statement& statement,
                                             agent::Waiter& waiter) {
  std::array<unsigned char, kNonceSize> random;
  if (RAND_bytes(random.data(), random.size()) != 1) {
    return Error(ErrorReason::kInternalError, "", "no random octets are to be had");
  }
  const std::string nonce(random.begin(), random.end());
  const issuance::StatementMark mark = {
      std::chrono::floor<std::chrono::seconds>(absl::ToChronoTime(absl::Now())), nonce};
  ASSIGN_OR_RETURN(const std::string folder, MakeFolder());
  const std::string to_sign = absl::StrCat(folder, "/statement");
  const std::string signature_file = absl::StrCat(folder, "/signature");
  const absl::Cleanup remove = [&] {
    unlink(to_sign.c_str());
    unlink(signature_file.c_str());
    rmdir(folder.c_str());
  };
  RETURN_IF_ERROR(WriteStatement(to_sign, statement(mark)));
  RETURN_IF_ERROR(agent::RunHook(kOption, command,
                                 {absl::StrCat("HOURGLASS_STATEMENT=", to_sign),
                                  absl::StrCat("HOURGLASS_SIGNATURE=", signature_file)},
                                 waiter));
  v1::DeviceProof proof;
  ASSIGN_OR_RETURN(*proof.mutable_signature(), ReadSignature(signature_file));
  proof.mutable_signed_at()->set_seconds(mark.signed_at.time_since_epoch().count());
  proof.set_nonce(nonce);
  return proof;
}

}  // namespace hourglass::broker
